"""When are files thrown away that no plan names? A day after they came."""

from datetime import datetime
from uuid import UUID

from chassis.service import Runtime, Worker
from plan_service.documents.shelf import Shelf
from plan_service.domain.employment import employment
from plan_service.domain.situations import plans

LOOK_AGAIN = 0.5
"""Seconds until the clock is looked at again while there is nothing to do."""


async def sweep(runtime: Runtime) -> None:
    """Sweep whenever something has become due, until cancelled."""

    async def named(employment_id: UUID) -> set[UUID]:
        situation, _ = await runtime.load(employment, employment_id)
        return {v.document_ref for plan in plans(situation) for v in plan.versions if v.document_ref is not None}

    shelf = Shelf(runtime.pool, runtime.keys)
    while True:
        due = await shelf.next_sweep()
        if due is not None and due <= runtime.clock.now():
            await shelf.sweep(named, runtime.clock.now())
        else:
            await runtime.changed(LOOK_AGAIN)


async def next_sweep(runtime: Runtime) -> datetime | None:
    return await Shelf(runtime.pool, runtime.keys).next_sweep()


sweeper = Worker("sweep-documents", sweep, next_sweep)
