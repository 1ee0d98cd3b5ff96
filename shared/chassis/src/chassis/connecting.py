"""What is trouble with the database itself, and on which PostgreSQL may a log be written?"""

from typing import Any

import asyncpg

LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError,
        asyncpg.InternalClientError, asyncpg.CannotConnectNowError)  # fmt: skip
NOT_NOW = ("53", "58", "40", "25006")
"""SQLSTATEs that say nothing about the request: resources, system errors, rollbacks, a server that only reads."""

SAFE = {"synchronous_commit": "on", "application_name": "samordna"}
NOT_AWAITED = SAFE | {"synchronous_commit": "off"}
"""For what is copied from a log or a stream together with its checkpoint: what was heard, reacted to, folded. A crash
takes the newest of it back, checkpoint and all, and it is copied again. So nobody waits for the disk. PostgreSQL keeps
the order: whatever is appended afterwards and acknowledged takes along what it was decided on."""


def passes(error: BaseException) -> bool:
    """Is this trouble with the database itself, which passes, so that the same may be asked again?"""
    return isinstance(error, LOST) or (isinstance(error, asyncpg.PostgresError) and sqlstate(error).startswith(NOT_NOW))


class NotDurable(Exception):
    """This PostgreSQL may lose what it has acknowledged, so nothing is started on it."""


async def refuse_unsafe(dsn: str) -> None:
    """Raise NotDurable on a server, database or role with fsync, full_page_writes or synchronous_commit off.

    A connection of its own asks, because ours ask for synchronous commit themselves."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            if await connection.fetchval(f"show {name}") == "off":
                raise NotDurable(
                    f"PostgreSQL runs with {name} = off: a crash could lose facts that were acknowledged. "
                    f"Set {name} = on and start again."
                )
    finally:
        await connection.close()


async def nothing_to_reset(_: Any) -> None:
    """For pools: none of their users sets anything for its session, so giving a connection back costs no round trip.

    asyncpg still rolls back a transaction that was left open."""


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for what happened, or the error's name where it has none."""
    return str(getattr(error, "sqlstate", None) or type(error).__name__)
