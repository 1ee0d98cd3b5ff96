"""The rules of one case from the first day to the last reminder, as the rule file says them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderDue,
    ReminderWithdrawn,
    StepsPlanned,
    TimerElapsed,
)
from contracts.plan import Exemption
from notification_service.domain.message import RecordReminderFailed, RecordReminderSent

Day = Callable[..., datetime]


def kinds(facts: list[Any]) -> list[str]:
    return [f.kind for f in facts]


def test_an_employment_of_60_days_or_more_gets_a_plan_deadline_on_spell_day_30(case: Any, day: Day) -> None:
    case.registered(3)
    (deadline,) = case.told(DeadlineSet)
    assert (deadline.kind, deadline.due_at) == ("EMPLOYER_PLAN", day(30, "23:59:59"))
    assert (deadline.owner_role, deadline.owner_ref) == ("emp.hr", "employer:5560125790")


def test_59_expected_days_give_no_deadline(case: Any) -> None:
    case.registered(3, expected=59)
    assert case.facts == []


def test_the_self_employed_have_no_employer_to_wait_for(case: Any) -> None:
    case.registered(3, kind="SELF")
    assert case.facts == []


def test_on_day_25_the_employer_is_reminded_of_the_duty_by_portal_and_e_mail(case: Any, day: Day) -> None:
    case.registered(3)
    case.until(25, "08:59")
    assert case.told(ReminderDue) == []
    case.until(25, "09:00")
    assert [(r.template_id, r.channel.value, r.due_at) for r in case.told(ReminderDue)] == [
        ("plan-duty", "PORTAL", day(25, "09:00")),
        ("plan-duty", "EMAIL", day(25, "09:00")),
    ]


def test_a_plan_before_day_25_keeps_everybody_quiet(case: Any) -> None:
    case.registered(3)
    case.submitted(20)
    case.assessed(21)
    case.until(200)
    assert case.told(ReminderDue, DeadlineMissed, DeadlineEscalated, TimerElapsed) == []
    assert kinds(case.told(DeadlineMet)) == ["EMPLOYER_PLAN", "ASSESS_PLAN"]


def test_day_31_without_a_plan_is_a_task_for_the_handler_and_no_breach(case: Any, day: Day) -> None:
    case.registered(3)
    case.until(31, "06:00")
    assert kinds(case.told(DeadlineSet)) == ["EMPLOYER_PLAN", "REQUEST_PLAN"]
    task = case.told(DeadlineSet)[-1]
    assert (task.owner_role, task.due_at) == ("fk.handler", day(38, "23:59:59"))
    assert case.told(DeadlineMissed) == []


def test_requesting_the_plan_meets_the_handlers_task(case: Any) -> None:
    case.registered(3)
    case.until(31)
    case.requested(32)
    assert kinds(case.told(DeadlineMet)) == ["REQUEST_PLAN"]


def test_a_plan_requested_before_day_31_makes_the_task_needless(case: Any) -> None:
    case.registered(3)
    case.requested(20)
    case.until(31)
    assert "REQUEST_PLAN" not in kinds(case.told(DeadlineSet))


def test_a_silent_employer_is_reminded_twice_and_then_counted_as_not_having_handed_in(case: Any, day: Day) -> None:
    case.registered(3)
    case.until(31)
    case.requested(32)
    case.facts.clear()
    case.until(32 + 40)
    said = [(type(f).__name__, getattr(f, "due_at", None)) for f in case.facts]
    assert said == [
        ("DeadlineMissed", day(46, "23:59:59")),
        ("ReminderDue", day(47, "09:00")),
        ("ReminderDue", day(54, "09:00")),
        ("TimerElapsed", day(61, "06:00")),
        ("DeadlineEscalated", day(46, "23:59:59")),
    ]
    (elapsed,) = case.told(TimerElapsed)
    assert elapsed.kind == "EMPLOYER_PLAN_NOT_RECEIVED"
    assert [r.attempt for r in case.told(ReminderDue)] == [1, 2]


@pytest.mark.parametrize(("reaching", "told"), [((True, True), 2), ((True, False), 1), ((False, False), 0)])
def test_the_timer_says_how_many_reminders_were_handed_over(case: Any, reaching: Sequence[bool], told: int) -> None:
    case.requested(32)
    for day, reached in zip((47, 54), reaching, strict=True):
        case.until(day)
        reminder = case.told(ReminderDue)[-1].reminder_id
        failed = RecordReminderFailed(reminder_id=reminder, cause="no-contact")
        case.ask(RecordReminderSent(reminder_id=reminder) if reached else failed)
    case.until(61)
    assert [e.reminders for e in case.told(TimerElapsed)] == [told]


def test_a_reminder_that_went_by_two_channels_is_counted_once(case: Any) -> None:
    case.registered(3)
    case.until(25)
    portal, mail = case.told(ReminderDue)
    for due in (portal, mail):
        case.ask(RecordReminderSent(reminder_id=due.reminder_id))
    assert [len(gone) for gone in case.agenda.reminded.values()] == [1]


def test_when_no_plan_was_received_a_tip_is_assessed_within_six_days_or_managers_hear_of_it(
    case: Any, day: Day
) -> None:
    case.requested(32)
    case.until(61)
    case.not_received(61)
    case.facts.clear()
    case.until(90)
    assert [
        (type(f).__name__, f.due_at, getattr(f, "to_role", f.owner_role if isinstance(f, DeadlineMissed) else ""))
        for f in case.facts
    ] == [
        ("DeadlineMissed", day(67, "23:59:59"), "fk.handler"),
        ("DeadlineEscalated", day(67, "23:59:59"), "fk.unit_manager"),
        ("DeadlineEscalated", day(67, "23:59:59"), "fk.collab_lead"),
    ]
    assert [f.attempt for f in case.told(DeadlineEscalated)] == [1, 2]


def test_escalation_comes_seven_and_fourteen_days_after_the_due_day(case: Any) -> None:
    case.not_received(61)
    for day, roles in ((68, 0), (74, 1), (80, 1), (81, 2)):
        case.until(day, "06:00")
        assert len(case.told(DeadlineEscalated)) == roles


def test_a_plan_after_the_last_reminder_closes_the_request_and_takes_the_tip_away(case: Any, day: Day) -> None:
    case.requested(32)
    case.until(61)
    case.not_received(61)
    case.submitted(63)
    assert kinds(case.told(DeadlineMet)) == ["REQUESTED_PLAN"]
    assert case.told(DeadlineMet)[0].met_at == day(63)
    assert [(c.kind, c.reason) for c in case.told(DeadlineCancelled)] == [("ASSESS_TIP", "PlanSubmitted")]


def test_a_plan_before_the_request_does_not_answer_it(case: Any) -> None:
    case.registered(3)
    case.submitted(20)
    case.requested(32)
    case.until(47)
    assert kinds(case.told(DeadlineMissed)) == ["ASSESS_PLAN", "REQUESTED_PLAN"]


def test_one_plan_answers_both_of_two_requests(case: Any) -> None:
    case.requested(32, request="first")
    case.requested(40, request="second")
    case.submitted(41)
    assert kinds(case.told(DeadlineMet)) == ["REQUESTED_PLAN", "REQUESTED_PLAN"]


def test_a_revised_plan_answers_a_request(case: Any) -> None:
    case.submitted(20)
    case.requested(32)
    case.revised(33)
    assert "REQUESTED_PLAN" in kinds(case.told(DeadlineMet))


def test_a_file_that_cannot_be_read_stops_the_clock_and_asks_for_another(case: Any) -> None:
    case.requested(32)
    case.file_rejected(33)
    assert kinds(case.told(DeadlineMet)) == ["REQUESTED_PLAN"]
    case.until(34, "09:00")
    assert [r.template_id for r in case.told(ReminderDue)] == ["new-file", "new-file"]


def test_two_employments_of_one_case_are_kept_apart(case: Any) -> None:
    case.registered(3, job="a")
    case.registered(3, job="b")
    case.submitted(20, job="a", plan="of a")
    case.until(31)
    assert len({r.about for r in case.told(ReminderDue)}) == 1
    assert kinds(case.told(DeadlineMet)) == ["EMPLOYER_PLAN"]


def test_an_employment_registered_after_day_30_gets_no_pre_reminder_but_a_task_at_once(case: Any, day: Day) -> None:
    case.registered(40)
    case.until(40, "12:00")
    assert case.told(ReminderDue) == []
    assert [(d.kind, d.due_at) for d in case.told(DeadlineSet)] == [
        ("EMPLOYER_PLAN", day(30, "23:59:59")),
        ("REQUEST_PLAN", day(47, "23:59:59")),
    ]


def test_an_employment_registered_on_day_27_is_reminded_at_once_within_the_allowed_hours(case: Any, day: Day) -> None:
    case.registered(26, clock="21:00")
    case.until(27)
    assert {r.due_at for r in case.told(ReminderDue)} == {day(27, "09:00")}


def test_each_version_of_a_plan_is_assessed_and_a_revision_takes_the_earlier_task_away(case: Any, day: Day) -> None:
    case.submitted(20)
    case.revised(25)
    assert [(c.kind, c.reason) for c in case.told(DeadlineCancelled)] == [("ASSESS_PLAN", "PlanRevised")]
    assert [d.due_at for d in case.told(DeadlineSet)] == [day(30, "23:59:59"), day(35, "23:59:59")]
    case.assessed(26, version=1)
    assert case.told(DeadlineMet) == []
    case.assessed(27, version=2)
    assert kinds(case.told(DeadlineMet)) == ["ASSESS_PLAN"]


def test_two_revisions_at_the_same_moment_leave_only_the_newest_version_to_assess(case: Any) -> None:
    """So it is while a simulated clock stands."""
    case.submitted(20)
    case.revised(20, version=2)
    case.revised(20, version=3)
    assert kinds(case.told(DeadlineCancelled)) == ["ASSESS_PLAN", "ASSESS_PLAN"]
    case.assessed(21, version=3)
    assert kinds(case.told(DeadlineMet)) == ["ASSESS_PLAN"]
    case.until(60)
    assert case.told(DeadlineMissed) == []


def test_a_ground_for_having_no_activities_is_looked_at_not_scored_and_a_request_settles_it(case: Any) -> None:
    case.submitted(20, ground=Exemption.HEALTH_EXCLUDES)
    assert kinds(case.told(DeadlineSet)) == ["CHECK_EXEMPTION"]
    case.requested(24)
    assert kinds(case.told(DeadlineMet)) == ["CHECK_EXEMPTION"]


def test_a_new_request_takes_the_task_to_assess_the_plan_before_it_away(case: Any) -> None:
    case.submitted(20)
    case.requested(24)
    assert [(c.kind, c.reason) for c in case.told(DeadlineCancelled)] == [("ASSESS_PLAN", "EmployerPlanRequested")]


def test_registering_again_after_the_plan_has_come_does_not_bring_the_deadline_back(case: Any) -> None:
    case.registered(3, expected=30)
    case.submitted(20)
    case.registered(35, expected=90)
    case.until(60)
    assert kinds(case.told(DeadlineSet)) == ["ASSESS_PLAN"]


def test_a_message_still_waiting_when_the_plan_comes_is_withdrawn(case: Any) -> None:
    case.registered(3)
    case.until(25)
    case.submitted(25)
    assert len(case.told(ReminderWithdrawn)) == 2


def test_hearing_an_event_twice_changes_nothing(case: Any) -> None:
    for _ in range(2):
        case.registered(3)
        case.requested(20)
        case.submitted(25)
    once = [type(f) for f in case.facts]
    assert once.count(DeadlineSet) == 3
    assert once.count(StepsPlanned) == 3
    assert once.count(DeadlineMet) == 2
