"""Which of several processes does the work that only one may do? The one that holds an advisory lock in our database.

All locks of a process hang on one connection; when it dies they are lost, and `check` says so. Whatever is done under a
lock is guarded by a checkpoint as well, so that a process that does not yet know of its loss harms nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import asyncpg

from chassis.connecting import LOST, passes

TRY_EVERY = 0.2


class LockLost(Exception):
    """The connection that held the lock is gone; another process may hold it now."""


class Locks:
    """The locks of one process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def hold(self, name: str) -> AsyncGenerator["Held"]:
        """Wait until we are the one, hold the lock inside the block. Connection errors are waited out."""
        connection = await self._take(name)
        try:
            yield Held(connection)
        finally:
            await self._give_back(connection, name)

    async def _take(self, name: str) -> asyncpg.Connection:
        while True:
            try:
                async with self._one_at_a_time:
                    connection = self._connection
                    if connection is None or connection.is_closed():
                        connection = self._connection = await asyncpg.connect(self._dsn, timeout=5)
                    if await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
                        return connection
            except (asyncpg.PostgresError, *LOST) as error:
                if not passes(error):
                    raise
            await asyncio.sleep(TRY_EVERY)

    async def _give_back(self, connection: asyncpg.Connection, name: str) -> None:
        with contextlib.suppress(*LOST, TimeoutError):
            async with self._one_at_a_time:
                if not connection.is_closed():
                    await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


class Held:
    """A lock in hand."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def check(self) -> None:
        """Raise LockLost when the connection that holds the lock is gone."""
        if self._connection.is_closed():
            raise LockLost
