"""Ours: commands a second in one process, with everything that protects and explains them, and without.

`with_all` is the product: sealed fields encrypted under each person's key, a server span around every command, tracing
at the product's default sampling into a file. `without` is the same path with keys that do not encrypt and no tracing:
the only thing in this bench that the product cannot be told to do. Employments are registered before the clock runs, so
persons have their keys: a key is made once in a person's life (`pipeline_vs_textbook` and the HTTP figure make them).
"""

from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from opentelemetry.sdk.trace import TracerProvider
from tests.bench.commands import STEPS, lives
from tests.bench.loops import Outcome, closed_loop
from tests.bench.runtimes import give, plan_service, side_by_side
from tests.bench.stage import Stage

from chassis.codec import Codec
from chassis.edge import Edge
from chassis.perform import Performer
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.telemetry import start_tracing
from contracts.plan import PLAN
from plan_service.domain.commands import Command

CLIENTS = 64
SAMPLED: float = Settings.model_fields["trace_ratio"].default
WARM = 0.5
MOST_PER_SECOND = 16_000
"""Commands prepared for each second of a run."""

GIVEN = STEPS - 1
"""Commands given to each employment while the clock runs: all but its registration."""


class OpenKeys:
    """Keys that do not lock anything."""

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        return plain

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        return sealed


def with_all(stage: Stage, seconds: float) -> Outcome:
    spans = Path(stage.master_key_file).with_name("spans.jsonl")
    spans.unlink(missing_ok=True)
    tracing = start_tracing("plan", SAMPLED, spans)
    found = uvloop.run(_measure(stage, seconds, tracing))
    tracing.shutdown()
    return found | {"sampled": SAMPLED, "spans": sum(1 for _ in spans.open())}


def without(stage: Stage, seconds: float) -> Outcome:
    return uvloop.run(_measure(stage, seconds, None))


async def _measure(stage: Stage, seconds: float, tracing: TracerProvider | None) -> Outcome:
    prepared = lives(int((WARM + seconds) * MOST_PER_SECOND / GIVEN) + CLIENTS)
    left = iter(prepared)
    async with plan_service(stage) as plan:
        if tracing is None:
            plan.perform = Performer(plan.log, Codec(PLAN), OpenKeys())
        await side_by_side(len(prepared), 256, lambda n: give(plan, prepared[n].id, prepared[n].commands[0]))

        async def once(_: int) -> None:
            life = next(left, None)
            assert life is not None, "more employments are needed: raise MOST_PER_SECOND"
            for command in life.commands[1:]:
                await through_edge(plan, life.id, command)

        found = await closed_loop(CLIENTS, once, seconds=seconds, warm=WARM)
    return {
        "per_second": found["per_second"] * GIVEN,
        "cpu_us_each": found["cpu_us_each"] / GIVEN,
        "clients": CLIENTS,
    }


async def through_edge(plan: Runtime, id: UUID, command: Command) -> None:
    """Inside the product's ASGI edge, which begins a span for each request where the process has tracing."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await give(plan, id, command)

    await Edge(app)({"type": "http", "method": "POST", "headers": []}, nothing, nothing)


async def nothing(*_: Any) -> Any:
    return {"type": "http.request", "body": b""}
