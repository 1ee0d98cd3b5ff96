"""What do we do about what others tell?

When a case is opened, or an employer's notice brings an employment to it, we know the employments it concerns. When the
time for a requested plan has run out, we record that it did."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.case import CaseEmployment, CaseOpened, EmployerSickNoticeReceived
from contracts.notification import TimerElapsed
from contracts.plan import EmploymentRegistered
from plan_service.days import local_day
from plan_service.domain.commands import LearnOfEmployment, RecordPlanNotReceived
from plan_service.domain.employment import employment

NOT_RECEIVED = "EMPLOYER_PLAN_NOT_RECEIVED"
"""The kind of timer that notification-service runs for a requested plan. It is about the employment."""

REMINDERS = 2
"""Reminders that go before the timer, by notification-service's rule for requested plans (+15 and +22 days [A])."""


def time_ran_out(heard: Heard, now: datetime) -> Sequence[Ask]:
    """A plan or a file that came meanwhile makes the command one that changes nothing."""
    elapsed = heard.fact
    assert isinstance(elapsed, TimerElapsed)
    if elapsed.kind != NOT_RECEIVED:
        return ()
    command = RecordPlanNotReceived(ran_out_on=local_day(elapsed.due_at), reminders=REMINDERS)
    return (Ask(aggregate=employment, id=elapsed.about, command=command, rule="plan-not-received"),)


def case_opened(heard: Heard, now: datetime) -> Sequence[Ask]:
    opened = heard.fact
    assert isinstance(opened, CaseOpened)
    return tuple(_register(opened, e, opened.expected_days, now) for e in opened.employments if e.org_nr is not None)


def notice_received(heard: Heard, now: datetime) -> Sequence[Ask]:
    """An employment that the case had already keeps its first registration. Of a new one it is known only how long sick
    pay was paid."""
    notice = heard.fact
    assert isinstance(notice, EmployerSickNoticeReceived)
    days = (notice.last_sick_pay_day - notice.spell_start) // timedelta(days=1) + 1
    return (_register(notice, notice.employment, days, now),)


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
    ("notification", "TimerElapsed"): time_ran_out,
}
