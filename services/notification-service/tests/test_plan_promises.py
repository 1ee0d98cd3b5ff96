"""What a plan promises and what becomes of it, and a tip that stands in no case."""

from collections.abc import Callable
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
    TimerElapsed,
)
from contracts.plan import MissCause

Day = Callable[..., datetime]


def kinds(case: Any, what: type[Any]) -> list[str]:
    return [f.kind for f in case.told(what)]


def elapsed(case: Any) -> list[datetime]:
    return [f.due_at for f in case.told(TimerElapsed) if f.kind == "PLAN_ACTIVITY_MISSED"]


# --- row 12 ---


def test_each_activity_with_a_last_day_is_a_deadline_of_the_employer(case: Any, day: Day) -> None:
    case.submitted(20, activities={"a": 40, "b": 50, "open": None})
    told = [f for f in case.told(DeadlineSet) if f.kind == "PLAN_ACTIVITY"]
    assert [f.due_at for f in told] == [day(40, "23:59:59"), day(50, "23:59:59")]
    assert {f.owner_ref for f in told} == {"employer:5560125790"}


@pytest.mark.parametrize(
    ("up_to", "clock", "told"), [(46, "23:59", 0), (47, "05:59", 0), (47, "06:00", 1), (48, "06:00", 1)]
)
def test_seven_days_after_an_activitys_last_day_plan_service_is_told(
    case: Any, day: Day, up_to: int, clock: str, told: int
) -> None:
    case.submitted(20, activities={"a": 40})
    case.until(up_to, clock)
    assert elapsed(case) == [day(47, "06:00")] * told


@pytest.mark.parametrize("done", [30, 40, 46])
def test_an_activity_told_as_done_before_that_day_is_not_asked_for(case: Any, done: int) -> None:
    case.submitted(20, activities={"a": 40})
    case.completed(done)
    case.until(200)
    assert elapsed(case) == []
    assert "PLAN_ACTIVITY" in kinds(case, DeadlineMet)


def test_one_told_as_done_on_that_day_after_the_morning_comes_too_late_for_the_timer_and_meets_it_still(
    case: Any, day: Day
) -> None:
    case.submitted(20, activities={"a": 40})
    case.until(47, "06:00")
    case.completed(47)
    assert (elapsed(case), "PLAN_ACTIVITY" in kinds(case, DeadlineMet)) == ([day(47, "06:00")], True)


def test_a_revised_plan_has_its_own_days_and_leaves_what_is_done_alone(case: Any, day: Day) -> None:
    case.submitted(20, activities={"a": 40, "b": 50})
    case.completed(30, "a")
    case.revised(35, activities={"a": 40, "b": 60})
    case.until(200)
    assert elapsed(case) == [day(67, "06:00")]


def test_the_employer_is_reminded_the_same_day_and_the_handler_is_told_when_nobody_says_what_became_of_it(
    case: Any, day: Day
) -> None:
    case.activity_missed(47)
    case.until(54)
    assert {(r.template_id, r.due_at) for r in case.told(ReminderDue)} == {("activity-missed", day(47, "09:00"))}
    assert kinds(case, DeadlineMissed) == []
    case.until(55)
    assert (kinds(case, DeadlineMissed), [f.to_role for f in case.told(DeadlineEscalated)]) == (
        ["ACTIVITY_NOT_TOLD"],
        ["fk.handler"],
    )


def unanswered(case: Any) -> list[datetime]:
    return [f.due_at for f in case.told(TimerElapsed) if f.kind == "PLAN_ACTIVITY_NOT_TOLD"]


@pytest.mark.parametrize(("up_to", "clock", "told"), [(54, "23:59", 0), (55, "05:59", 0), (55, "06:00", 1)])
def test_seven_days_without_a_word_of_why_plan_service_is_told(
    case: Any, day: Day, up_to: int, clock: str, told: int
) -> None:
    case.submitted(20, activities={"a": 40})
    case.activity_missed(47)
    case.until(up_to, clock)
    assert unanswered(case) == [day(55, "06:00")] * told
    employment = {f.about for f in case.told(DeadlineSet) if f.kind == "PLAN_ACTIVITY"}
    assert {f.about for f in case.told(TimerElapsed)} <= employment


@pytest.mark.parametrize("answers", ["done", "why", "revised"])
def test_who_has_answered_in_time_was_not_silent(case: Any, answers: str) -> None:
    case.submitted(20, activities={"a": 40})
    case.activity_missed(47)
    match answers:
        case "done":
            case.completed(54)
        case "why":
            case.activity_missed(54, cause=MissCause.PERSON)
        case _:
            case.revised(54, activities={"a": 40})
    case.until(200)
    assert unanswered(case) == []


def test_that_nobody_answered_is_no_answer(case: Any) -> None:
    case.activity_missed(47)
    case.until(55)
    case.activity_missed(55, cause=MissCause.NOT_TOLD)
    assert kinds(case, DeadlineMet) == []
    case.activity_missed(60, cause=MissCause.HEALTH)
    assert kinds(case, DeadlineMet) == ["ACTIVITY_NOT_TOLD"]


@pytest.mark.parametrize("cause", [c for c in MissCause if c is not MissCause.NOT_TOLD])
def test_a_cause_told_afterwards_answers_the_question(case: Any, cause: MissCause) -> None:
    case.activity_missed(47)
    case.activity_missed(49, cause=cause)
    case.until(200)
    assert kinds(case, DeadlineMet) == ["ACTIVITY_NOT_TOLD"]


def test_a_cause_told_at_once_needs_no_reminder(case: Any) -> None:
    case.activity_missed(47, cause=MissCause.HEALTH)
    case.until(200)
    assert case.told(DeadlineSet, ReminderDue) == []


@pytest.mark.parametrize("first", [MissCause.EMPLOYER, MissCause.NOT_TOLD])
def test_the_second_activity_missed_because_of_the_employer_has_a_tip_assessed(
    case: Any, day: Day, first: MissCause
) -> None:
    case.activity_missed(40, "a", first)
    assert case.told(DeadlineSet) == []
    case.activity_missed(50, "b", MissCause.EMPLOYER)
    (task,) = case.told(DeadlineSet)
    assert (task.kind, task.owner_role, task.due_at) == ("ASSESS_TIP", "fk.handler", day(56, "23:59:59"))


def test_the_same_activity_missed_twice_counts_once(case: Any) -> None:
    case.activity_missed(40, "a", MissCause.EMPLOYER)
    case.activity_missed(60, "a", MissCause.EMPLOYER)
    assert case.told(DeadlineSet) == []


@pytest.mark.parametrize("cause", [MissCause.PERSON, MissCause.HEALTH, MissCause.OTHER, None])
def test_what_was_missed_for_another_cause_is_not_counted(case: Any, cause: MissCause | None) -> None:
    case.activity_missed(40, "a", cause)
    case.activity_missed(50, "b", MissCause.EMPLOYER)
    assert "ASSESS_TIP" not in kinds(case, DeadlineSet)


def test_the_end_of_the_case_ends_its_activities_and_the_messages_that_wait(case: Any) -> None:
    case.submitted(20, activities={"a": 40, "b": 50})
    case.closed(30)
    facts = len(case.facts)
    case.until(200)
    assert case.facts[facts:] == []
    assert kinds(case, DeadlineCancelled).count("PLAN_ACTIVITY") == 2


def test_after_a_week_off_activities_are_told_once_with_their_true_days(new_case: Callable[[], Any]) -> None:
    awake, asleep = new_case(), new_case()
    for played in (awake, asleep):
        played.submitted(20, activities={"a": 40, "b": 44})
        played.until(42)
    for n in range(43, 54):
        awake.until(n)
    asleep.until(53)
    assert asleep.facts == awake.facts
    assert len(elapsed(asleep)) == 2


def test_an_activity_done_during_a_week_off_is_not_called_missing(case: Any) -> None:
    case.submitted(20, activities={"a": 40})
    case.until(42)
    case.completed(45)  # heard on day 50, two days before the timer would have come
    case.until(50)
    assert elapsed(case) == []


# --- row 13 ---


@pytest.mark.parametrize(("up_to", "clock", "missed"), [(37, "23:59", 0), (38, "05:59", 0), (38, "06:00", 1)])
def test_av_acknowledges_a_tip_in_ten_working_days(case: Any, day: Day, up_to: int, clock: str, missed: int) -> None:
    case.tipped(20)  # Saturday 21 March 2026; Good Friday and Easter Monday lie between
    (told,) = case.told(DeadlineSet)
    assert (told.kind, told.owner_role, told.due_at) == ("ACKNOWLEDGE_TIP", "av.inspector", day(37, "23:59:59"))
    case.until(up_to, clock)
    assert kinds(case, DeadlineMissed) == ["ACKNOWLEDGE_TIP"] * missed


def test_a_tip_that_nobody_acknowledges_is_told_to_who_answers_for_cooperation(case: Any) -> None:
    case.tipped(18)
    case.until(60)
    assert [(r.recipient_ref, r.channel.value) for r in case.told(ReminderDue)] == [("role:av.inspector", "PORTAL")]
    assert [f.to_role for f in case.told(DeadlineEscalated)] == ["fk.collab_lead"]


def test_a_tip_acknowledged_in_time_keeps_everybody_quiet(case: Any) -> None:
    case.tipped(18)
    case.tip_acknowledged(30)
    case.until(200)
    assert kinds(case, DeadlineMet) == ["ACKNOWLEDGE_TIP"]
    assert case.told(DeadlineMissed, ReminderDue, DeadlineEscalated) == []


def test_the_end_of_a_case_leaves_a_tip_alone(case: Any) -> None:
    case.tipped(18)
    case.closed(20)
    assert kinds(case, DeadlineCancelled) == []
