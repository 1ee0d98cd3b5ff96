"""Ours: plan-service's read model of employments, made anew from its log and swapped in, as `samordna rebuild` does."""

import asyncio
import time
from pathlib import Path

import uvloop
from tests.bench.facts_in_log import RECORDED, Placed, placed
from tests.bench.loops import Outcome, settle
from tests.bench.rows import digest
from tests.bench.runtimes import plan_service
from tests.bench.stage import Stage

from chassis.clock import set_simulated
from chassis.log import Append, Appended
from chassis.postgres import FEW, PostgresLog


def measure(stage: Stage, facts: int) -> Outcome:
    return uvloop.run(_measure(stage, facts))


async def _measure(stage: Stage, facts: int) -> Outcome:
    clock = Path(stage.master_key_file).with_name("clock")
    set_simulated(clock, RECORDED)
    async with plan_service(stage, parts="api", clock=f"simulated:{clock}") as plan:
        await _fill(plan.log, facts)
        settle()
        before = time.perf_counter()
        folded = await plan.folders["employments"].rebuild()
        took = time.perf_counter() - before
        assert folded == facts, "every fact must have been folded"
    return {"per_second": facts / took, "facts": facts, "seconds": took, "rows": await digest(stage.app)}


async def _fill(log: PostgresLog, facts: int) -> None:
    """The facts at positions 1, 2, 3 and so on; those of different streams in one call, and so few that they are not
    shared out between two."""
    position, together = 0, dict[str, Placed]()
    for one in [*placed(facts), None]:
        if one is None or one.stream in together or len(together) == FEW - 1:
            requests = [Append(p.stream, p.version - 1, (p.fact,)) for p in together.values()]
            for verdict in await asyncio.gather(*map(log.append, requests)):
                position += 1
                assert isinstance(verdict, Appended)
                assert verdict.position == position
            together.clear()
        if one is not None:
            together[one.stream] = one
