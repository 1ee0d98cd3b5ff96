"""Ours: the service's log, 32 writers, each request to a new stream."""

import uuid
from datetime import UTC, datetime
from itertools import cycle

import asyncpg
import uvloop
from tests.bench.inputs import encoded_plans
from tests.bench.loops import Outcome, closed_loop, ready
from tests.bench.stage import Stage

from chassis.log import Append, Appended, NewFact
from chassis.postgres import PostgresLog

WRITERS = 32


def measure(stage: Stage, seconds: float) -> Outcome:
    return uvloop.run(_measure(stage, seconds))


async def _measure(stage: Stage, seconds: float) -> Outcome:
    pool = await asyncpg.create_pool(stage.app, min_size=2, max_size=4)
    log = PostgresLog(stage.app, pool, lambda: datetime.now(UTC))
    await log.start()
    facts = cycle(encoded_plans(5000))
    written = 0

    def request() -> Append:
        f = next(facts)
        fact = NewFact(uuid.uuid4(), f.name, f.schema_version, f.data, f.sealed, f.envelope, f.subject)
        return Append(f"employment-{uuid.uuid4()}", 0, (fact,))

    requests = ready(request, 100_000)

    async def once(_: int) -> None:
        nonlocal written
        written += 1
        verdict = await log.append(next(requests))
        assert isinstance(verdict, Appended)

    found = await closed_loop(WRITERS, once, seconds=seconds)
    count, last = await pool.fetchrow("select count(*), max(position) from events") or (0, 0)
    assert count == last == await log.head() == written, "the log must be gapless and hold every answered fact"
    await log.stop()
    await pool.close()
    return found | {"writers": WRITERS}
