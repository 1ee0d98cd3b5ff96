"""Ours: commands a second in one process, with everything that protects and explains them, and without.

With it is the product: sealed fields encrypted under each person's key, a server span around every command, tracing at
the product's default sampling into a file. Without it is the same path with keys that do not encrypt and no tracing:
the only thing in this bench that the product cannot be told to do. Both take turns of 0.4 seconds in one process, on
one database: what is to be seen is smaller than what a shared machine changes in a few seconds, so there are many.
Employments are registered before a turn's clock runs, so persons have their keys: a key is made once in a person's life
(`pipeline_vs_textbook` and the HTTP figure make them).
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider
from opentelemetry.trace import TracerProvider as ApiProvider
from tests.bench.commands import STEPS, Life
from tests.bench.loops import Once, Outcome, by_turns
from tests.bench.runtimes import SAMPLING, give, plan_service, side_by_side
from tests.bench.stage import Stage

from chassis.codec import Codec
from chassis.edge import Edge
from chassis.perform import Performer
from chassis.sampling import AtMost
from chassis.service import Runtime
from chassis.telemetry import start_tracing
from contracts.plan import PLAN
from plan_service.domain.commands import Command

CLIENTS = 64
TURN = 0.4
"""Seconds of one turn."""

MOST_PER_SECOND = 30_000
"""Commands that a turn is prepared for; those that it did not come to are left for the next."""

GIVEN = STEPS - 1
"""Commands given to each employment while the clock runs: all but its registration."""


class OpenKeys:
    """Keys that do not lock anything."""

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        return plain

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        return sealed


def measure(stage: Stage, turns: int) -> Outcome:
    spans = Path(stage.master_key_file).with_name("spans.jsonl")
    spans.unlink(missing_ok=True)
    tracing = start_tracing("plan", AtMost(SAMPLING["trace_ratio"], SAMPLING["trace_per_second"]), spans)
    ours, rival = uvloop.run(_measure(stage, turns, tracing))
    tracing.shutdown()
    return {"ours": ours | SAMPLING | {"spans": sum(1 for _ in spans.open())}, "rival": rival}


async def _measure(stage: Stage, turns: int, tracing: TracerProvider) -> list[Outcome]:
    async with plan_service(stage) as plan:
        open_keys = Performer(plan.log, Codec(PLAN), OpenKeys())
        sides = [_side(plan, plan.perform, tracing, seed=3), _side(plan, open_keys, NoOpTracerProvider(), seed=4)]

        async def settled() -> None:
            await _published(plan)
            tracing.force_flush()

        found = await by_turns(CLIENTS, sides, settled, turns=turns, seconds=TURN)
    return [
        {
            "per_second": each["per_second"] * GIVEN,
            "cpu_us_each": each["cpu_us_each"] / GIVEN,
            "clients": CLIENTS,
        }
        for each in found
    ]


async def _published(plan: Runtime) -> None:
    """Until the relay has sent all that was appended."""
    while plan.relay is None or plan.relay.published != plan.log.known:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)


def _side(plan: Runtime, perform: Performer, tracing: ApiProvider, seed: int) -> Callable[[], Awaitable[Once]]:
    """What prepares a turn of one side."""
    dice = random.Random(seed)
    registered: deque[Life] = deque()

    async def turn() -> Once:
        plan.perform = perform
        trace.get_tracer_provider = lambda: tracing  # OpenTelemetry lets nobody set it a second time
        more = [Life(dice) for _ in range(int(TURN * MOST_PER_SECOND / GIVEN) - len(registered))]
        await side_by_side(len(more), 256, lambda n: give(plan, more[n].id, more[n].commands[0]))
        await _published(plan)
        registered.extend(more)
        return once

    async def once(_: int) -> None:
        assert registered, "more employments are needed: raise MOST_PER_SECOND"
        life = registered.popleft()
        for command in life.commands[1:]:
            await through_edge(plan, life.id, command)

    return turn


async def through_edge(plan: Runtime, id: UUID, command: Command) -> None:
    """Inside the product's ASGI edge, which begins a span for each request where the process has tracing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await give(plan, id, command)

    await Edge(app)({"type": "http", "method": "POST", "path": "/", "headers": []}, nothing, nothing)


async def nothing(*_: Any) -> Any:
    return {"type": "http.request", "body": b""}
