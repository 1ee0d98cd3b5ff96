"""Three services are heard, each in its own order: whatever the order between them, it comes to the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMissed,
    DeadlineSet,
    ReminderDue,
    TimerElapsed,
)
from notification_service.domain.deadline import open_deadline

EMPLOYER = "employer:5560125790"

Said = tuple[int, str, Mapping[str, Any]]
"""The spell day, what is said, and with which particulars."""

TOLD: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]] = {
    "case": [
        ("closed", {}),
        ("reopened", {}),
        ("closed", {}),
        ("reopened", {}),
        ("withdrawn", {}),
        ("referred", {}),
        ("accepted", {}),
        ("opened", {}),
    ],
    "plan": [
        ("requested", {"request": "first"}),
        ("requested", {"request": "second"}),
        ("submitted", {}),
        ("assessed", {}),
        ("registered", {}),
    ],
    "meeting": [("called", {}), ("answered", {"who": EMPLOYER}), ("held", {}), ("assessed_jointly", {})],
}


def interleavings(heard: Sequence[Sequence[Said]]) -> Iterator[list[Said]]:
    """Every order in which the sources can be heard, each source in its own."""
    waiting = [s for s in heard if s]
    if not waiting:
        yield []
    for n, source in enumerate(waiting):
        rest = [*waiting[:n], source[1:], *waiting[n + 1 :]]
        for tail in interleavings(rest):
            yield [source[0], *tail]


def some(told: Sequence[Any], most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(range(len(told))), max_size=most, unique=True)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Said], list[list[Said]]]:
    """What was heard as it happened, and what was said while this service was down: no two things on one day."""
    chosen = {
        source: [TOLD[source][i] for i in draw(some(TOLD[source], most))]
        for source, most in (("case", 3), ("plan", 2), ("meeting", 2))
    }
    total = sum(map(len, chosen.values()))
    days = draw(st.lists(st.integers(20, 130), min_size=total, max_size=total, unique=True))
    told = {source: sorted(days.pop() for _ in said) for source, said in chosen.items()}
    outage = draw(st.integers(19, 131))
    everything = [
        [(day, name, more) for day, (name, more) in zip(told[source], chosen[source], strict=True)] for source in chosen
    ]
    before = sorted((s for source in everything for s in source if s[0] < outage), key=lambda s: s[0])
    return before, [[s for s in source if s[0] >= outage] for source in everything]


def lived(case: Any, before: Sequence[Said], heard: Sequence[Said]) -> tuple[Any, ...]:
    """What is done, told and left open in the end."""
    for day, name, more in before:
        case.until(day - 1)
        getattr(case, name)(day, **more)
    for day, name, more in heard:
        getattr(case, name)(day, **more)
    case.until(800)
    told = case.told(DeadlineMissed, DeadlineEscalated, ReminderDue, TimerElapsed)
    done = sorted(f"{type(f).__name__} {f.about} {f.due_at} {_which(f)}" for f in told)
    left = sorted(str(k) for k, s in case.agenda.deadlines.items() if open_deadline(s) is not None)
    return done, left


def _which(fact: Any) -> str:
    return str(fact.reminder_id) if isinstance(fact, ReminderDue) else fact.kind


@given(stories())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_the_services_are_heard_after_an_outage_it_comes_to_the_same(
    make_case: Callable[..., Any], rules: Any, story: tuple[list[Said], list[list[Said]]]
) -> None:
    before, heard = story
    outcomes = {str(lived(make_case(rules), before, order)) for order in interleavings(heard)}
    assert len(outcomes) == 1


REQUEST: Said = (60, "requested", {})
CLOSED: Said = (40, "closed", {})
REOPENED: Said = (50, "reopened", {})


@pytest.mark.parametrize("order", list(interleavings([[CLOSED, REOPENED], [REQUEST]])), ids=str)
def test_a_plan_requested_after_the_case_was_opened_again_is_waited_for(case: Any, order: list[Said]) -> None:
    done, left = lived(case, [], order)
    assert any("REQUESTED_PLAN" in told for told in done)
    assert len([f for f in case.told(DeadlineSet) if f.kind == "REQUESTED_PLAN"]) == 1
    assert left


def test_down_over_the_reopening_only_it_is_waited_for_too(case: Any) -> None:
    done, _ = lived(case, [CLOSED], [REQUEST, REOPENED])
    assert any("EMPLOYER_PLAN_NOT_RECEIVED" in told for told in done)


@pytest.mark.parametrize("order", list(interleavings([[CLOSED, (70, "reopened", {})], [REQUEST]])), ids=str)
def test_a_plan_requested_while_the_case_was_closed_is_not_waited_for(case: Any, order: list[Said]) -> None:
    done, _ = lived(case, [], order)
    assert not any("REQUESTED_PLAN" in told for told in done)


def test_what_may_yet_turn_out_to_have_been_open_is_neither_ended_nor_told_before_it_is_known(case: Any) -> None:
    case.requested(60)
    case.closed(40)
    assert case.told(DeadlineCancelled) == []
    case.until(60)
    assert [f.kind for f in case.told(DeadlineCancelled)] == ["REQUESTED_PLAN"]
    assert case.told(ReminderDue, DeadlineMissed, TimerElapsed) == []


@pytest.mark.parametrize("order", list(interleavings([[(30, "withdrawn", {})], [(20, "called", {})]])), ids=str)
def test_a_consent_that_ended_after_the_invitation_ends_the_reminding(case: Any, order: list[Said]) -> None:
    lived(case, [], order)
    soon = [r for r in case.told(ReminderDue) if r.template_id == "meeting-soon"]
    assert EMPLOYER not in [r.recipient_ref for r in soon]
    assert soon  # the others are reminded
