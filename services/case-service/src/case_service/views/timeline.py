"""What has happened in a case, whoever told it? One row per fact, of our own and of what was heard.

A row rests on its one fact, so the order in which services are heard makes no difference; a page sorts by when things
happened.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.columns import MEETING, METADATA, NOTIFICATION, OWN, PLAN
from chassis.decider import record
from chassis.view import Heard, View


@record
class Happening:
    """A row. `id` is the fact's own; `at` is when it happened; `about` what it concerns; `detail` one code of it."""

    id: UUID
    case_id: UUID
    at: datetime
    source: str
    position: int
    event: str
    role: str
    about: UUID | None
    detail: str


table = sa.Table(
    "timeline",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid),
    sa.Column("detail", sa.Text, nullable=False),
)

TOLD: Mapping[str, tuple[str | None, str | None]] = {
    "EmployerSickNoticeReceived": (None, "last_sick_pay_day"),
    "CaseOpened": (None, "spell_start"),
    "CaseAssigned": (None, "unit"),
    "CaseExtended": (None, "new_expected_end"),
    "WorkCapacityDegreeChanged": (None, "incapacity_pct"),
    "CertificateReceived": ("certificate_id", None),
    "InitialAssessmentDone": ("assessment_id", "need_level"),
    "RehabNeedDecided": ("decision_id", "need"),
    "KoordineringsInfoSent": ("info_id", "aim"),
    "KoordineringsInfoAcknowledged": ("info_id", None),
    "MilestoneReached": (None, "day"),
    "CaseClosed": (None, "outcome"),
    "CaseReopened": (None, "reason"),
    "ConsentGiven": ("consent_id", "scope"),
    "ConsentWithdrawn": ("consent_id", "scope"),
    "ConsentExpired": ("consent_id", "scope"),
    "ReferralToAF": ("referral_id", "purpose"),
    "ReferralAccepted": ("referral_id", None),
    "ReferralDeclined": ("referral_id", "reason"),
    "ReferralReassigned": ("referral_id", "office"),
    "EmploymentRegistered": ("employment_id", "org_nr"),
    "EmployerPlanRequested": ("request_id", "due"),
    "PlanSubmitted": ("plan_id", "channel"),
    "PlanRevised": ("plan_id", "version"),
    "PlanFileRejected": ("upload_id", "reason"),
    "PlanAssessed": ("plan_id", "quality"),
    "EmployerPlanNotReceived": ("request_id", "last_due"),
    "PlanActivityStarted": ("activity_id", "at"),
    "PlanActivityCompleted": ("activity_id", "at"),
    "PlanActivityMissed": ("activity_id", "cause"),
    "MeetingProposed": ("meeting_id", "kind"),
    "MeetingCalled": ("meeting_id", "kind"),
    "MeetingAnswered": ("meeting_id", "answer"),
    "MeetingMoved": ("meeting_id", "reason"),
    "MeetingHeld": ("meeting_id", "form"),
    "MeetingMinutesApproved": ("meeting_id", "version"),
    "MeetingMinutesAmended": ("meeting_id", "reason"),
    "MeetingCancelled": ("meeting_id", "reason"),
    "JointAssessmentHeld": ("assessment_id", "conclusion"),
    "PartyCommented": ("about", "stance"),
    "DeadlineMet": ("about", "kind"),
    "DeadlineMissed": ("about", "kind"),
    "DeadlineEscalated": ("about", "to_role"),
    "ReminderSent": ("about", "template_id"),
    "ReminderFailed": ("about", "cause"),
}
"""What is worth telling: each event with the field it is about, and the one open field that says most. Deadlines that
are only set or cancelled are in notification-service's own timeline; tips about an employer lead to no case."""


def keys(heard: Heard) -> Sequence[UUID]:
    told = heard.name in TOLD and heard.envelope.case_id is not None
    return (heard.envelope.event_id,) if told else ()


def evolve(row: Happening | None, heard: Heard, key: UUID) -> Happening | None:
    about, detail = TOLD[heard.name]
    assert heard.envelope.case_id is not None
    return Happening(
        id=key,
        case_id=heard.envelope.case_id,
        at=heard.envelope.occurred_at,
        source=heard.source,
        position=heard.position,
        event=heard.name,
        role=heard.envelope.actor.role,
        about=getattr(heard.fact, about) if about else None,
        detail=_plain(getattr(heard.fact, detail)) if detail else "",
    )


def _plain(value: Any) -> str:
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)


timeline = View(
    name="timeline",
    table=table,
    key="id",
    row=Happening,
    keys=keys,
    evolve=evolve,
    sources=(OWN, PLAN, MEETING, NOTIFICATION),
)


async def of_case(
    connection: AsyncConnection,
    case_id: UUID,
    sources: Sequence[str],
    after: tuple[datetime, str, int] | None,
    most: int,
) -> list[Happening]:
    """What happened, oldest first, as far as these services told it. `after` is a row's (at, source, position)."""
    order = (table.c.at, table.c.source, table.c.position)
    query = sa.select(table).where(table.c.case_id == case_id, table.c.source.in_(sources))
    if after is not None:
        query = query.where(
            sa.tuple_(*order) > sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(after, order, strict=True)))
        )
    return [Happening(**r) for r in (await connection.execute(query.order_by(*order).limit(most))).mappings()]
