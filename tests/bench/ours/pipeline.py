"""Ours: a command in plan-service until it is committed in the read model of a service that listens.

Both services run as in production (write path with encryption, relay, JetStream, listener, read model), in one process
and event loop, as the rival does. Nothing is called past the runtime.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import uvloop
from tests.bench.commands import submissions
from tests.bench.loops import Outcome, percentile, settle
from tests.bench.runtimes import listening_service, plan_service, register, submit
from tests.bench.stage import Stage

from chassis.service import Runtime
from plan_service.domain.commands import SubmitPlan


class Pipeline:
    """Two services at work, and a look at how far the read model's committed checkpoint has come."""

    def __init__(self, plan: Runtime, listener: Runtime) -> None:
        self.plan, self.listener = plan, listener
        self.projected = 0
        self.took: list[float] = []
        self._under_way: deque[tuple[int, float]] = deque()
        self.moved = asyncio.Event()

    async def watch(self) -> None:
        """Note when the read model has committed a position; commands are answered in the order of their positions."""
        folder, pulse = self.listener.folders["employments"], self.listener.log.moved
        while True:
            seen = pulse.count
            at, now = folder.at["plan"], time.perf_counter()
            while self._under_way and self._under_way[0][0] <= at:
                self.took.append(now - self._under_way.popleft()[1])
            if at != self.projected:
                self.projected = at
                self.moved.set()
            await pulse.after(seen, 0.05)

    async def command(self, id: UUID, what: SubmitPlan, asked: float) -> None:
        done = await submit(self.plan, id, what)
        self._under_way.append((done.position, asked))

    async def until(self, position: int) -> None:
        while self.projected < position:
            self.moved.clear()
            await self.moved.wait()


@asynccontextmanager
async def pipeline(stage: Stage, employments: int) -> AsyncGenerator[tuple[Pipeline, list[UUID]], None]:
    async with plan_service(stage) as plan, listening_service(stage) as listener:
        made = Pipeline(plan, listener)
        watching = asyncio.create_task(made.watch())
        ids = await register(plan, employments)
        await made.until(employments)
        yield made, ids
        watching.cancel()


def measure(stage: Stage, commands: int, under_way: int) -> Outcome:
    """`commands` commands, at most `under_way` not yet projected: a second, committed in the read model."""
    return uvloop.run(_measure(stage, commands, under_way))


async def _measure(stage: Stage, commands: int, under_way: int) -> Outcome:
    warm = commands // 10
    async with pipeline(stage, commands + warm) as (line, ids):
        plans = submissions(commands + warm)
        await _drive(line, ids[:warm], plans[:warm], under_way)
        settle()
        before = time.perf_counter()
        await _drive(line, ids[warm:], plans[warm:], under_way)
        took = time.perf_counter() - before
        rows = await line.listener.pool.fetchval("select count(*) from views.employments where plan_version = 1")
        assert rows == len(ids), "each plan must be in the read model, once"
    return {"per_second": commands / took, "under_way": under_way, "commands": commands}


async def _drive(line: Pipeline, ids: list[UUID], plans: list[SubmitPlan], under_way: int) -> None:
    start, sent = line.projected, 0
    running: set[asyncio.Task[None]] = set()
    while sent < len(ids):
        while sent < len(ids) and sent - (line.projected - start) < under_way:
            task = asyncio.create_task(line.command(ids[sent], plans[sent], time.perf_counter()))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        line.moved.clear()
        await line.moved.wait()
    await line.until(start + len(ids))


def latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    """At a steady rate: how long from command to committed read model? Commands come on time, whatever is under way."""
    return uvloop.run(_latency(stage, per_second, seconds))


async def _latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    commands, warm = int(per_second * (seconds + 1)), per_second
    async with pipeline(stage, commands) as (line, ids):
        plans = submissions(commands)
        running: set[asyncio.Task[None]] = set()
        settle()
        start, sent = time.perf_counter(), 0
        while sent < commands:
            due = start + sent / per_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(line.command(ids[sent], plans[sent], due))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        took = time.perf_counter() - start
        await line.until(2 * commands)
        counted = line.took[-(commands - warm) :]
    return {
        "per_second": commands / took,
        "p50_ms": percentile(counted, 0.50) * 1e3,
        "p99_ms": percentile(counted, 0.99) * 1e3,
        "max_ms": max(counted) * 1e3,
    }
