"""What exactly is written down when the table in `employment.py` says yes?"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.plan import (
    Channel,
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentRegistered,
    ExpectedDaysChanged,
    Initiative,
    MissCause,
    PlanActivity,
    PlanActivityCompleted,
    PlanActivityMissed,
    PlanActivityStarted,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
)
from plan_service.domain.activities import overdue, unexplained
from plan_service.domain.commands import (
    REQUEST_DAYS,
    CompleteActivity,
    DayNotCome,
    DueNotAhead,
    FollowCase,
    LearnOfEmployment,
    MissActivity,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RecordFileRejected,
    RecordPlanNotReceived,
    RegisterEmployment,
    RequestPlan,
    RevisePlan,
    SickLeaveInFuture,
    StartActivity,
    SubmitPlan,
)
from plan_service.domain.plan import Contents, check, check_activities, spell_day
from plan_service.domain.situations import Employment, PlanAtHand, Registered, plans


def next_plan_id(situation: Registered) -> UUID:
    """The id of the next plan: worked out, not drawn, so that two who hand in at once name the same plan."""
    return uuid5(situation.employment.registration.employment_id, f"plan/{len(plans(situation)) + 1}")


def next_request_id(known: Employment) -> UUID:
    """The id of the next request: worked out, not drawn, so that two who ask at once name the same request."""
    return uuid5(known.registration.employment_id, f"request/{len(known.requests) + 1}")


def registered(command: RegisterEmployment | LearnOfEmployment) -> EmploymentRegistered:
    if command.registration.spell_start > command.today:
        raise SickLeaveInFuture
    return command.registration


def expected_anew(command: FollowCase, known: Employment) -> ExpectedDaysChanged:
    told = known.registration
    return ExpectedDaysChanged(
        employment_id=told.employment_id,
        case_id=told.case_id,
        org_nr=told.org_nr,
        employment_kind=told.employment_kind,
        spell_start=told.spell_start,
        expected_days=command.expected_days,
    )


def requested(command: RequestPlan, known: Employment) -> EmployerPlanRequested:
    due = command.due or command.today + timedelta(days=REQUEST_DAYS)
    if due <= command.today:
        raise DueNotAhead
    return EmployerPlanRequested(
        request_id=next_request_id(known),
        employment_id=known.registration.employment_id,
        org_nr=known.registration.org_nr,
        due=due,
    )


def file_rejected(command: RecordFileRejected, known: Employment) -> PlanFileRejected:
    return PlanFileRejected(
        upload_id=command.upload_id,
        employment_id=known.registration.employment_id,
        org_nr=known.registration.org_nr,
        reason=command.reason,
        sha256=command.sha256,
    )


def submitted(command: SubmitPlan, situation: Registered) -> PlanSubmitted:
    c, known = command.contents, situation.employment
    check(c, command.today)
    plan_id = next_plan_id(situation)
    asked = bool(known.requests) and c.channel is not Channel.INSURED
    return PlanSubmitted(
        plan_id=plan_id,
        version=1,
        employment_id=known.registration.employment_id,
        person_ref=known.registration.person_ref,
        org_nr=known.registration.org_nr,
        channel=c.channel,
        initiative=Initiative.REQUESTED if asked else Initiative.OWN,
        submitted_at=command.at,
        spell_day=spell_day(known.registration.spell_start, command.today),
        drawn_up_on=c.drawn_up_on,
        employee_consulted=c.employee_consulted,
        not_consulted_reason=c.not_consulted_reason,
        exemption=c.exemption,
        activities=_activities(c, plan_id, 1),
        return_date=c.return_date,
        document_ref=c.document.document_ref if c.document else None,
        sha256=c.document.sha256 if c.document else None,
        bytes=c.document.bytes if c.document else None,
    )


def revised(command: RevisePlan, situation: PlanAtHand) -> PlanRevised:
    c, known, before = command.contents, situation.employment, situation.plan.newest
    check(c, command.today)
    check_activities(c, before)
    return PlanRevised(
        plan_id=before.plan_id,
        version=before.version + 1,
        employment_id=known.registration.employment_id,
        person_ref=known.registration.person_ref,
        org_nr=known.registration.org_nr,
        channel=c.channel,
        submitted_at=command.at,
        spell_day=spell_day(known.registration.spell_start, command.today),
        drawn_up_on=c.drawn_up_on,
        employee_consulted=c.employee_consulted,
        not_consulted_reason=c.not_consulted_reason,
        exemption=c.exemption,
        activities=_activities(c, before.plan_id, before.version + 1),
        return_date=c.return_date,
        document_ref=c.document.document_ref if c.document else None,
        sha256=c.document.sha256 if c.document else None,
        bytes=c.document.bytes if c.document else None,
        changes=command.changes,
    )


def _activities(contents: Contents, plan_id: UUID, version: int) -> tuple[PlanActivity, ...]:
    """An activity keeps the id it had in the version before; a new one gets one of its own."""
    return tuple(
        PlanActivity(
            activity_id=a.activity_id or uuid5(plan_id, f"activity/{version}/{number}"),
            kind=a.kind,
            description=a.description,
            responsible=a.responsible,
            start=a.start,
            end=a.end,
            follow_up=a.follow_up,
            target_pct=a.target_pct,
        )
        for number, a in enumerate(contents.activities, 1)
    )


def not_received(command: RecordPlanNotReceived, request: EmployerPlanRequested) -> EmployerPlanNotReceived:
    return EmployerPlanNotReceived(
        request_id=request.request_id,
        employment_id=request.employment_id,
        org_nr=request.org_nr,
        reminders=command.reminders,
        last_due=command.ran_out_on,
    )


# --- activities ---


def started(command: StartActivity, known: Employment) -> PlanActivityStarted:
    return PlanActivityStarted(at=_day_of(command), **_which(command, known))


def completed(command: CompleteActivity, known: Employment) -> PlanActivityCompleted:
    return PlanActivityCompleted(at=_day_of(command), **_which(command, known))


def missed(command: MissActivity, known: Employment) -> PlanActivityMissed:
    return PlanActivityMissed(at=_day_of(command), cause=command.cause, **_which(command, known))


def all_missed(command: RecordActivitiesMissed, situation: PlanAtHand) -> tuple[PlanActivityMissed, ...]:
    """Everything whose time is out by that day: several activities may end on one day, each with a timer of its own."""
    plan, day = situation.plan, command.ran_out_on
    return tuple(_silent(a, situation, day, None) for a in overdue(plan.newest.activities, plan.told, day))


def all_not_told(command: RecordActivitiesNotTold, situation: PlanAtHand) -> tuple[PlanActivityMissed, ...]:
    """Everything that was missed without a word, and of which nobody has said why by that day."""
    plan, day = situation.plan, command.ran_out_on
    return tuple(_silent(a, situation, day, MissCause.NOT_TOLD) for a in unexplained(plan.newest, plan.told, day))


def _silent(a: PlanActivity, situation: PlanAtHand, day: date, cause: MissCause | None) -> PlanActivityMissed:
    known = situation.employment.registration
    return PlanActivityMissed(
        plan_id=situation.plan.newest.plan_id,
        activity_id=a.activity_id,
        employment_id=known.employment_id,
        org_nr=known.org_nr,
        at=day,
        cause=cause,
    )


def _day_of(command: StartActivity | CompleteActivity | MissActivity) -> date:
    if command.on > command.today:
        raise DayNotCome
    return command.on


def _which(command: StartActivity | CompleteActivity | MissActivity, known: Employment) -> dict[str, Any]:
    told = known.registration
    return {
        "plan_id": command.plan_id,
        "activity_id": command.activity_id,
        "employment_id": told.employment_id,
        "org_nr": told.org_nr,
    }
