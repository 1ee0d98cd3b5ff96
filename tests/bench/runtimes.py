"""How are the product's services put to work inside the bench's own process? As `create_app` does, without HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from tests.bench.commands import Life
from tests.bench.inputs import HR
from tests.bench.loops import Once
from tests.bench.stage import Stage

from chassis.clock import new_id
from chassis.envelope import Actor
from chassis.garbage import collect_less_often
from chassis.perform import Done
from chassis.service import Runtime, Service
from chassis.settings import Settings
from contracts.notification import NOTIFICATION
from contracts.plan import PLAN
from contracts.values import PARTIES
from plan_service import main as plan_main
from plan_service.domain.commands import Command, SubmitPlan
from plan_service.domain.employment import employment
from plan_service.views.employments import employments

LISTENER = Service(
    name="notification", facts=NOTIFICATION, hears=(PLAN,), aggregates=(), router=APIRouter(), parties=PARTIES,
    views=(employments,),
)  # fmt: skip
"""A service that hears plan-service and keeps plan-service's own read model of employments from what it hears."""

SAMPLING: dict[str, float] = {name: Settings.model_fields[name].default for name in ("trace_ratio", "trace_per_second")}
"""What the product samples unless it is told otherwise."""

FK = Actor(org_type="FK", org_id="2021005521", role="fk.handler", user_ref="0c1b7c0e-52d5-4bb1-8a0f-5b0a6f1d7a10")


@asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncGenerator[Runtime, None]:
    runtime = Runtime(service, settings)
    await runtime.start()
    try:
        while not runtime.is_writable():  # noqa: ASYNC110 - it says so by an event of its own
            await asyncio.sleep(0.01)
        collect_less_often()  # as `python -m chassis serve` does
        yield runtime
    finally:
        await runtime.stop()


@asynccontextmanager
async def plan_service(stage: Stage, parts: str = "relay", **more: Any) -> AsyncGenerator[Runtime, None]:
    settings = _settings(stage, database_url=stage.app, nats_url=stage.nats_plan, parts=parts, **more)
    async with running(plan_main.service, settings) as runtime:
        yield runtime


@asynccontextmanager
async def listening_service(stage: Stage) -> AsyncGenerator[Runtime, None]:
    settings = _settings(
        stage, database_url=stage.heard_app, nats_url=stage.nats_notification, parts="listen,react,views"
    )
    async with running(LISTENER, settings) as runtime:
        yield runtime


def _settings(stage: Stage, **more: Any) -> Settings:
    return Settings(keys_database_url=stage.keys_app, master_key_file=Path(stage.master_key_file), **more)


async def live(plan: Runtime, life: Life) -> Done:
    """All commands of an employment's life, one after the other; what came of the last."""
    for command in life.commands[:-1]:
        await give(plan, life.id, command)
    return await give(plan, life.id, life.commands[-1])


def give(plan: Runtime, id: UUID, command: Command) -> Awaitable[Done]:
    """One command, with an id of its own that makes it safe to repeat."""
    actor = HR if isinstance(command, SubmitPlan) else FK
    return plan.act(employment, id, command, command_id=new_id(), actor=actor)


async def side_by_side(count: int, clients: int, once: Once) -> None:
    """`once(0)` to `once(count - 1)`, so many at a time."""
    left = iter(range(count))

    async def client() -> None:
        for n in left:
            await once(n)

    await asyncio.gather(*(client() for _ in range(clients)))
