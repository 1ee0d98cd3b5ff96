"""Fire what has fallen due: each step once, in order of time, and only up to the moment that is known completely.

First it is asked up to when every source has been heard and reacted to; then the read model of timers is waited for, so
that whatever was heard up to that moment is in it; only then does anything fire. So a plan that came in time counts as
come, also when it is heard after a week's outage. A case, or a tip, of which a message has been set aside waits until
that message has been dealt with: it may hold what would have settled the matter.
"""

import asyncio
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag

from chassis.clock import hashed_id
from chassis.codec import Unreadable
from chassis.service import Runtime, Worker, per_runtime
from chassis.telemetry import get_logger
from notification_service.domain.agenda import agenda_for
from notification_service.domain.commands import Elapse
from notification_service.views.timers import Timer, due_at, next_due, timers

log_line = get_logger(__name__)

GROUP = 500
AT_ONCE = 32
LOOK_EVERY = 0.5
LOOK_EVERY_SIMULATED = 0.05
"""Seconds. Simulated time stands still between moves and jumps to the next due time, so it is looked at more often."""


class Firing:
    """The firing at work in one process. `stuck` are agendas that cannot be worked out: they stop nobody else,
    and what they have due stays due in /status until the process is started with code that can."""

    def __init__(self) -> None:
        self._stuck: set[UUID] = set()

    async def run(self, runtime: Runtime) -> None:
        """Fire until cancelled."""
        pause = LOOK_EVERY_SIMULATED if runtime.clock.simulated else LOOK_EVERY
        while True:
            if not await self.fire(runtime):
                await runtime.changed(pause)

    async def fire(self, runtime: Runtime) -> bool:
        """Fire the steps of the earliest time that has come; was there one? Raises a Problem when the view lags."""
        known_up_to = await runtime.moment()
        if known_up_to is None:
            return False
        await runtime.caught_up(timers, {})
        async with runtime.engine.connect() as connection:
            at = await next_due(connection, self._stuck)
            if at is None or at > known_up_to:
                return False
            group = await due_at(connection, at, self._stuck, GROUP)
        agendas = list({t.agenda_id: t for t in group}.values())
        for n in range(0, len(agendas), AT_ONCE):
            await asyncio.gather(*(self._elapse(runtime, t, at) for t in agendas[n : n + AT_ONCE]))
        return True

    async def _elapse(self, runtime: Runtime, timer: Timer, at: datetime) -> None:
        command_id = hashed_id("elapse", str(timer.deadline_id), str(timer.done), at.isoformat())
        try:
            keeper, elapse = agenda_for(timer.case_id), Elapse(up_to=at)
            await runtime.act(keeper, timer.agenda_id, elapse, command_id=command_id, case_id=timer.case_id)
        except (Unreadable, InvalidTag, RuntimeError, LookupError) as error:
            self._stuck.add(timer.agenda_id)
            log_line.error("timer.stuck", agenda=str(timer.agenda_id), why=type(error).__name__)


async def due(runtime: Runtime) -> datetime | None:
    """When the next step falls due."""
    async with runtime.engine.connect() as connection:
        return await next_due(connection)


def worker() -> Worker:
    of = per_runtime(Firing)
    return Worker(name="timers", run=lambda r: of(r).run(r), due=due)
