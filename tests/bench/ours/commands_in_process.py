"""Ours: commands a second in one process, with everything that protects and explains them, and without.

`with_all` is the product: sealed fields encrypted under each person's key, a server span around every command, tracing
at the product's default sampling into a file. `without` is the same path with keys that do not encrypt and no tracing:
the only thing in this bench that the product cannot be told to do.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from opentelemetry.sdk.trace import TracerProvider
from tests.bench.commands import submissions
from tests.bench.loops import Outcome, closed_loop
from tests.bench.runtimes import plan_service, register, submit
from tests.bench.stage import Stage

from chassis.codec import Codec
from chassis.edge import Edge
from chassis.perform import Performer
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.telemetry import start_tracing
from contracts.plan import PLAN

CLIENTS = 64
SAMPLED: float = Settings.model_fields["trace_ratio"].default
Given = Callable[[int], Awaitable[Any]]


class OpenKeys:
    """Keys that do not lock anything."""

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        return plain

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        return sealed


def with_all(stage: Stage, seconds: float, employments: int) -> Outcome:
    spans = Path(stage.master_key_file).with_name("spans.jsonl")
    spans.unlink(missing_ok=True)
    tracing = start_tracing("plan", SAMPLED, spans)
    found = uvloop.run(_measure(stage, seconds, employments, tracing))
    tracing.shutdown()
    return found | {"sampled": SAMPLED, "spans": sum(1 for _ in spans.open())}


def without(stage: Stage, seconds: float, employments: int) -> Outcome:
    return uvloop.run(_measure(stage, seconds, employments, None))


async def _measure(stage: Stage, seconds: float, employments: int, tracing: TracerProvider | None) -> Outcome:
    async with plan_service(stage) as plan:
        if tracing is None:
            plan.perform = Performer(plan.log, Codec(PLAN), OpenKeys())
        ids = await register(plan, employments)
        given = _through_edge(plan, ids) if tracing is not None else _straight(plan, ids)
        found = await closed_loop(CLIENTS, given, seconds=seconds)
    return found | {"clients": CLIENTS}


def _straight(plan: Runtime, ids: list[UUID]) -> Given:
    """Each call hands in the plan of the next employment."""
    plans = submissions(len(ids))
    left = iter(range(len(ids)))

    async def once(_: int) -> None:
        n = next(left, None)
        assert n is not None, "more employments are needed for a run of this length"
        await submit(plan, ids[n], plans[n])

    return once


def _through_edge(plan: Runtime, ids: list[UUID]) -> Given:
    """The same inside the product's ASGI edge, which begins a span for each request."""
    straight = _straight(plan, ids)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await straight(0)

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request", "body": b""}

    edge = Edge(app)

    async def once(_: int) -> None:
        await edge({"type": "http", "method": "POST", "headers": []}, nothing, nothing)

    return once
