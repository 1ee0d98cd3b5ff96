"""Ours: a command in plan-service until it is committed in the read model of a service that listens.

Both services run as in production (write path with encryption, relay, JetStream, listener, read model), in one process
and event loop, as the rival does. Nothing is called past the runtime.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvloop
from tests.bench.commands import STEPS, lives
from tests.bench.loops import Outcome, sustained
from tests.bench.runtimes import listening_service, live, plan_service
from tests.bench.stage import Stage

from chassis.service import Runtime

MOST_PER_SECOND = 14_000
"""Commands prepared for each second of a run."""


class Pipeline:
    """Two services at work, and a look at how far the read model's committed checkpoint has come."""

    def __init__(self, plan: Runtime, listener: Runtime) -> None:
        self.plan, self.listener = plan, listener
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def watch(self) -> None:
        """Tell who waits what the read model has committed. Commands are answered in the order of their positions."""
        folder, pulse = self.listener.folders["employments"], self.listener.folded
        while True:
            seen = pulse.count
            while self._waiting and self._waiting[0][0] <= folder.at["plan"]:
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_result(None)
            await pulse.after(seen, 0.05)

    async def projected(self, position: int) -> None:
        """Wait until the fact at this position is committed in the read model."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, future))
        await future


@asynccontextmanager
async def pipeline(stage: Stage) -> AsyncGenerator[Pipeline, None]:
    async with plan_service(stage) as plan, listening_service(stage) as listener:
        made = Pipeline(plan, listener)
        watching = asyncio.create_task(made.watch())
        yield made
        watching.cancel()


def measure(stage: Stage, seconds: float, clients: int) -> Outcome:
    """Each client takes an employment through its life, waits until the read model shows it, and takes the next."""
    return uvloop.run(_measure(stage, seconds, clients))


async def _measure(stage: Stage, seconds: float, clients: int) -> Outcome:
    warm = 1.0
    prepared = lives(int((warm + seconds) * MOST_PER_SECOND / STEPS) + clients)
    left = iter(prepared)
    lived = 0
    async with pipeline(stage) as line:

        async def once(_: int) -> None:
            nonlocal lived
            done = await live(line.plan, next(left))
            await line.projected(done.position)
            lived += 1

        folder = line.listener.folders["employments"]
        found = await sustained(clients, once, lambda: folder.at["plan"], seconds=seconds, warm=warm)
        rows = await line.listener.pool.fetchval("select count(*) from views.employments where score is not null")
        assert rows == lived, "each employment must be in the read model with its plan assessed"
    return found | {"clients": clients}
