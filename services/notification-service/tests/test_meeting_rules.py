"""A meeting: who is asked and reminded, what it leaves to be done, and what a move, a no or an end makes needless."""

from collections.abc import Callable
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from contracts.meeting import Party
from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderDue,
)

Day = Callable[..., datetime]
EMPLOYER = "employer:5560125790"
FK = "fk:2021005521"


def of(case: Any, kind: str, what: type[Any]) -> list[Any]:
    return [f for f in case.told(what) if f.kind == kind]


def soon(case: Any) -> list[tuple[str, str, datetime]]:
    told = [r for r in case.told(ReminderDue) if r.template_id == "meeting-soon"]
    return [(r.recipient_ref.split(":")[0], r.channel.value, r.due_at) for r in told]


# --- row 21 ---


def test_everybody_but_the_caller_is_told_at_once_and_answers_within_five_days(case: Any, day: Day) -> None:
    case.called(20)
    told = of(case, "ANSWER_MEETING", DeadlineSet)
    assert [(f.owner_role, f.due_at) for f in told] == [
        ("person", day(25, "23:59:59")),
        ("emp.hr", day(25, "23:59:59")),
    ]
    case.until(20)
    assert {(r.template_id, r.due_at) for r in case.told(ReminderDue)} == {("meeting-called", day(20))}


@pytest.mark.parametrize(("up_to", "clock", "missed"), [(25, "23:59", 0), (26, "05:59", 0), (26, "06:00", 2)])
def test_no_answer_is_missed_on_the_morning_after_the_fifth_day(case: Any, up_to: int, clock: str, missed: int) -> None:
    case.called(20)
    case.until(up_to, clock)
    assert len(of(case, "ANSWER_MEETING", DeadlineMissed)) == missed


@pytest.mark.parametrize("answer", ["YES", "NO", "NEW_TIME"])
def test_whatever_is_answered_is_an_answer_of_that_party_alone(case: Any, answer: str) -> None:
    case.called(20)
    case.answered(25, EMPLOYER, answer)
    case.until(30)
    assert len(of(case, "ANSWER_MEETING", DeadlineMet)) == 1
    assert [f.owner_role for f in of(case, "ANSWER_MEETING", DeadlineMissed)] == ["person"]


@pytest.mark.parametrize(
    ("up_to", "clock", "reminded"),
    [
        (57, "23:59", []),
        (58, "08:59", []),
        (58, "09:00", ["PORTAL", "EMAIL"]),
        (59, "09:00", ["PORTAL", "EMAIL", "SMS"]),
    ],
)
def test_two_days_before_by_portal_and_e_mail_and_the_day_before_by_sms(
    case: Any, up_to: int, clock: str, reminded: list[str]
) -> None:
    case.called(20, to=60)
    case.until(up_to, clock)
    assert [channel for who, channel, _ in soon(case) if who == "person"] == reminded


def test_a_reminder_whose_day_is_a_holiday_goes_out_before_it_and_never_after_the_meeting(case: Any, day: Day) -> None:
    case.called(20, to=57)  # Monday 27 April; the day before is a Sunday
    case.until(57)
    assert {at for _, channel, at in soon(case) if channel == "SMS"} == {day(55, "09:00")}


def test_called_at_short_notice_only_what_still_makes_sense_is_sent(case: Any, day: Day) -> None:
    case.called(20, to=21)
    case.until(30)
    assert {(channel, at) for _, channel, at in soon(case)} == {("SMS", day(20))}


def test_who_has_said_no_is_not_reminded(case: Any) -> None:
    case.called(20)
    case.answered(22, EMPLOYER, "NO")
    case.until(70)
    assert {who for who, _, _ in soon(case)} == {"person"}


def test_after_a_move_everybody_is_asked_anew_and_reminded_of_the_new_day_only(case: Any, day: Day) -> None:
    case.called(20, to=60)
    case.answered(22, EMPLOYER)
    case.moved(30, to=80)
    assert len(of(case, "ANSWER_MEETING", DeadlineSet)) == 4
    case.answered(31, EMPLOYER, "YES", arrangement=1)  # to the day that no longer holds
    case.until(90)
    assert len(of(case, "ANSWER_MEETING", DeadlineMissed)) == 3
    assert {at for _, _, at in soon(case)} == {day(78, "09:00"), day(79, "09:00")}


def test_a_cancelled_meeting_leaves_nothing_to_answer_or_to_be_reminded_of(case: Any) -> None:
    case.called(20)
    case.called_off(22)
    facts = len(case.facts)
    case.until(200)
    assert case.facts[facts:] == []
    assert len(case.told(DeadlineCancelled)) == 4


def test_a_party_whose_consent_ends_hears_no_more_of_the_meeting(case: Any) -> None:
    case.called(20)
    case.withdrawn(22)
    case.until(70)
    assert {who for who, _, _ in soon(case)} == {"person"}


def test_the_end_of_the_case_ends_its_meetings_and_agreements(case: Any) -> None:
    case.minuted(31, {"adapt": 60})
    case.called(32, to=90)
    case.closed(34)
    facts = len(case.facts)
    case.until(400)
    assert case.facts[facts:] == []


def test_other_kinds_of_parties_have_their_roles(case: Any) -> None:
    seats = tuple((f"{k}:1", p, None) for k, p in [("care", Party.CARE), ("af", Party.AF), ("union", Party.UNION)])
    case.called(20, seats=seats)
    told = of(case, "ANSWER_MEETING", DeadlineSet)
    assert [f.owner_role for f in told] == ["care.coordinator", "af.officer", "union.rep"]


# --- row 23 ---


@pytest.mark.parametrize(("approved", "missed"), [(38, 0), (39, 0), (40, 1)])
def test_minutes_are_due_in_five_working_days(case: Any, day: Day, approved: int, missed: int) -> None:
    case.held(30)  # Tuesday 31 March 2026; Good Friday and Easter Monday are no working days
    assert of(case, "MINUTES", DeadlineSet)[0].due_at == day(39, "23:59:59")
    case.minuted(approved, {})
    case.until(100)
    assert len(of(case, "MINUTES", DeadlineMissed)) == missed
    assert len(of(case, "MINUTES", DeadlineMet)) == 1


def test_who_called_a_meeting_without_fk_owes_its_minutes(case: Any) -> None:
    case.held(30, kind="WORKPLACE_CARE", by=EMPLOYER)
    (told,) = of(case, "MINUTES", DeadlineSet)
    assert (told.owner_role, told.owner_ref) == ("emp.hr", EMPLOYER)


def test_each_agreement_is_a_deadline_of_who_promised_it(case: Any, day: Day) -> None:
    case.minuted(31, {"adapt": 60, "train": 70})
    told = of(case, "AGREEMENT", DeadlineSet)
    assert [(f.owner_ref, f.due_at) for f in told] == [(EMPLOYER, day(60, "23:59:59")), (EMPLOYER, day(70, "23:59:59"))]


def test_what_fk_promised_is_a_task_of_its_handler(case: Any) -> None:
    case.minuted(31, {"ask": 60}, who=FK)
    assert of(case, "AGREEMENT", DeadlineSet)[0].owner_role == "fk.handler"


@pytest.mark.parametrize(("up_to", "clock", "told"), [(60, "23:59", 0), (61, "05:59", 0), (61, "06:00", 1)])
def test_an_agreement_not_kept_is_missed_the_morning_after_and_the_handler_is_told(
    case: Any, up_to: int, clock: str, told: int
) -> None:
    case.minuted(31, {"adapt": 60})
    case.until(up_to, clock)
    assert len(of(case, "AGREEMENT", DeadlineMissed)) == len(of(case, "AGREEMENT", DeadlineEscalated)) == told


def test_its_owner_is_reminded_two_days_before(case: Any, day: Day) -> None:
    case.minuted(31, {"adapt": 60})
    case.until(59)
    assert {(r.template_id, r.due_at) for r in case.told(ReminderDue)} == {("agreement-due", day(58, "09:00"))}


def test_amended_minutes_set_anew_what_stands_and_leave_out_what_was_dropped(case: Any, day: Day) -> None:
    case.minuted(31, {"adapt": 60, "train": 70})
    case.amended(35, {"adapt": 65})
    case.until(100)
    (missed,) = of(case, "AGREEMENT", DeadlineMissed)
    assert missed.due_at == day(65, "23:59:59")


# --- what services say arrives in any order ---


def test_a_meetings_end_and_a_consents_end_come_to_the_same_in_whatever_order(new_case: Callable[[], Any]) -> None:
    days = {"withdrawn": 22, "called_off": 23, "closed": 24}
    outcomes: list[list[str]] = []
    for order in permutations(days):
        case = new_case()
        case.called(20)
        for name in order:
            getattr(case, name)(days[name])
        case.until(200)
        outcomes.append(
            [f.kind for f in case.told(DeadlineMissed) if "MEETING" in f.kind] + [r for r, _, _ in soon(case)]
        )
    assert outcomes == [[]] * len(outcomes)


def test_a_meeting_heard_of_after_the_case_ended_sets_nothing(case: Any) -> None:
    case.closed(22)
    case.called(20)
    case.held(21)
    case.minuted(22, {"adapt": 60})
    case.until(200)
    assert case.told(DeadlineSet, ReminderDue) == []


def test_an_invitation_heard_twice_asks_once(case: Any) -> None:
    case.called(20)
    facts = list(case.facts)
    case.called(20)
    case.until(20, "11:59")
    assert case.facts == facts


def test_minutes_heard_twice_set_each_agreement_once(case: Any) -> None:
    case.minuted(31, {"adapt": 60})
    case.minuted(31, {"adapt": 60})
    assert len(of(case, "AGREEMENT", DeadlineSet)) == 1


def test_after_a_week_off_a_meetings_reminders_go_out_once_with_their_true_days(new_case: Callable[[], Any]) -> None:
    awake, asleep = new_case(), new_case()
    for played in (awake, asleep):
        played.called(20)
        played.until(55)
    for n in range(56, 63):
        awake.until(n)
    asleep.until(62)
    assert asleep.facts == awake.facts


def test_an_answer_given_in_time_during_a_week_off_counts(case: Any) -> None:
    case.called(20)
    case.until(22)
    case.answered(24, EMPLOYER)  # heard on day 29
    case.until(29)
    assert [f.owner_role for f in of(case, "ANSWER_MEETING", DeadlineMissed)] == ["person"]
