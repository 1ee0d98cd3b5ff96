"""Which employments are there, and how does each stand with its plan? One row per employment, nothing sealed in it.

What the row says of a plan is that of the newest version known. Whether a plan is due, or merely not known, depends on
the day on which it is asked, and so is worked out when it is read.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import but, record
from chassis.view import Heard, View
from contracts.plan import (
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    ExpectedDaysChanged,
    PlanAssessed,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
)
from plan_service.views import cases
from plan_service.views.columns import METADATA, OWN

PLAN_DAY = 30
"""By this day of the spell the employer has drawn up a plan (SFB 30:6)."""

PLAN_OWED_FROM_DAYS = 60
"""A plan is owed when the incapacity may be assumed to last this many days (SFB 30:6)."""


class PlanStatus(StrEnum):
    """How it stands with the plan, on the day of reading. NOT_KNOWN is no breach: handing in is not compulsory."""

    NOT_DUE = "NOT_DUE"
    NOT_KNOWN = "NOT_KNOWN"
    REQUESTED = "REQUESTED"
    NOT_RECEIVED = "NOT_RECEIVED"
    RECEIVED = "RECEIVED"
    ASSESSED = "ASSESSED"
    EXEMPT = "EXEMPT"


NOT_ASKED, FILE_UNREADABLE = "NOT_ASKED", "FILE_UNREADABLE"
AT_HAND = frozenset({PlanStatus.RECEIVED, PlanStatus.ASSESSED, PlanStatus.EXEMPT})


@record
class Employment:
    """A row. `number` orders employments as they were registered; `version` is that of the stream; `shortcomings` are
    separated by blanks; `situation` is a PlanStatus, NOT_ASKED or FILE_UNREADABLE."""

    employment_id: UUID
    number: int
    version: int
    case_id: UUID
    person_ref: UUID
    org_nr: str
    employment_kind: str
    spell_start: date
    expected_days: int
    situation: str
    request_id: UUID | None = None
    due: date | None = None
    file_fault: str | None = None
    plan_id: UUID | None = None
    plan_version: int | None = None
    channel: str | None = None
    exemption: str | None = None
    submitted_at: datetime | None = None
    spell_day: int | None = None
    score: int | None = None
    quality: str | None = None
    shortcomings: str | None = None
    changed_at: datetime


table = sa.Table(
    "employments",
    METADATA,
    sa.Column("employment_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("person_ref", sa.Uuid, nullable=False),
    sa.Column("org_nr", sa.Text, nullable=False),
    sa.Column("employment_kind", sa.Text, nullable=False),
    sa.Column("spell_start", sa.Date, nullable=False),
    sa.Column("expected_days", sa.Integer, nullable=False),
    sa.Column("situation", sa.Text, nullable=False),
    sa.Column("request_id", sa.Uuid),
    sa.Column("due", sa.Date),
    sa.Column("file_fault", sa.Text),
    sa.Column("plan_id", sa.Uuid),
    sa.Column("plan_version", sa.Integer),
    sa.Column("channel", sa.Text),
    sa.Column("exemption", sa.Text),
    sa.Column("submitted_at", sa.DateTime(timezone=True)),
    sa.Column("spell_day", sa.Integer),
    sa.Column("score", sa.Integer),
    sa.Column("quality", sa.Text),
    sa.Column("shortcomings", sa.Text),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)


# --- folding ---


def keys(heard: Heard) -> Sequence[UUID]:
    employment_id = getattr(heard.fact, "employment_id", None)
    return (employment_id,) if employment_id is not None else ()  # a tip leads to none


def evolve(row: Employment | None, heard: Heard, key: Any) -> Employment | None:
    if isinstance(heard.fact, EmploymentRegistered):
        return _registered(heard.fact, heard)
    if row is None:
        return None
    return but(row, version=heard.version, changed_at=heard.recorded_at, **_told(row, heard.fact))


def _told(row: Employment, fact: Any) -> dict[str, Any]:
    """What a fact changes of its row."""
    match fact:
        case ExpectedDaysChanged():
            return {"expected_days": fact.expected_days}
        case EmployerPlanRequested():
            situation = PlanStatus.REQUESTED
            return {"situation": situation, "request_id": fact.request_id, "due": fact.due, "file_fault": None}
        case PlanSubmitted() | PlanRevised():
            return _handed_in(fact)
        case PlanAssessed():
            return {
                "situation": PlanStatus.ASSESSED,
                "score": fact.score,
                "quality": fact.quality,
                "shortcomings": " ".join(fact.shortcomings),
            }
        case PlanFileRejected():
            situation = row.situation if row.situation in AT_HAND else FILE_UNREADABLE
            return {"situation": situation, "file_fault": fact.reason}
        case EmployerPlanNotReceived():
            return {"situation": PlanStatus.NOT_RECEIVED}
        case _:
            return {}


def _registered(fact: EmploymentRegistered, heard: Heard) -> Employment:
    return Employment(
        employment_id=fact.employment_id,
        number=heard.position,
        version=heard.version,
        case_id=fact.case_id,
        person_ref=fact.person_ref,
        org_nr=fact.org_nr,
        employment_kind=fact.employment_kind,
        spell_start=fact.spell_start,
        expected_days=fact.expected_days,
        situation=NOT_ASKED,
        changed_at=heard.recorded_at,
    )


def _handed_in(fact: PlanSubmitted | PlanRevised) -> dict[str, Any]:
    exempt = fact.exemption is not Exemption.NONE and not fact.activities
    return {
        "situation": PlanStatus.EXEMPT if exempt else PlanStatus.RECEIVED,
        "file_fault": None,
        "plan_id": fact.plan_id,
        "plan_version": fact.version,
        "channel": fact.channel,
        "exemption": fact.exemption,
        "submitted_at": fact.submitted_at,
        "spell_day": fact.spell_day,
        "score": None,
        "quality": None,
        "shortcomings": None,
    }


employments = View(
    name="employments",
    table=table,
    key="employment_id",
    row=Employment,
    keys=keys,
    evolve=evolve,
    sources=(OWN,),
    begins=frozenset({EmploymentRegistered.__name__}),
)


# --- asking ---


@record
class Found:
    """A row, its plan status on the day of reading, and what case-service told last: for how many days the incapacity
    may be assumed to last, and whether the case has ended."""

    row: Employment
    status: PlanStatus
    expected_days: int
    case_ended: bool


EXPECTED = sa.func.coalesce(cases.table.c.expected_days, table.c.expected_days)
ENDED = sa.func.coalesce(cases.table.c.ended, sa.false())
WITH_CASES = table.outerjoin(cases.table, cases.table.c.case_id == table.c.case_id)


def status_on(today: date, *, of_all: bool) -> sa.ColumnElement[str]:
    """The plan status on a day. An employer's reader (`of_all=False`) is told neither when the spell began nor whether
    FK expects 60 days: to it the status before a request or a plan is NOT_KNOWN on every day."""
    past = table.c.spell_start <= today - timedelta(days=PLAN_DAY)
    owed = sa.and_(EXPECTED >= PLAN_OWED_FROM_DAYS, table.c.employment_kind != EmploymentKind.SELF.value)
    unknown = sa.and_(past, owed) if of_all else sa.true()
    return sa.case(
        (sa.and_(table.c.situation == NOT_ASKED, unknown), PlanStatus.NOT_KNOWN.value),
        (table.c.situation == NOT_ASKED, PlanStatus.NOT_DUE.value),
        (table.c.situation == FILE_UNREADABLE, PlanStatus.RECEIVED.value),
        else_=table.c.situation,
    )


async def one(connection: AsyncConnection, employment_id: UUID, today: date, org_nr: str | None) -> Found | None:
    """An employment; for an employer (`org_nr` given) only one of its own."""
    return next(iter(await _find(connection, today, org_nr, table.c.employment_id == employment_id, 1)), None)


async def of_person(connection: AsyncConnection, person_ref: UUID, org_nr: str) -> Employment | None:
    """The newest employment of a person at an organisation: of several sick leaves, the one that goes on."""
    here = sa.and_(table.c.person_ref == person_ref, table.c.org_nr == org_nr)
    query = sa.select(table).select_from(WITH_CASES).where(here).order_by(ENDED, table.c.number.desc()).limit(1)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else Employment(**row)


async def some(
    connection: AsyncConnection, today: date, org_nr: str | None, status: PlanStatus | None, after: int, most: int
) -> list[Found]:
    """Employments registered after number `after`, oldest first, at most `most`."""
    wanted = table.c.number > after
    if status is not None:
        wanted = sa.and_(wanted, status_on(today, of_all=org_nr is None) == status.value)
    return await _find(connection, today, org_nr, wanted, most)


async def _find(
    connection: AsyncConnection, today: date, org_nr: str | None, wanted: sa.ColumnElement[bool], most: int
) -> list[Found]:
    told = (status_on(today, of_all=org_nr is None).label("status"), EXPECTED.label("told_days"), ENDED.label("ended"))
    query = sa.select(table, *told).select_from(WITH_CASES).where(wanted)
    if org_nr is not None:
        query = query.where(table.c.org_nr == org_nr)
    rows = (await connection.execute(query.order_by(table.c.number).limit(most))).mappings().all()
    return [
        Found(
            row=Employment(**{c.name: r[c.name] for c in table.columns}),
            status=PlanStatus(r["status"]),
            expected_days=r["told_days"],
            case_ended=r["ended"],
        )
        for r in rows
    ]
