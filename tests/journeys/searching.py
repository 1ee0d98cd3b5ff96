"""Where could something that is sealed come to light? Every place in which the house keeps or says anything.

The e-mails that the stack's desk has received are not the house's: they are at their recipient.
"""

import io
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import asyncpg
import nats
from tests.journeys.house import House
from tests.journeys.marking import forms

from chassis.servers import Postgres

Found = tuple[str, str]
"""A kind of place, and which one."""

TABLES = (
    "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c "
    "join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') "
    "and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1"
)


async def search(house: House, *marks: str) -> list[Found]:
    """Every place in which one of `marks` stands, in whatever form."""
    wanted = [form for mark in marks for form in forms(mark)]
    return [where async for where, content in everything(house) if any(form in content for form in wanted)]


async def everything(house: House) -> AsyncGenerator[tuple[Found, bytes], None]:
    """Every place with what it holds."""
    for problem in house.problems:
        yield ("problem", "a problem document"), problem
    async for found in _tables(house.stack.postgres):
        yield found
    async for found in _messages(house.stack.nats.url("ops")):
        yield found
    await house.stack.postgres.execute("checkpoint")
    for found in _files(house.stack.home, house.stack.postgres.data):
        yield found


async def _tables(postgres: Postgres) -> AsyncGenerator[tuple[Found, bytes], None]:
    for (database,) in await postgres.execute("select datname from pg_database where datallowconn order by 1"):
        async with postgres.connected(database) as connection:
            for (table,) in await connection.fetch(TABLES):
                for shape in ("text", "binary"):
                    yield ("table", f"{database}: {table}"), await _copied(connection, table, shape)


async def _copied(connection: asyncpg.Connection, table: str, shape: str) -> bytes:
    out = io.BytesIO()
    await connection.copy_from_query(f"select * from {table}", output=out, format=shape)
    return out.getvalue()


async def _messages(url: str) -> AsyncGenerator[tuple[Found, bytes], None]:
    """Every message of every stream: subject, headers and body."""
    client = await nats.connect(url)
    try:
        js = client.jetstream()
        for stream in await js.streams_info():
            name, left = stream.config.name, stream.state.messages
            assert name is not None
            messages = await js.subscribe(">", stream=name, ordered_consumer=True)
            for _ in range(left):
                m = await messages.next_msg(timeout=5)
                yield ("message", f"{name}: {m.subject}"), f"{m.subject} {m.headers} ".encode() + m.data
    finally:
        await client.close()


def _files(home: Path, database: Path) -> Iterator[tuple[Found, bytes]]:
    mail = home / "mail"
    for file in sorted({*home.rglob("*"), *database.rglob("*")}):
        if file.is_file() and not file.is_relative_to(mail):
            try:
                yield (_kind(file, home, database), file.name), file.read_bytes()
            except FileNotFoundError:
                continue  # the servers go on working


def _kind(file: Path, home: Path, database: Path) -> str:
    if file.is_relative_to(database):
        return "log file of postgres" if "pg_wal" in file.parts else "data file of postgres"
    if file.is_relative_to(home / "nats"):
        return "data file of nats"
    return {".log": "service log", ".jsonl": "trace"}.get(file.suffix, "file")
