"""Rival: one plain INSERT for each fact with asyncpg, as fast as 32 connections go.

It promises less than a log: positions come from a sequence, so they have gaps, and a follower that reads them in order
can miss a fact that commits late. Same columns and same bytes as our log, prepared statements, uvloop.
"""

import uuid
from itertools import cycle
from typing import Any

import asyncpg
import uvloop
from tests.bench.inputs import encoded_plans
from tests.bench.loops import Outcome, closed_loop, ready
from tests.bench.stage import Stage

CONNECTIONS = 32

TABLE = """
create schema raw;
create table raw.events (
    position bigserial primary key,
    stream_id text collate "C" not null,
    version int not null,
    event_id uuid not null,
    type text collate "C" not null,
    schema_version int not null,
    data bytea not null,
    sealed bytea,
    envelope bytea not null,
    subject_key uuid,
    recorded_at timestamptz not null default now(),
    unique (stream_id, version)
)
"""

INSERT = """
insert into raw.events (stream_id, version, event_id, type, schema_version, data, sealed, envelope, subject_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning position
"""


def measure(stage: Stage, seconds: float) -> Outcome:
    return uvloop.run(_measure(stage, seconds))


async def _measure(stage: Stage, seconds: float) -> Outcome:
    connections = [await asyncpg.connect(stage.owner) for _ in range(CONNECTIONS)]
    await connections[0].execute(TABLE)
    statements = [await connection.prepare(INSERT) for connection in connections]
    facts = cycle(encoded_plans(5000))

    def row() -> tuple[Any, ...]:
        f, stream = next(facts), f"employment-{uuid.uuid4()}"
        return stream, 1, uuid.uuid4(), f.name, f.schema_version, f.data, f.sealed, f.envelope, f.subject

    rows = ready(row, 100_000)

    async def once(client: int) -> None:
        await statements[client].fetchval(*next(rows))

    found = await closed_loop(CONNECTIONS, once, seconds=seconds)
    for connection in connections:
        await connection.close()
    return found | {"connections": CONNECTIONS}
