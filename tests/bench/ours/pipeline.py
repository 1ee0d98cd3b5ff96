"""Ours: a command in plan-service until it is committed in the read model of a service that listens.

Both services run as in production (write path with encryption, relay, JetStream, listener, read model), in one process
and event loop, as the rival does. Nothing is called past the runtime.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvloop
from tests.bench.commands import STEPS, Life, lives
from tests.bench.loops import Outcome, percentile, settle, sustained
from tests.bench.runtimes import give, listening_service, live, plan_service
from tests.bench.stage import Stage

from chassis.service import Runtime

MOST_PER_SECOND = 14_000
"""Commands prepared for each second of a run."""


class Pipeline:
    """Two services at work, and a look at how far the read model's committed checkpoint has come."""

    def __init__(self, plan: Runtime, listener: Runtime) -> None:
        self.plan, self.listener = plan, listener
        self.took: list[float] = []
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def watch(self) -> None:
        """Tell who waits what the read model has committed. Commands are answered in the order of their positions."""
        folder, pulse = self.listener.folders["employments"], self.listener.log.moved
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

    async def command(self, life: Life, step: int, asked: float) -> None:
        done = await give(self.plan, life.id, life.commands[step])
        await self.projected(done.position)
        self.took.append(time.perf_counter() - asked)


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


def latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    """At a steady rate: how long from command to committed read model? Commands come on time, whatever is under way."""
    return uvloop.run(_latency(stage, per_second, seconds))


async def _latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    """An employment's next command comes a second after its last, so the first seconds bring less and do not count."""
    ramp = STEPS
    slots = int(per_second * (ramp + seconds))
    prepared = lives(slots // STEPS + 1)
    running: set[asyncio.Task[None]] = set()
    before = 0
    async with pipeline(stage) as line:
        settle()
        start = time.perf_counter()
        for slot in range(slots):
            due = start + slot / per_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            if slot == per_second * ramp:
                before = len(line.took)
            step = slot % STEPS
            number = slot // STEPS - step * per_second // STEPS
            if number >= 0:
                task = asyncio.create_task(line.command(prepared[number], step, due))
                running.add(task)
                task.add_done_callback(running.discard)
        took = time.perf_counter() - start - ramp
        await asyncio.gather(*running)
        counted = line.took[before:]
    return {
        "per_second": per_second * seconds / took,
        "p50_ms": percentile(counted, 0.50) * 1e3,
        "p99_ms": percentile(counted, 0.99) * 1e3,
        "max_ms": max(counted) * 1e3,
    }
