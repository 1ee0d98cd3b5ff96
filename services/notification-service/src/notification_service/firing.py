"""Fire what has fallen due: each step once, in order of time, and only up to the moment that is known completely.

First it is asked up to when every source has been heard and reacted to; then the read model of timers is waited for, so
that whatever was heard up to that moment is in it; only then does anything fire. So a plan that came in time counts as
come, also when it is heard after a week's outage. A case with a message that has been set aside waits until that
message has been dealt with: it may hold what would have settled the matter.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from chassis.clock import hashed_id
from chassis.service import Runtime, Worker
from notification_service.domain.agenda import agenda
from notification_service.domain.commands import Elapse
from notification_service.views.timers import Timer, due_at, next_due, timers

GROUP = 500
AT_ONCE = 32
LOOK_EVERY = 0.5
LOOK_EVERY_SIMULATED = 0.05
"""Seconds. Simulated time stands still between moves and jumps to the next due time, so it is looked at more often."""


async def run(runtime: Runtime) -> None:
    """Fire until cancelled."""
    pause = LOOK_EVERY_SIMULATED if runtime.clock.simulated else LOOK_EVERY
    while True:
        if not await fire(runtime):
            await runtime.changed(pause)


async def fire(runtime: Runtime) -> bool:
    """Fire the steps of the earliest time that has come; was there one? Raises a Problem when the view lags behind."""
    known_up_to = await runtime.moment()
    if known_up_to is None:
        return False
    await runtime.caught_up(timers, {})
    async with runtime.engine.connect() as connection:
        at = await next_due(connection)
        if at is None or at > known_up_to:
            return False
        group = await due_at(connection, at, GROUP)
    await _elapse(runtime, _one_a_case(group), at)
    return True


def _one_a_case(group: Sequence[Timer]) -> list[Timer]:
    return list({t.case_id: t for t in reversed(group)}.values())[::-1]


async def _elapse(runtime: Runtime, group: Sequence[Timer], at: datetime) -> None:
    for n in range(0, len(group), AT_ONCE):
        await asyncio.gather(*(_elapse_one(runtime, t, at) for t in group[n : n + AT_ONCE]))


async def _elapse_one(runtime: Runtime, timer: Timer, at: datetime) -> None:
    command_id = hashed_id("elapse", str(timer.deadline_id), str(timer.done), at.isoformat())
    await runtime.act(agenda, timer.case_id, Elapse(up_to=at), command_id=command_id, case_id=timer.case_id)


async def due(runtime: Runtime) -> datetime | None:
    """When the next step falls due."""
    async with runtime.engine.connect() as connection:
        return await next_due(connection)


worker = Worker(name="timers", run=run, due=due)
