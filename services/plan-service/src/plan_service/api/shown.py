"""What does each party see of an employment, and what may it do next?

A field that a party may not see is absent, not masked. To an employer these are the days and lengths that FK knows or
assumes (class D): it is told the day by which it is asked to answer, and what it has handed in itself.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from chassis.envelope import Actor
from chassis.http import Body
from contracts.plan import Channel, EmploymentKind, PlanActivity, PlanAssessed, PlanRevised, PlanSubmitted
from plan_service.api.relation import AT_FK, AT_THE_EMPLOYER, HANDLER, SPECIALIST, own_org
from plan_service.domain.plan import HandedIn, Plan, spell_day
from plan_service.views import AT_HAND, FILE_UNREADABLE, NOT_ASKED, Employment, Found, PlanStatus

WRITERS = (*AT_THE_EMPLOYER, HANDLER)


class Link(Body):
    """An address and the method to call it with. `match`: it needs If-Match with the ETag of what was read."""

    href: str
    method: str = "GET"
    match: bool = False


Links = Annotated[dict[str, Link], Field(alias="_links", description="What this caller may do now")]


class OpenRequest(Body):
    request_id: UUID
    due: date


class AssessmentShown(Body):
    version: int
    score: int
    quality: str
    shortcomings: list[str]


class PlanSummary(Body):
    """The newest version known."""

    plan_id: UUID
    version: int
    channel: str
    exemption: str
    submitted_at: AwareDatetime
    spell_day: int | None = None
    assessment: AssessmentShown | None = None


class EmploymentShown(Body):
    """An employment and how it stands with the plan. Absent fields are not for this caller, or not known."""

    employment_id: UUID
    case_id: UUID
    person_ref: UUID
    org_nr: str
    employment_kind: str
    workplace: str | None = None
    spell_start: date | None = None
    spell_day: int | None = None
    expected_days: int | None = None
    plan_status: PlanStatus
    request: OpenRequest | None = None
    file_fault: str | None = None
    plan: PlanSummary | None = None
    changed_at: AwareDatetime
    links: Links


class EmploymentPage(Body):
    items: list[EmploymentShown]
    next: str | None = Field(description="Send as `after` for the next page; null: there is none")


class DocumentShown(Body):
    document_ref: UUID
    sha256: str
    bytes: int


class ActivityShown(Body):
    activity_id: UUID
    kind: str
    description: str
    responsible: str | None
    start: date | None
    end: date | None
    follow_up: date | None
    target_pct: int | None


class VersionShown(Body):
    """One version of a plan, whole."""

    version: int
    submitted_at: AwareDatetime
    channel: str
    initiative: str | None = None
    spell_day: int | None = None
    drawn_up_on: date
    employee_consulted: bool
    not_consulted_reason: str | None
    exemption: str
    activities: list[ActivityShown]
    return_date: date | None
    document: DocumentShown | None
    changes: list[str]
    assessment: AssessmentShown | None


class PlanShown(Body):
    """A plan with all its versions, newest last."""

    plan_id: UUID
    employment_id: UUID
    versions: list[VersionShown]
    links: Links


# --- employments ---


def employment(found: Found, who: Actor, today: date, workplace: str | None = None) -> EmploymentShown:
    row = found.row
    seen: dict[str, Any] = {}
    if own_org(who) is None:
        seen |= {"spell_start": row.spell_start, "expected_days": row.expected_days}
        seen |= {"spell_day": spell_day(row.spell_start, today)}
    if workplace is not None:
        seen |= {"workplace": workplace}
    if row.request_id is not None and row.due is not None and row.situation == PlanStatus.REQUESTED:
        seen |= {"request": OpenRequest(request_id=row.request_id, due=row.due)}
    if row.file_fault is not None:
        seen |= {"file_fault": row.file_fault}
    if row.plan_id is not None:
        seen |= {"plan": _summary(row, who)}
    return EmploymentShown(
        employment_id=row.employment_id,
        case_id=row.case_id,
        person_ref=row.person_ref,
        org_nr=row.org_nr,
        employment_kind=row.employment_kind,
        plan_status=found.status,
        changed_at=row.changed_at,
        links=links(row, who),
        **seen,
    )


def _summary(row: Employment, who: Actor) -> PlanSummary:
    assert row.plan_id is not None
    seen: dict[str, Any] = {} if own_org(who) else {"spell_day": row.spell_day}
    if row.score is not None:
        seen["assessment"] = AssessmentShown(
            version=row.plan_version or 0,
            score=row.score,
            quality=row.quality or "",
            shortcomings=(row.shortcomings or "").split(),
        )
    return PlanSummary(
        plan_id=row.plan_id,
        version=row.plan_version or 0,
        channel=row.channel or "",
        exemption=row.exemption or "",
        submitted_at=row.submitted_at or row.changed_at,
        **seen,
    )


def links(row: Employment, who: Actor) -> dict[str, Link]:
    """The same rules as the decision table's, told beforehand: what is not here would be refused."""
    here = f"/v1/employments/{row.employment_id}"
    plan = f"{here}/plans/{row.plan_id}"
    offered = (
        ("self", True, AT_FK + AT_THE_EMPLOYER, Link(href=here)),
        ("requestPlan", _may_be_requested(row), (HANDLER,), Link(href=f"{here}/plan-requests", method="POST")),
        ("uploadDocument", True, WRITERS, Link(href=f"{here}/documents", method="POST")),
        ("submitPlan", _may_be_submitted(row), WRITERS, Link(href=f"{here}/plans", method="POST")),
        ("plan", row.plan_id is not None, AT_FK + AT_THE_EMPLOYER, Link(href=plan)),
        ("revisePlan", row.situation in AT_HAND, WRITERS, Link(href=f"{plan}/versions", method="POST", match=True)),
        (
            "assessPlan",
            row.situation == PlanStatus.RECEIVED,
            (HANDLER, SPECIALIST),
            Link(href=f"{plan}/assessments", method="POST", match=True),
        ),
    )
    return {name: link for name, possible, roles, link in offered if possible and who.role in roles}


def _may_be_requested(row: Employment) -> bool:
    if row.employment_kind == EmploymentKind.SELF or row.situation == PlanStatus.REQUESTED:
        return False
    doubtful = row.situation == PlanStatus.EXEMPT or row.channel == Channel.INSURED
    return row.situation not in AT_HAND or doubtful


def _may_be_submitted(row: Employment) -> bool:
    return row.situation in (NOT_ASKED, FILE_UNREADABLE, PlanStatus.REQUESTED, PlanStatus.NOT_RECEIVED)


# --- plans ---


def plan(found: Plan, who: Actor) -> PlanShown:
    newest = found.newest
    here = f"/v1/employments/{newest.employment_id}"
    links = {"self": Link(href=f"{here}/plans/{newest.plan_id}"), "employment": Link(href=here)}
    files = {v.document_ref: v for v in found.versions if v.document_ref is not None}
    links |= {f"document-{v.version}": Link(href=f"{here}/documents/{ref}") for ref, v in files.items()}
    return PlanShown(
        plan_id=newest.plan_id,
        employment_id=newest.employment_id,
        versions=[_version(v, found.assessments, who) for v in found.versions],
        links=links,
    )


def _version(v: HandedIn, assessments: Iterable[PlanAssessed], who: Actor) -> VersionShown:
    seen: dict[str, Any] = {} if own_org(who) else {"spell_day": v.spell_day}
    if isinstance(v, PlanSubmitted):
        seen |= {"initiative": v.initiative}
    return VersionShown(
        version=v.version,
        submitted_at=v.submitted_at,
        channel=v.channel,
        drawn_up_on=v.drawn_up_on,
        employee_consulted=v.employee_consulted,
        not_consulted_reason=v.not_consulted_reason,
        exemption=v.exemption,
        activities=[_activity(a) for a in v.activities],
        return_date=v.return_date,
        document=_document(v),
        changes=list(v.changes) if isinstance(v, PlanRevised) else [],
        assessment=next((_assessment(a) for a in assessments if a.version == v.version), None),
        **seen,
    )


def _document(v: HandedIn) -> DocumentShown | None:
    if v.document_ref is None or v.sha256 is None or v.bytes is None:
        return None
    return DocumentShown(document_ref=v.document_ref, sha256=v.sha256, bytes=v.bytes)


def _activity(a: PlanActivity) -> ActivityShown:
    return ActivityShown(
        activity_id=a.activity_id,
        kind=a.kind,
        description=a.description,
        responsible=a.responsible,
        start=a.start,
        end=a.end,
        follow_up=a.follow_up,
        target_pct=a.target_pct,
    )


def _assessment(a: PlanAssessed) -> AssessmentShown:
    return AssessmentShown(version=a.version, score=a.score, quality=a.quality, shortcomings=list(a.shortcomings))
