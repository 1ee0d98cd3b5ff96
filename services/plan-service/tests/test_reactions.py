"""What the plan service does about what notification-service tells."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis.envelope import SYSTEM, Envelope
from chassis.view import Heard
from contracts.notification import TimerElapsed
from plan_service.domain.commands import RecordPlanNotReceived
from plan_service.main import service
from plan_service.reactions import NOT_RECEIVED, time_ran_out

EMPLOYMENT = UUID(int=1)


def heard(kind: str, due_at: datetime) -> Heard:
    return Heard(
        source="notification",
        position=1,
        stream="agenda-1",
        version=1,
        name="TimerElapsed",
        fact=TimerElapsed(timer_id=UUID(int=2), kind=kind, due_at=due_at, about=EMPLOYMENT),
        envelope=Envelope(event_id=UUID(int=3), occurred_at=due_at, actor=SYSTEM, case_id=UUID(int=4)),
        recorded_at=due_at,
    )


@pytest.mark.parametrize(("hour", "day"), [(21, 30), (22, 1)])
def test_when_the_time_has_run_out_we_ask_ourselves_to_record_it_on_its_swedish_day(hour: int, day: int) -> None:
    due_at = datetime(2026, 4, 30, hour, tzinfo=UTC)
    (ask,) = time_ran_out(heard(NOT_RECEIVED, due_at), due_at)
    assert (ask.aggregate.stream(ask.id), ask.case_id) == (f"employment-{EMPLOYMENT}", None)
    assert isinstance(ask.command, RecordPlanNotReceived)
    assert (ask.command.ran_out_on.day, ask.command.reminders) == (day, 2)


def test_other_timers_are_not_ours() -> None:
    now = datetime(2026, 4, 30, tzinfo=UTC)
    assert time_ran_out(heard("MILESTONE", now), now) == ()


def test_every_reaction_is_to_an_event_that_we_hear() -> None:
    told = {(f.service, d.name) for f in service.hears for d in f}
    assert set(service.reactions) <= told
