"""What does each party see of a case, and what may it do next? A field that a party may not see is absent."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from case_service.api.relation import AF, HANDLER, PERSON
from case_service.domain.referral import Sent
from case_service.domain.situations import Case, days_from
from case_service.views.cases import CaseRow, Status
from case_service.views.consents import GIVEN, ConsentRow
from case_service.views.deadlines import DeadlineRow
from case_service.views.plans import PlanRow
from case_service.views.referrals import WAITING, ReferralRow
from case_service.views.timeline import Happening
from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Body


class Link(Body):
    """An address and the method to call it with."""

    href: str
    method: str = "GET"


Links = Annotated[dict[str, Link], Field(alias="_links", description="What this caller may do now")]


class CaseSummary(Body):
    """A case in a list. `spellDay`, `chainDay` and `caseDay` are today's."""

    case_id: UUID
    person_ref: UUID
    status: str
    spell_start: date
    expected_end: date
    spell_day: int
    chain_day: int
    case_day: int
    handler_ref: str | None
    infos_waiting: int
    next_due_at: AwareDatetime | None
    links: Links


class CasePage(Body):
    items: list[CaseSummary]
    next: str | None = Field(description="Send as `after` for the next page; null: there is none")


class PersonFound(Body):
    person_ref: UUID
    cases: list[CaseSummary]


class PersonReferred(Body):
    person_ref: UUID


class PlanShown(Body):
    """The newest thing that plan-service told of the employment."""

    told: str
    plan_id: UUID | None
    version: int | None
    quality: str | None


class EmploymentShown(Body):
    employment_id: UUID
    org_nr: str | None
    employment_kind: str
    workplace: str
    plan: PlanShown | None


class DegreeShown(Body):
    start: date
    end: date
    incapacity_pct: int


class AssignmentShown(Body):
    handler_ref: str
    unit: str
    substitute_ref: str | None
    until: date | None


class DecisionShown(Body):
    decision_id: UUID
    need: bool
    types: list[str]
    responsible: list[str]
    person_view: str
    decided_at: AwareDatetime


class InfoShown(Body):
    info_id: UUID
    unit: str
    aim: str
    contact_wanted: bool
    sent_at: AwareDatetime
    acknowledged: bool


class ConsentShown(Body):
    consent_id: UUID
    scope: str
    counterparty: str
    purpose: str
    data_classes: list[str]
    valid_from: date
    valid_to: date
    form: str
    status: str
    ended_at: AwareDatetime | None
    links: Links


class ConsentList(Body):
    items: list[ConsentShown]


class ReferralSummary(Body):
    referral_id: UUID
    case_id: UUID
    purpose: str
    wished_by: date
    sent_at: AwareDatetime
    status: str
    officer_ref: str | None
    office: str | None
    reason: str | None
    links: Links


class ReferralPage(Body):
    items: list[ReferralSummary]
    next: str | None


class ReferralShown(Body):
    """A referral, whole."""

    referral_id: UUID
    case_id: UUID
    purpose: str
    person_id: str | None = None
    employment_status: str
    incapacity_pct: int
    function_summary: str
    need_types: list[str]
    wished_by: date
    sent_at: AwareDatetime


class DeadlineShown(Body):
    deadline_id: UUID
    kind: str
    about: UUID
    due_at: AwareDatetime
    owner_role: str
    missed: bool
    escalated_to: str | None


class CaseShown(Body):
    """A case and what surrounds it. Absent fields are not for this caller."""

    case_id: UUID
    person_ref: UUID
    status: str
    benefit: str
    spell_start: date
    expected_end: date
    expected_days: int
    spell_day: int
    chain_day: int
    case_day: int
    assignment: AssignmentShown | None
    employments: list[EmploymentShown]
    degrees: list[DegreeShown]
    certificates: list[UUID]
    assessments: list[UUID]
    need_level: str | None
    decision: DecisionShown | None
    infos: list[InfoShown]
    milestones: list[str]
    consents: list[ConsentShown]
    referrals: list[ReferralSummary]
    deadlines: list[DeadlineShown] | None = None
    outcome: str | None
    closed_at: AwareDatetime | None
    links: Links


class Happened(Body):
    """Something that happened, whoever told it."""

    at: AwareDatetime
    source: str
    position: int
    event: str
    role: str
    about: UUID | None
    detail: str


class TimelinePage(Body):
    items: list[Happened]
    next: str | None


# --- cases ---


def summary(row: CaseRow, today: date, due: datetime | None) -> CaseSummary:
    return CaseSummary(
        case_id=row.case_id,
        person_ref=row.person_ref,
        status=row.status,
        spell_start=row.spell_start,
        expected_end=row.expected_end,
        handler_ref=row.handler_ref,
        infos_waiting=row.infos_waiting,
        next_due_at=due,
        links={"self": Link(href=f"/v1/cases/{row.case_id}")},
        **_days(row, today),
    )


def _days(row: CaseRow, today: date) -> dict[str, int]:
    """The three counters; those of a closed case stand still."""
    on = local_day(row.closed_at) if row.closed_at is not None else today
    return {
        "spell_day": days_from(row.spell_start, on),
        "chain_day": days_from(row.chain_start, on),
        "case_day": days_from(local_day(row.opened_at), on),
    }


def case(
    row: CaseRow,
    known: Case,
    who: Actor,
    today: date,
    plans: Sequence[PlanRow],
    consents: Sequence[ConsentRow],
    referrals: Sequence[ReferralRow],
    deadlines: Sequence[DeadlineRow],
    *,
    newest: bool,
) -> CaseShown:
    """`newest`: has the person had no case after this one?"""
    seen: dict[str, Any] = {} if who.org_type == PERSON else {"deadlines": [_deadline(d) for d in deadlines]}
    a = known.assigned
    return CaseShown(
        case_id=row.case_id,
        person_ref=row.person_ref,
        status=row.status,
        benefit=row.benefit,
        spell_start=row.spell_start,
        expected_end=row.expected_end,
        expected_days=row.expected_days,
        assignment=a
        and AssignmentShown(handler_ref=a.handler_ref, unit=a.unit, substitute_ref=a.substitute_ref, until=a.until),
        employments=_employments(known, {p.employment_id: p for p in plans}),
        degrees=[DegreeShown(start=d.start, end=d.end, incapacity_pct=d.incapacity_pct) for d in known.degrees],
        certificates=[c.certificate_id for c in known.certificates],
        assessments=[a.assessment_id for a in known.assessments],
        need_level=row.need_level,
        decision=_decision(known),
        infos=_infos(known),
        milestones=[f"{m.counter}:{m.day}" for m in known.milestones],
        consents=[consent(c, today) for c in consents],
        referrals=[referral(r, who) for r in referrals],
        outcome=row.outcome,
        closed_at=row.closed_at,
        links=_links(row, who, newest),
        **_days(row, today),
        **seen,
    )


def _employments(known: Case, plans: Mapping[UUID, PlanRow]) -> list[EmploymentShown]:
    return [
        EmploymentShown(
            employment_id=e.employment_id,
            org_nr=e.org_nr,
            employment_kind=e.employment_kind,
            workplace=e.workplace,
            plan=PlanShown(told=p.told, plan_id=p.plan_id, version=p.plan_version, quality=p.quality)
            if (p := plans.get(e.employment_id))
            else None,
        )
        for e in known.employments
    ]


def _decision(known: Case) -> DecisionShown | None:
    d = known.newest_decision
    if d is None:
        return None
    return DecisionShown(
        decision_id=d.decision_id,
        need=d.need,
        types=list(d.types),
        responsible=list(d.responsible),
        person_view=d.person_view,
        decided_at=d.decided_at,
    )


def _infos(known: Case) -> list[InfoShown]:
    done = {a.info_id for a in known.acknowledged}
    return [
        InfoShown(
            info_id=i.info_id,
            unit=i.unit,
            aim=i.aim,
            contact_wanted=i.contact_wanted,
            sent_at=i.sent_at,
            acknowledged=i.info_id in done,
        )
        for i in known.infos
    ]


def _deadline(d: DeadlineRow) -> DeadlineShown:
    return DeadlineShown(
        deadline_id=d.deadline_id,
        kind=d.kind,
        about=d.about,
        due_at=d.due_at,
        owner_role=d.owner_role,
        missed=d.missed,
        escalated_to=d.escalated_to,
    )


def _links(row: CaseRow, who: Actor, newest: bool) -> dict[str, Link]:
    here = f"/v1/cases/{row.case_id}"
    links = {"self": Link(href=here), "timeline": Link(href=f"{here}/timeline")}
    if who.role not in (HANDLER, "person"):
        return links
    if row.status == Status.CLOSED:
        may = who.role == HANDLER and newest
        return links | ({"reopen": Link(href=f"{here}/reopening", method="POST")} if may else {})
    links["giveConsent"] = Link(href="/v1/consents", method="POST")
    if who.role == HANDLER:
        links |= {
            "assign": Link(href=f"{here}/assignment", method="PUT"),
            "extend": Link(href=f"{here}/extensions", method="POST"),
            "setDegree": Link(href=f"{here}/degrees", method="POST"),
            "completeIkr": Link(href=f"{here}/assessments", method="POST"),
            "decideNeed": Link(href=f"{here}/need-decisions", method="POST"),
            "close": Link(href=f"{here}/closing", method="POST"),
        }
    if who.role == HANDLER and row.need:
        links["referToAF"] = Link(href=f"{here}/referrals", method="POST")
    return links


# --- consents, referrals, timeline ---


def consent(row: ConsentRow, today: date) -> ConsentShown:
    standing = row.status == GIVEN and today <= row.valid_to
    links: dict[str, Link] = {}
    if standing:
        links["renew"] = Link(href="/v1/consents", method="POST")
        links["withdraw"] = Link(href=f"/v1/consents/{row.consent_id}/withdrawal", method="POST")
    return ConsentShown(
        consent_id=row.consent_id,
        scope=row.scope,
        counterparty=row.counterparty,
        purpose=row.purpose,
        data_classes=row.data_classes.split(),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        form=row.form,
        status=row.status,
        ended_at=row.ended_at,
        links=links,
    )


def referral(row: ReferralRow, who: Actor) -> ReferralSummary:
    here = f"/v1/referrals/{row.referral_id}"
    links = {"self": Link(href=here)}
    if who.org_type == AF and row.status == WAITING:
        links |= {
            "accept": Link(href=f"{here}/acceptance", method="POST"),
            "decline": Link(href=f"{here}/declination", method="POST"),
        }
    return ReferralSummary(
        referral_id=row.referral_id,
        case_id=row.case_id,
        purpose=row.purpose,
        wished_by=row.wished_by,
        sent_at=row.sent_at,
        status=row.status,
        officer_ref=row.officer_ref,
        office=row.office,
        reason=row.reason,
        links=links,
    )


def whole_referral(situation: Sent, who: Actor) -> ReferralShown:
    """The number is for AF, which has to know whom it is about; FK has it already."""
    sent = situation.sent
    seen: dict[str, Any] = {"person_id": sent.person_id} if who.org_type == AF else {}
    return ReferralShown(
        referral_id=sent.referral_id,
        case_id=sent.case_id,
        purpose=sent.purpose,
        employment_status=sent.employment_status,
        incapacity_pct=sent.incapacity_pct,
        function_summary=sent.function_summary,
        need_types=list(sent.need_types),
        wished_by=sent.wished_by,
        sent_at=sent.sent_at,
        **seen,
    )


def happened(h: Happening) -> Happened:
    return Happened(
        at=h.at, source=h.source, position=h.position, event=h.event, role=h.role, about=h.about, detail=h.detail
    )
