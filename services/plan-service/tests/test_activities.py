"""What is answered to what is told of a plan's activities, and which of them are late."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from chassis.decider import MissingPredecessor, Refused
from chassis.testing import scenarios
from contracts.plan import (
    ActivityKind,
    Channel,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    MissCause,
    PlanActivityCompleted,
    PlanActivityMissed,
    PlanActivityStarted,
    PlanEvent,
    PlanSubmitted,
    TipGround,
)
from plan_service.domain.activities import GRACE, TIME_TO_SAY_WHY
from plan_service.domain.commands import (
    ActivityAlreadyCompleted,
    ActivityNotPlanned,
    CaseEnded,
    CompleteActivity,
    DayNotCome,
    MissActivity,
    PlanMissing,
    PlanUnknown,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RequestPlan,
    RevisePlan,
    StartActivity,
    SubmitPlan,
)
from plan_service.domain.employment import decider
from plan_service.domain.grounds import grounds_shown
from plan_service.domain.plan import Activity, Contents
from plan_service.domain.situations import Registered

given = scenarios(decider)

DAY_1 = date(2026, 3, 2)
TODAY = date(2026, 4, 1)
NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
END = TODAY + timedelta(days=28)
REGISTERED = EmploymentRegistered(
    employment_id=UUID(int=1),
    case_id=UUID(int=2),
    person_ref=UUID(int=3),
    org_nr="5560360793",
    employment_kind=EmploymentKind.ORDINARY,
    workplace="Lagret",
    spell_start=DAY_1,
    expected_days=90,
)


def activity(end: date | None = END, id: UUID | None = None) -> Activity:
    return Activity(
        activity_id=id,
        kind=ActivityKind.TASKS,
        description="Lättare pass",
        responsible="Arbetsledare",
        start=TODAY,
        end=end,
        follow_up=None,
        target_pct=None,
    )


def contents(*activities: Activity) -> Contents:
    return Contents(
        channel=Channel.PORTAL,
        drawn_up_on=TODAY,
        employee_consulted=True,
        not_consulted_reason=None,
        exemption=Exemption.NONE,
        activities=activities,
        return_date=None,
        document=None,
    )


def submitted(*activities: Activity) -> PlanSubmitted:
    (fact,) = decider.decide(
        SubmitPlan(contents=contents(*activities), at=NOON, today=TODAY), decider.fold([REGISTERED])
    )
    assert isinstance(fact, PlanSubmitted)
    return fact


def revision(end: date, id: UUID) -> RevisePlan:
    """The plan with this one activity, and another last day for it."""
    again = contents(activity(end=end, id=id))
    return RevisePlan(plan_id=PLAN.plan_id, contents=again, changes=(), at=NOON, today=TODAY)


PLAN = submitted(activity(), activity(end=END + timedelta(days=1)), activity(end=None))
FIRST, SECOND, THIRD = PLAN.activities
IDS: dict[str, Any] = {"plan_id": PLAN.plan_id, "activity_id": FIRST.activity_id}
SAID: dict[str, Any] = IDS | {"employment_id": REGISTERED.employment_id, "org_nr": REGISTERED.org_nr}
START = StartActivity(on=TODAY, today=TODAY, **IDS)
COMPLETE = CompleteActivity(on=TODAY, today=TODAY, **IDS)
MISS = MissActivity(on=TODAY, today=TODAY, cause=MissCause.EMPLOYER, **IDS)
STARTED = PlanActivityStarted(at=TODAY, **SAID)
COMPLETED = PlanActivityCompleted(at=TODAY, **SAID)
MISSED = PlanActivityMissed(at=TODAY, cause=MissCause.EMPLOYER, **SAID)
OVERDUE = RecordActivitiesMissed(ran_out_on=END + GRACE)
OVERDUE_FACT = PlanActivityMissed(at=END + GRACE, cause=None, **SAID)
UNANSWERED = RecordActivitiesNotTold(ran_out_on=END + GRACE + TIME_TO_SAY_WHY + timedelta(days=1))
NOT_TOLD = PlanActivityMissed(at=UNANSWERED.ran_out_on, cause=MissCause.NOT_TOLD, **SAID)


@pytest.mark.parametrize(("told", "follows"), [(START, STARTED), (COMPLETE, COMPLETED), (MISS, MISSED)])
def test_what_is_told_of_an_activity_is_recorded_once(told: StartActivity, follows: PlanEvent) -> None:
    given(REGISTERED, PLAN).when(told).then(follows)
    given(REGISTERED, PLAN, follows).when(told).then()


@pytest.mark.parametrize("told", [START, COMPLETE, MISS])
def test_an_activity_comes_after_its_plan(told: StartActivity) -> None:
    assert issubclass(PlanMissing, MissingPredecessor)
    given(REGISTERED).when(told).refused(PlanMissing)


def test_only_what_the_newest_version_plans_is_told_of() -> None:
    given(REGISTERED, PLAN).when(replace(START, activity_id=UUID(int=9))).refused(ActivityNotPlanned)
    given(REGISTERED, PLAN).when(replace(START, plan_id=UUID(int=9))).refused(PlanUnknown)


def test_nothing_has_happened_on_a_day_that_has_not_come() -> None:
    ahead = StartActivity(on=TODAY + timedelta(days=1), today=TODAY, **IDS)
    given(REGISTERED, PLAN).when(ahead).refused(DayNotCome)


def test_what_is_done_neither_begins_nor_is_missed() -> None:
    given(REGISTERED, PLAN, COMPLETED).when(START).refused(ActivityAlreadyCompleted)
    given(REGISTERED, PLAN, COMPLETED).when(MISS).refused(ActivityAlreadyCompleted)


def test_what_was_missed_may_still_be_done() -> None:
    given(REGISTERED, PLAN, OVERDUE_FACT).when(COMPLETE).then(COMPLETED)


def test_a_cause_is_added_to_what_ran_out_in_silence() -> None:
    given(REGISTERED, PLAN, OVERDUE_FACT).when(MISS).then(MISSED)


def test_an_activity_is_late_seven_days_after_its_end_and_not_before() -> None:
    given(REGISTERED, PLAN).when(RecordActivitiesMissed(ran_out_on=END + GRACE - timedelta(days=1))).then()
    given(REGISTERED, PLAN).when(OVERDUE).then(OVERDUE_FACT)
    given(REGISTERED, PLAN, OVERDUE_FACT).when(OVERDUE).then()


def test_what_was_done_in_time_is_not_late() -> None:
    given(REGISTERED, PLAN, COMPLETED).when(OVERDUE).then()


def test_an_activity_that_got_a_later_day_can_be_missed_again() -> None:
    longer = END + timedelta(days=30)
    history: list[PlanEvent] = [REGISTERED, PLAN, OVERDUE_FACT]
    history += decider.decide(revision(longer, FIRST.activity_id), decider.fold(history))
    assert decider.decide(OVERDUE, decider.fold(history)) == []
    late = RecordActivitiesMissed(ran_out_on=longer + GRACE)
    assert decider.decide(late, decider.fold(history)) == [PlanActivityMissed(at=longer + GRACE, cause=None, **SAID)]


def test_what_was_missed_for_a_cause_that_was_told_is_not_missed_again_in_silence() -> None:
    """Several activities have timers, and each asks which are late."""
    told = replace(MISSED, cause=MissCause.HEALTH)
    late = RecordActivitiesMissed(ran_out_on=END + GRACE + timedelta(days=1))
    of_second = replace(OVERDUE_FACT, activity_id=SECOND.activity_id, at=late.ran_out_on)
    given(REGISTERED, PLAN, told).when(late).then(of_second)
    given(REGISTERED, PLAN, told, of_second).when(late).then()


def test_a_miss_told_of_an_activity_without_a_last_day_stands_until_it_gets_a_later_one() -> None:
    said = MissActivity(
        plan_id=PLAN.plan_id, activity_id=THIRD.activity_id, on=TODAY, today=TODAY, cause=MissCause.PERSON
    )
    for end, missed_again in ((TODAY, False), (TODAY + timedelta(days=1), True)):
        history: list[PlanEvent] = [REGISTERED, PLAN]
        history += decider.decide(said, decider.fold(history))
        history += decider.decide(revision(end, THIRD.activity_id), decider.fold(history))
        late = RecordActivitiesMissed(ran_out_on=end + GRACE)
        assert bool(decider.decide(late, decider.fold(history))) is missed_again


def test_the_same_cause_may_be_told_anew_of_a_later_last_day_and_silence_does_not_add_to_it() -> None:
    longer = END + timedelta(days=30)
    history: list[PlanEvent] = [REGISTERED, PLAN, MISSED]
    history += decider.decide(revision(longer, FIRST.activity_id), decider.fold(history))
    again = replace(MISS, on=END, today=END)
    history += (anew := decider.decide(again, decider.fold(history)))
    assert anew == [replace(MISSED, at=END)]
    assert decider.decide(again, decider.fold(history)) == []
    assert decider.decide(RecordActivitiesMissed(ran_out_on=longer + GRACE), decider.fold(history)) == []


# --- silence about why ---


def test_nobody_has_said_why_only_when_the_time_to_say_so_is_over() -> None:
    early = RecordActivitiesNotTold(ran_out_on=UNANSWERED.ran_out_on - timedelta(days=1))
    given(REGISTERED, PLAN, OVERDUE_FACT).when(early).then()
    given(REGISTERED, PLAN, OVERDUE_FACT).when(UNANSWERED).then(NOT_TOLD)
    given(REGISTERED, PLAN, OVERDUE_FACT, NOT_TOLD).when(UNANSWERED).then()


@pytest.mark.parametrize("said", [MISSED, replace(MISSED, cause=MissCause.HEALTH), COMPLETED])
def test_whoever_has_said_what_became_of_it_was_not_silent(said: PlanEvent) -> None:
    given(REGISTERED, PLAN, OVERDUE_FACT, said).when(UNANSWERED).then()


def test_a_new_version_of_the_plan_is_an_answer_too() -> None:
    history: list[PlanEvent] = [REGISTERED, PLAN, OVERDUE_FACT]
    history += decider.decide(revision(END, FIRST.activity_id), decider.fold(history))
    assert decider.decide(UNANSWERED, decider.fold(history)) == []


def test_a_cause_may_still_be_told_when_the_time_to_say_so_is_over() -> None:
    given(REGISTERED, PLAN, OVERDUE_FACT, NOT_TOLD).when(replace(MISS, cause=MissCause.HEALTH)).then(
        replace(MISSED, cause=MissCause.HEALTH)
    )


def is_ground(*facts: PlanEvent) -> bool:
    """Would what has happened show Arbetsmiljöverket that an activity was not done?"""
    situation = decider.fold([REGISTERED, PLAN, *facts])
    assert isinstance(situation, Registered)
    return TipGround.NOT_DONE in grounds_shown(situation)


def test_silence_is_a_ground_for_a_tip_when_the_time_to_say_why_is_over_and_until_a_cause_is_told() -> None:
    assert not is_ground(OVERDUE_FACT)
    assert is_ground(OVERDUE_FACT, NOT_TOLD)
    assert not is_ground(OVERDUE_FACT, NOT_TOLD, replace(MISSED, cause=MissCause.HEALTH))
    assert not is_ground(OVERDUE_FACT, NOT_TOLD, COMPLETED)


@pytest.mark.parametrize(
    ("cause", "ground"), [(c, c in (MissCause.EMPLOYER, MissCause.NOT_TOLD)) for c in (*MissCause, None)]
)
def test_only_what_is_on_the_employers_side_is_a_ground_for_a_tip(cause: MissCause | None, ground: bool) -> None:
    assert is_ground(replace(MISSED, cause=cause)) is ground


def test_a_timer_for_a_plan_that_was_set_aside_changes_nothing() -> None:
    given(REGISTERED).when(OVERDUE).then()
    given(REGISTERED).when(UNANSWERED).then()


def test_no_plan_is_asked_for_once_the_case_has_ended() -> None:
    given(REGISTERED).when(RequestPlan(due=None, today=TODAY, case_ended=True)).refused(CaseEnded)


def test_a_plan_is_taken_also_after_the_case_has_ended() -> None:
    """The employer's plan stands on its own feet, and a refusal would tell it that FK has closed the case."""
    given(REGISTERED).when(SubmitPlan(contents=contents(), at=NOON, today=TODAY)).then(submitted())


# --- laws ---

days = st.integers(0, 60).map(lambda n: TODAY + timedelta(days=n))
LAST = TODAY + timedelta(days=60)
which = st.sampled_from(PLAN.activities).map(lambda a: {"plan_id": PLAN.plan_id, "activity_id": a.activity_id})
TOLD = [cause for cause in MissCause if cause is not MissCause.NOT_TOLD]
tellings = st.one_of(
    st.builds(lambda ids, on: StartActivity(on=on, today=LAST, **ids), which, days),
    st.builds(lambda ids, on: CompleteActivity(on=on, today=LAST, **ids), which, days),
    st.builds(lambda ids, on, c: MissActivity(on=on, today=LAST, cause=c, **ids), which, days, st.sampled_from(TOLD)),
    st.builds(RecordActivitiesMissed, ran_out_on=days),
    st.builds(RecordActivitiesNotTold, ran_out_on=days),
)


@settings(max_examples=200, deadline=None)
@drawn(st.lists(tellings, max_size=8), tellings)
def test_told_twice_nothing_more_is_known_and_what_is_done_stays_done(
    before: list[StartActivity], last: StartActivity
) -> None:
    history: list[PlanEvent] = [REGISTERED, PLAN]
    for command in before:
        history += asked(command, history) or []
    first = asked(last, history)
    if first is not None:
        assert asked(last, [*history, *first]) == []
    done: set[UUID] = set()
    for fact in [*history, *(first or [])]:
        match fact:
            case PlanActivityCompleted():
                assert fact.activity_id not in done
                done.add(fact.activity_id)
            case PlanActivityStarted() | PlanActivityMissed():
                assert fact.activity_id not in done
            case _:
                pass
    misses = [f for f in [*history, *(first or [])] if isinstance(f, PlanActivityMissed)]
    for n, fact in enumerate(misses):
        before_it = [m for m in misses[:n] if m.activity_id == fact.activity_id]
        assert fact.cause is not None or not before_it, "silence adds nothing to a miss that was told"
        if fact.cause is MissCause.NOT_TOLD:
            assert before_it[-1].cause is None
            assert before_it[-1].at + TIME_TO_SAY_WHY < fact.at
    silent = [f.activity_id for f in misses if f.cause is None]
    assert THIRD.activity_id not in silent, "what has no last day is never late"


def asked(command: StartActivity, history: list[PlanEvent]) -> list[PlanEvent] | None:
    try:
        return list(decider.decide(command, decider.fold(history)))
    except Refused:
        return None
