"""The service was off for a while: what it hears afterwards, and what time does then."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from contracts.notification import (
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderDue,
    StepsPlanned,
    TimerElapsed,
)

Day = Callable[..., datetime]


def test_after_a_week_off_everything_that_fell_due_fires_once_in_order_with_its_true_date(
    new_case: Callable[[], Any],
) -> None:
    awake, asleep = new_case(), new_case()
    for played in (awake, asleep):
        played.registered(3)
    for day in range(24, 33):
        awake.until(day)
    asleep.until(23)
    asleep.until(32)
    assert asleep.facts == awake.facts


def test_a_plan_that_came_in_time_during_the_outage_is_not_called_missing(case: Any) -> None:
    case.requested(10)
    case.until(20)
    case.submitted(23)  # heard on day 27, three days after the due day
    case.until(27)
    assert case.told(DeadlineMissed, ReminderDue) == []
    assert [m.kind for m in case.told(DeadlineMet)] == ["REQUESTED_PLAN"]


def test_a_plan_that_came_too_late_during_the_outage_was_missed_first_and_is_met_then(case: Any, day: Day) -> None:
    case.requested(10)
    case.until(20)
    case.submitted(26)
    assert case.told(DeadlineMissed, DeadlineMet) == []
    case.until(27)
    missed, met = case.told(DeadlineMissed, DeadlineMet)
    assert (missed.due_at, met.met_at) == (day(24, "23:59:59"), day(26))
    assert case.told(ReminderDue) == []  # the matter is settled: nobody is reminded any more


def test_it_is_told_as_missed_only_when_all_sources_have_been_heard_because_another_may_have_settled_it_in_time(
    case: Any,
) -> None:
    case.requested(10)
    case.submitted(26)
    case.file_rejected(23)  # another source, heard later, happened earlier
    assert [m.kind for m in case.told(DeadlineMet)] == ["REQUESTED_PLAN"]
    case.until(40)
    assert "REQUESTED_PLAN" not in [m.kind for m in case.told(DeadlineMissed)]


def test_a_late_plan_leaves_only_the_miss_to_be_told(case: Any) -> None:
    case.requested(10)
    case.until(20)
    case.submitted(26)
    plan = case.told(StepsPlanned)[1]
    assert [s.does.value for s in plan.steps] == ["MISS"]


def test_a_year_off_still_ends_with_every_step_once(case: Any) -> None:
    case.registered(3)
    case.requested(10)
    case.until(400)
    case.until(800)
    assert len(case.told(TimerElapsed)) == 1
    assert [d.kind for d in case.told(DeadlineSet)] == ["EMPLOYER_PLAN", "REQUESTED_PLAN"]
    assert len(case.told(ReminderDue)) == 4
