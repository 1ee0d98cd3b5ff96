"""However far off a day lies that another service tells of, it can be planned, and holds up no case."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.envelope import SYSTEM, Envelope
from chassis.testing_facts import records
from chassis.view import Heard
from contracts.notification import DeadlineMet, DeadlineMissed, DeadlineSet
from contracts.plan import EmployerPlanRequested
from notification_service.days import FIRST_DAY, LAST_DAY, day_of, days_after, end_of
from notification_service.domain.commands import SetDeadline
from notification_service.loading import load, shipped
from notification_service.reactions import answer
from notification_service.versions import HEARD, TOLD_BY, Rules

ID = UUID(int=1)
NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
RULES = Rules([load(f) for f in shipped()])
FAR_DAYS = st.sampled_from([date.min, date.max, FIRST_DAY, LAST_DAY, date(1582, 10, 10), date(9999, 12, 1)])
FAR_MOMENTS = st.sampled_from([datetime.min, datetime.max, datetime(1, 1, 2), datetime(9999, 12, 30)])


def heard(fact: Any, case_id: UUID | None = ID) -> Heard:
    name = type(fact).__name__
    envelope = Envelope(event_id=ID, occurred_at=NOON, actor=SYSTEM, case_id=case_id)
    return Heard(
        source=TOLD_BY[name],
        position=1,
        stream="told-1",
        version=1,
        name=name,
        fact=fact,
        envelope=envelope,
        recorded_at=NOON,
    )


@st.composite
def far_facts(draw: st.DrawFn) -> Any:
    """Any event that a rule speaks of, with every day and moment in it far off."""
    fact = draw(records(HEARD[draw(st.sampled_from(sorted(RULES.speaks_of())))].shape))
    return _far(draw, fact)


def _far(draw: st.DrawFn, value: Any) -> Any:
    match value:
        case datetime():
            return draw(FAR_MOMENTS).replace(tzinfo=UTC)
        case date():
            return draw(FAR_DAYS)
        case tuple():
            return tuple(_far(draw, v) for v in value)
        case _ if hasattr(value, "__dataclass_fields__"):
            return replace(value, **{name: _far(draw, getattr(value, name)) for name in value.__dataclass_fields__})
        case _:
            return value


@given(far_facts())
def test_whatever_days_an_event_tells_of_what_follows_from_it_can_be_worked_out(fact: Any) -> None:
    for ask in answer(RULES, heard(fact, ID if HEARD[type(fact).__name__].fact.linked else None)):
        if isinstance(ask.command, SetDeadline):
            tasks = (ask.command.task, *ask.command.tasks)
            assert all(end_of(FIRST_DAY) <= t.due_at <= end_of(LAST_DAY) for t in tasks)
            assert all(s.at.tzinfo is UTC for t in tasks for s in t.steps)


def test_a_day_within_reach_is_counted_as_it_is() -> None:
    assert day_of(datetime(2026, 3, 29, 22, 30, tzinfo=UTC)) == date(2026, 3, 30)
    assert days_after(date(2028, 2, 28), 2) == date(2028, 3, 1)
    assert (days_after(LAST_DAY, -1), days_after(LAST_DAY, 1)) == (date(2999, 12, 30), LAST_DAY)
    assert (days_after(date.min, -1), days_after(FIRST_DAY, -1)) == (FIRST_DAY, FIRST_DAY)


@pytest.mark.parametrize("far", [date.max, LAST_DAY])
async def test_a_day_out_of_reach_holds_up_nothing_else_of_its_case(world: Any, far: date) -> None:
    world.submitted(2)
    await world.at(2)
    told = EmployerPlanRequested(request_id=ID, employment_id=UUID(int=2), org_nr="5560125790", due=far)
    world.hear(told, world.moment_of(3, "12:00"))
    await world.at(3)
    world.assessed(4)
    await world.at(4)
    assert await world.runtime.pool.fetchval("select count(*) from dead_letters") == 0
    assert [m.kind for m in await world.facts(DeadlineMet)] == ["ASSESS_PLAN"]
    await world.at(400)
    assert await world.facts(DeadlineMissed) == []
    (waits,) = [d for d in await world.facts(DeadlineSet) if d.kind == "REQUESTED_PLAN"]
    assert waits.due_at == end_of(LAST_DAY)
