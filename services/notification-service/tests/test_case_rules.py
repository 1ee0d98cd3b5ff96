"""What has to happen next in a case: days that come, decisions that are due, consents that end, the case's own end."""

import re
from collections.abc import Callable
from datetime import datetime
from itertools import permutations
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
from notification_service.letters import letter

Day = Callable[..., datetime]


def kinds(case: Any, what: type[Any]) -> list[str]:
    return [f.kind for f in case.told(what)]


def test_an_initial_assessment_is_due_in_14_days_and_the_unit_manager_is_told_on_day_21(case: Any, day: Day) -> None:
    case.opened(20)
    case.until(60)
    (missed,) = [f for f in case.told(DeadlineMissed) if f.kind == "IKR"]
    assert missed.due_at == day(34, "23:59:59")
    escalated = [f for f in case.told(DeadlineEscalated) if f.kind == "IKR"]
    assert [f.to_role for f in escalated] == ["fk.unit_manager", "fk.collab_lead"]


def test_every_milestone_comes_once_on_its_day_counted_as_it_is_counted(case: Any) -> None:
    case.opened(20, prior=30)
    case.until(800)
    told = [f.kind for f in case.told(TimerElapsed)]
    assert len(told) == len(set(told)) == 13
    assert told[:5] == [
        "MILESTONE_SPELL_30",
        "MILESTONE_CHAIN_76",
        "MILESTONE_SPELL_60",
        "MILESTONE_CHAIN_90",
        "MILESTONE_CHAIN_91",
    ]


@pytest.mark.parametrize(
    ("kind", "spell_day"),
    [("SPELL_30", 30), ("CHAIN_90", 60), ("CHAIN_181", 151), ("CASE_366", 385), ("CASE_730", 749)],
)
def test_a_milestone_comes_on_the_morning_of_its_day(case: Any, day: Day, kind: str, spell_day: int) -> None:
    case.opened(20, prior=30)
    case.until(800)
    (timer,) = [f for f in case.told(TimerElapsed) if f.kind == f"MILESTONE_{kind}"]
    assert timer.due_at == day(spell_day, "06:00")


def test_the_need_is_decided_within_14_days_of_the_assessment(case: Any) -> None:
    case.opened(20)
    case.ikr_done(25)
    case.need_decided(39)
    case.until(60)
    assert kinds(case, DeadlineMet) == ["IKR", "DECIDE_NEED"]
    assert kinds(case, DeadlineMissed) == []


def test_what_health_care_told_is_acknowledged_in_five_working_days_and_leads_to_a_decision(
    case: Any, day: Day
) -> None:
    case.informed(20)
    due = {f.kind: f.due_at for f in case.told(DeadlineSet)}
    assert due == {"ACKNOWLEDGE_INFO": day(26, "23:59:59"), "DECIDE_NEED": day(34, "23:59:59")}
    case.info_acknowledged(22)
    case.need_decided(30)
    case.until(60)
    assert kinds(case, DeadlineMet) == ["ACKNOWLEDGE_INFO", "DECIDE_NEED"]


def test_a_consent_is_warned_of_and_expires_after_its_last_day(case: Any, day: Day) -> None:
    case.consented(20, last=120)
    case.until(119)
    assert kinds(case, DeadlineSet) == ["CONSENT", "RENEW_CONSENT"]
    case.until(200)
    (timer,) = case.told(TimerElapsed)
    assert (timer.kind, timer.due_at) == ("CONSENT_EXPIRED", day(121, "06:00"))


def test_a_withdrawn_consent_no_longer_expires_and_one_given_anew_does(case: Any) -> None:
    case.consented(20, last=120)
    case.withdrawn(30)
    case.consented(40, last=140, giving=2)
    case.until(139)
    assert kinds(case, TimerElapsed) == []
    case.until(200)
    assert kinds(case, TimerElapsed) == ["CONSENT_EXPIRED"]


def test_when_a_consent_ends_the_answer_is_no_longer_waited_for_and_the_handler_winds_up(case: Any) -> None:
    case.consented(20)
    case.referred(25)
    case.withdrawn(30)
    case.until(60)
    assert {"CONSENT", "ANSWER_REFERRAL"} <= set(kinds(case, DeadlineCancelled))
    assert kinds(case, DeadlineMissed) == ["END_COOPERATION"]
    assert {r.template_id for r in case.told(ReminderDue)} == {"cooperation-ended"}


@pytest.mark.parametrize(
    ("scope", "party"),
    [
        ("EMP", "employer"),
        ("CARE", "care"),
        ("KOORD_TO_FK", "care"),
        ("KOORD_MEASURE", "care"),
        ("AF", "af"),
        ("MUN", "mun"),
        ("FINSAM", "finsam"),
        ("OHS", "ohs"),
        ("UNION", "union"),
    ],
)
def test_the_party_is_told_at_once_that_the_cooperation_has_ended(case: Any, day: Day, scope: str, party: str) -> None:
    case.withdrawn(30, scope=scope)
    case.until(60)
    told = [(r.recipient_ref, r.channel, r.due_at) for r in case.told(ReminderDue)]
    assert told == [(f"{party}:2021002114", channel, day(30)) for channel in ("PORTAL", "EMAIL")]
    (deadline,) = (f for f in case.told(DeadlineSet) if f.kind == "COOPERATION_ENDED")
    assert (deadline.owner_role, deadline.owner_sees) == ("system", False)


@pytest.mark.parametrize("scope", ["OTHER_AUTHORITY", "SUS_REG"])
def test_where_a_consent_names_nobody_that_can_be_written_to_the_handler_tells(case: Any, scope: str) -> None:
    case.withdrawn(30, scope=scope)
    case.until(31)
    assert (kinds(case, DeadlineSet), case.told(ReminderDue)) == (["END_COOPERATION"], [])


def test_no_word_of_the_ending_says_whose_cooperation_or_why() -> None:
    text = letter("cooperation-ended")
    assert not re.search(
        r"medgiv|samtyck|consent|withdr|återkall|sjuk|sick|case|ärende", text.subject + text.body, re.I
    )


async def test_the_ending_lies_in_the_partys_inbox_and_is_no_task(world: Any) -> None:
    world.consented(20)
    await world.at(20)
    world.withdrawn(30)
    await world.at(31)
    af = world.by("af.officer")
    (message,) = (await af.get("/v1/messages")).json()["items"]
    assert message["subject"] == letter("cooperation-ended").subject
    assert (await af.get("/v1/tasks")).json()["items"] == []


def test_a_referral_is_reminded_of_and_told_to_the_structural_level(case: Any, day: Day) -> None:
    case.referred(22)
    case.until(60)
    (reminder,) = case.told(ReminderDue)
    assert (reminder.recipient_ref, reminder.due_at) == ("role:af.officer", day(32, "09:00"))
    (escalated,) = case.told(DeadlineEscalated)
    assert (escalated.to_role, kinds(case, DeadlineMissed)) == ("fk.collab_lead", ["ANSWER_REFERRAL"])


@pytest.mark.parametrize(("answer", "follows"), [("accepted", "JOINT_ASSESSMENT"), ("declined", "OTHER_WAY")])
def test_what_af_answers_has_something_follow(case: Any, answer: str, follows: str) -> None:
    case.referred(22)
    getattr(case, answer)(30)
    case.until(31)
    assert kinds(case, DeadlineMet) == ["ANSWER_REFERRAL"]
    assert kinds(case, DeadlineSet) == ["ANSWER_REFERRAL", follows]


def test_a_closed_case_has_no_deadlines_whatever_set_them(case: Any) -> None:
    case.opened(20)
    case.registered(20)
    case.requested(31)
    case.consented(32)
    case.referred(33)
    case.closed(34)
    facts = len(case.facts)
    case.until(800)
    assert case.facts[facts:] == []
    assert len(case.told(DeadlineCancelled)) == len(case.told(DeadlineSet)) - len(case.told(DeadlineMet))


def test_a_consents_time_is_kept_no_more_once_its_case_is_closed_and_case_service_is_told_so(case: Any) -> None:
    """By kind, consent and reason case-service knows that the consent ends with its case (row 39)."""
    case.consented(32)
    case.closed(34)
    (told,) = case.told(DeadlineCancelled)
    (given,) = case.told(DeadlineSet)
    assert (told.kind, told.about, told.reason) == ("CONSENT", given.about, "CaseClosed")


def test_what_is_heard_after_the_end_sets_nothing_in_whatever_order_it_comes(new_case: Callable[[], Any]) -> None:
    outcomes: list[list[str]] = []
    for order in permutations(["registered", "closed", "referred", "submitted"]):
        case = new_case()
        for name in order:
            getattr(case, name)({"registered": 20, "referred": 21, "submitted": 22, "closed": 23}[name])
        case.until(800)
        outcomes.append(sorted(f"{type(f).__name__} {f.kind}" for f in case.told(DeadlineMissed, TimerElapsed)))
    assert outcomes == [[]] * len(outcomes)


def test_a_case_that_is_opened_again_has_its_days_again(case: Any) -> None:
    case.opened(20)
    case.until(61)
    case.closed(62)
    case.until(99)
    case.reopened(100)
    case.until(160)
    again = [f.kind for f in case.told(TimerElapsed)][2:]
    assert again == [
        "MILESTONE_SPELL_30",
        "MILESTONE_SPELL_60",
        "MILESTONE_CHAIN_76",
        "MILESTONE_CHAIN_90",
        "MILESTONE_CHAIN_91",
        "MILESTONE_CHAIN_150",
    ]
    case.referred(161)
    assert kinds(case, DeadlineSet)[-1] == "ANSWER_REFERRAL"


def test_the_joint_assessment_is_seen_by_its_event_and_not_ticked_off(case: Any, day: Day) -> None:
    case.referred(22)
    case.accepted(30)
    case.assessed_jointly(58)
    case.until(100)
    assert kinds(case, DeadlineMet) == ["ANSWER_REFERRAL", "JOINT_ASSESSMENT"]
    assert kinds(case, DeadlineMissed) == []


def test_without_the_consent_for_af_no_joint_assessment_is_waited_for(case: Any) -> None:
    case.referred(22)
    case.accepted(30)
    case.withdrawn(31)
    assert "JOINT_ASSESSMENT" in kinds(case, DeadlineCancelled)


def test_a_meetings_answer_is_not_awaited_longer_than_the_case_lasts_also_when_it_is_opened_again(case: Any) -> None:
    case.called(20)
    case.closed(22)
    case.reopened(30)
    case.until(31)
    assert "ANSWER_MEETING" not in kinds(case, DeadlineMissed)
