"""What do we do about what others tell?

When a case is opened, or an employer's notice brings an employment to it, we know the employments it concerns. When it
is extended, each of them is expected to last as long. When it is closed, no plan is asked for any more. When the time
for a requested plan, for an activity, or to say why it was not done, has run out, we record that it did."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chassis.days import local_day
from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.case import (
    CaseClosed,
    CaseEmployment,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    EmployerSickNoticeReceived,
)
from contracts.notification import TimerElapsed
from contracts.plan import EmploymentRegistered
from plan_service.domain.case_end import NoteEnd, NoteReopening, case_end
from plan_service.domain.commands import (
    FollowCase,
    LearnOfEmployment,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RecordPlanNotReceived,
)
from plan_service.domain.employment import employment

NOT_RECEIVED = "EMPLOYER_PLAN_NOT_RECEIVED"
"""The kind of timer that notification-service runs for a requested plan. It is about the employment."""

ACTIVITY_MISSED = "PLAN_ACTIVITY_MISSED"
"""The kind of timer that it runs for an activity of a plan. It is about the employment: which activities are late
follows from the plan."""

ACTIVITY_NOT_TOLD = "PLAN_ACTIVITY_NOT_TOLD"
"""The kind of timer that it runs for the question why an activity was not done. It is about the employment too."""


def time_ran_out(heard: Heard, now: datetime) -> Sequence[Ask]:
    """What came meanwhile, a plan, a file or word that an activity is done, makes the command one that changes
    nothing."""
    elapsed = heard.fact
    assert isinstance(elapsed, TimerElapsed)
    day = local_day(elapsed.due_at)
    match elapsed.kind:
        case kind if kind == NOT_RECEIVED:
            silence = RecordPlanNotReceived(ran_out_on=day, reminders=elapsed.reminders)
            return (Ask(aggregate=employment, id=elapsed.about, command=silence, rule="plan-not-received"),)
        case kind if kind == ACTIVITY_MISSED:
            late = RecordActivitiesMissed(ran_out_on=day)
            return (Ask(aggregate=employment, id=elapsed.about, command=late, rule="activity-missed"),)
        case kind if kind == ACTIVITY_NOT_TOLD:
            unanswered = RecordActivitiesNotTold(ran_out_on=day)
            return (Ask(aggregate=employment, id=elapsed.about, command=unanswered, rule="activity-not-told"),)
        case _:
            return ()


def case_closed(heard: Heard, now: datetime) -> Sequence[Ask]:
    closed = heard.fact
    assert isinstance(closed, CaseClosed)
    command = NoteEnd(case_id=closed.case_id, closed_at=closed.closed_at)
    return (Ask(aggregate=case_end, id=closed.case_id, command=command, rule="case-closed"),)


def case_reopened(heard: Heard, now: datetime) -> Sequence[Ask]:
    reopened = heard.fact
    assert isinstance(reopened, CaseReopened)
    command = NoteReopening(case_id=reopened.case_id, opening=reopened.opening)
    return (Ask(aggregate=case_end, id=reopened.case_id, command=command, rule="case-reopened"),)


def case_opened(heard: Heard, now: datetime) -> Sequence[Ask]:
    opened = heard.fact
    assert isinstance(opened, CaseOpened)
    return tuple(_register(opened, e, opened.expected_days, now) for e in opened.employments if e.org_nr is not None)


def notice_received(heard: Heard, now: datetime) -> Sequence[Ask]:
    """An employment that the case had already keeps its first registration. How long the incapacity may be assumed to
    last is the case's word for a new one too; where it was not told, sick pay was paid for so long at least."""
    notice = heard.fact
    assert isinstance(notice, EmployerSickNoticeReceived)
    paid = (notice.last_sick_pay_day - notice.spell_start) // timedelta(days=1) + 1
    return (_register(notice, notice.employment, notice.expected_days or paid, now),)


def case_extended(heard: Heard, now: datetime) -> Sequence[Ask]:
    extended = heard.fact
    assert isinstance(extended, CaseExtended)
    command = FollowCase(expected_days=extended.expected_days)
    return tuple(
        Ask(aggregate=employment, id=id, command=command, rule="case-extended") for id in extended.employment_ids
    )


def _register(
    told: CaseOpened | EmployerSickNoticeReceived, employment_of: CaseEmployment, days: int, now: datetime
) -> Ask:
    """The workplace is free text and so stays with the case."""
    assert employment_of.org_nr is not None
    registration = EmploymentRegistered(
        employment_id=employment_of.employment_id,
        case_id=told.case_id,
        person_ref=told.person_ref,
        org_nr=employment_of.org_nr,
        employment_kind=employment_of.employment_kind,
        workplace="",
        spell_start=told.spell_start,
        expected_days=days,
    )
    command = LearnOfEmployment(registration=registration, today=local_day(now))
    return Ask(aggregate=employment, id=registration.employment_id, command=command, rule="employment-of-a-case")


reactions: Mapping[tuple[str, str], Reaction] = {
    ("case", "CaseOpened"): case_opened,
    ("case", "EmployerSickNoticeReceived"): notice_received,
    ("case", "CaseExtended"): case_extended,
    ("case", "CaseClosed"): case_closed,
    ("case", "CaseReopened"): case_reopened,
    ("notification", "TimerElapsed"): time_ran_out,
}
