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
from contracts.plan import (
    Channel,
    EmploymentKind,
    MissCause,
    PlanActivity,
    PlanAssessed,
    PlanRevised,
    PlanSubmitted,
    SupervisionTipSent,
    TipGround,
    TipKind,
    TipOutcome,
)
from plan_service.api.bodies import Link
from plan_service.api.relation import AT_FK, AT_THE_EMPLOYER, HANDLER, INSPECTOR, SPECIALIST, TIPPERS, own_org
from plan_service.domain.activities import Progress, progress_of
from plan_service.domain.plan import HandedIn, Plan, spell_day
from plan_service.views.employments import AT_HAND, FILE_UNREADABLE, NOT_ASKED, Employment, Found, PlanStatus
from plan_service.views.timeline import Happening
from plan_service.views.tips import Tip, TipStatus

WRITERS = (*AT_THE_EMPLOYER, HANDLER)


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
    case_ended: bool | None = Field(None, description="FK only: FK has closed the case")
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


class ProgressShown(Body):
    """How far an activity of the newest version has come."""

    activity_id: UUID
    started_on: date | None = None
    completed_on: date | None = None
    missed_on: date | None = None
    cause: MissCause | None = Field(
        None, description="Why it was not done; absent while nobody has said, NOT_TOLD when the time to say so ran out"
    )
    links: Annotated[dict[str, Link], Field(alias="_links", description="What this caller may tell of it now")]


class HappeningShown(Body):
    """Something that happened. `about` is the id of what it concerns, `detail` the code that says most."""

    at: AwareDatetime
    event: str
    role: str
    about: UUID
    detail: str


class TipShown(Body):
    """A tip. To Arbetsmiljöverket: what was sent, and what it did itself."""

    tip_id: UUID
    org_nr: str
    status: TipStatus
    grounds: list[TipGround]
    kind: TipKind | None = None
    case_count: int | None = None
    sent_at: AwareDatetime | None = None
    acknowledged_on: date | None = None
    outcome: TipOutcome | None = None
    outcome_on: date | None = None
    workplace: str | None = Field(None, description="When one tip is read")
    facts: str | None = Field(None, description="When one tip is read")
    links: Links


class TipPage(Body):
    items: list[TipShown]
    next: str | None = Field(description="Send as `after` for the next page; null: there is none")


class TimelinePage(Body):
    items: list[HappeningShown]
    next: str | None = Field(description="Send as `after` for the next page; null: there is none")


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
    progress: list[ProgressShown] = Field(description="Of the activities of the newest version")
    links: Links


# --- employments ---


def employment(found: Found, who: Actor, today: date, workplace: str | None = None) -> EmploymentShown:
    row = found.row
    seen: dict[str, Any] = {}
    if own_org(who) is None:
        seen |= {"spell_start": row.spell_start, "expected_days": found.expected_days}
        seen |= {"spell_day": spell_day(row.spell_start, today), "case_ended": found.case_ended}
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
        links=links(row, who, case_ended=found.case_ended),
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


def links(row: Employment, who: Actor, *, case_ended: bool = False) -> dict[str, Link]:
    """The same rules as the decision table's, told beforehand: what is not here would be refused."""
    here = f"/v1/employments/{row.employment_id}"
    plan = f"{here}/plans/{row.plan_id}"
    offered = (
        ("self", True, AT_FK + AT_THE_EMPLOYER, Link(href=here)),
        (
            "requestPlan",
            not case_ended and _may_be_requested(row),
            (HANDLER,),
            Link(href=f"{here}/plan-requests", method="POST"),
        ),
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
        ("timeline", True, AT_FK + AT_THE_EMPLOYER, Link(href=f"{here}/timeline")),
        ("proposeTip", True, TIPPERS, Link(href="/v1/tips", method="POST")),
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


def plan(found: Plan, who: Actor, at_hand: bool) -> PlanShown:
    """`at_hand`: it is the plan that counts now, so something may be told of its activities."""
    newest = found.newest
    here = f"/v1/employments/{newest.employment_id}"
    links = {"self": Link(href=f"{here}/plans/{newest.plan_id}"), "employment": Link(href=here)}
    files = {v.document_ref: v for v in found.versions if v.document_ref is not None}
    links |= {f"document-{v.version}": Link(href=f"{here}/documents/{ref}") for ref, v in files.items()}
    return PlanShown(
        plan_id=newest.plan_id,
        employment_id=newest.employment_id,
        versions=[_version(v, found.assessments, who) for v in found.versions],
        progress=[_progress(a, found, who, at_hand) for a in newest.activities],
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


def _progress(a: PlanActivity, of: Plan, who: Actor, at_hand: bool) -> ProgressShown:
    come = progress_of(of.told, a.activity_id)
    told = {"started_on": come.started, "completed_on": come.completed, "missed_on": come.missed, "cause": come.cause}
    seen: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    here = f"/v1/employments/{of.newest.employment_id}/plans/{of.newest.plan_id}/activities/{a.activity_id}"
    open_to = at_hand and who.role in WRITERS and come.completed is None
    return ProgressShown(activity_id=a.activity_id, links=_steps(come, here) if open_to else {}, **seen)


def _steps(come: Progress, here: str) -> dict[str, Link]:
    """What would tell something new of an activity that is not done."""
    start = {} if come.started else {"start": Link(href=f"{here}/starts", method="POST")}
    return start | {
        "complete": Link(href=f"{here}/completions", method="POST"),
        "miss": Link(href=f"{here}/misses", method="POST"),
    }


def happened(row: Happening) -> HappeningShown:
    return HappeningShown(at=row.at, event=row.event, role=row.role, about=row.about, detail=row.detail)


def _assessment(a: PlanAssessed) -> AssessmentShown:
    return AssessmentShown(version=a.version, score=a.score, quality=a.quality, shortcomings=list(a.shortcomings))


# --- tips ---


def tip(row: Tip, who: Actor, sent: SupervisionTipSent | None = None) -> TipShown:
    seen: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("kind", "case_count", "sent_at", "acknowledged_on", "outcome", "outcome_on")
        if getattr(row, name) is not None
    }
    if sent is not None:
        seen |= {"workplace": sent.workplace, "facts": sent.facts}
    return TipShown(
        tip_id=row.tip_id,
        org_nr=row.org_nr,
        status=TipStatus(row.status),
        grounds=[TipGround(g) for g in row.grounds.split()],
        links=tip_links(row, who),
        **seen,
    )


def tip_links(row: Tip, who: Actor) -> dict[str, Link]:
    here = f"/v1/tips/{row.tip_id}"
    sent, known = row.status == TipStatus.SENT, row.status == TipStatus.ACKNOWLEDGED
    offered = (
        ("self", True, (*AT_FK, INSPECTOR), Link(href=here)),
        ("send", row.status == TipStatus.PROPOSED, TIPPERS, Link(href=f"{here}/sendings", method="POST")),
        ("acknowledge", sent, (INSPECTOR,), Link(href=f"{here}/acknowledgements", method="POST")),
        ("conclude", known, (INSPECTOR,), Link(href=f"{here}/outcomes", method="POST")),
    )
    return {name: link for name, possible, roles, link in offered if possible and who.role in roles}
