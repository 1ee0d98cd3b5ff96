"""How is a read model made anew while the service goes on writing and reading?

Everything is folded from the start in memory, written into a shadow table once, and what has come meanwhile is folded
after it; then table and checkpoints are swapped in one transaction. Only the rows as they are in the end are written,
unless there are more of them than memory is to hold.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from chassis.decider import Refused
from chassis.fold import Fold, Touched, missing
from chassis.rows import Rows

Row = TypeVar("Row")

BATCH = 2000

AT_ONCE = 250
"""Facts folded before others in this process have their turn; what was asked of the database comes in meanwhile."""

FEW = 200
"""What is left when no more than this came in the last round is folded while others wait for the swap."""

CACHED_ROWS = 200_000
"""Rows kept in memory before the oldest are let go; they are read back when needed again."""

SHADOW = "__shadow"


class RebuildUnderWay(Refused):
    reason = "This read model is already being rebuilt."
    do = "Wait until that has ended; rebuild again only if it did not succeed."


async def rebuild(
    fold: Fold[Row], rows: Rows[Row], pool: asyncpg.Pool, progress: Callable[[int], None] = lambda n: None
) -> int:
    """Answers how many facts were folded. Raises RebuildUnderWay when this view is being rebuilt already, by whatever
    process: both would fill the same shadow."""
    async with pool.acquire() as c, _alone(c, fold.view.name):
        return await _Building(fold, rows, c, progress).run()


@contextlib.asynccontextmanager
async def _alone(c: Any, view: str) -> AsyncGenerator[None]:
    name = f"rebuild:{view}"
    if not await c.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
        raise RebuildUnderWay
    try:
        yield
    finally:
        try:
            await c.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)
        except BaseException:
            c.terminate()  # the lock goes with its connection
            raise


class _Building(Generic[Row]):
    """One rebuild under way, on one connection."""

    def __init__(self, fold: Fold[Row], rows: Rows[Row], c: Any, progress: Callable[[int], None]) -> None:
        self._fold, self._rows, self._c, self._progress = fold, rows, c, progress
        self._live, self._shadow = rows.table(), rows.table(SHADOW)
        self._at = dict.fromkeys(fold.view.sources, 0)
        self._folded = 0
        self._cache: dict[Any, Row | None] = {}
        self._whole = True  # as long as no row has been let go, a key that is not in the cache has none
        self._unwritten: dict[Any, Row | None] | None = None  # None: nothing has been written yet
        self._made = False

    async def run(self) -> int:
        before = -FEW - 1
        while self._folded - before > FEW:
            before = self._folded
            await self._catch_up()
            await self._write()
        async with self._c.transaction():
            await self._c.execute(f"lock table {self._live} in share row exclusive mode")  # before, as followers do
            await self._fold.lock(self._c)
            await self._catch_up()
            await self._write()
            await self._c.execute(f'drop table {self._live}; alter table {self._shadow} rename to "{self._rows.name}"')
            for source, position in self._at.items():
                await self._fold.move(self._c, source, position)
        return self._folded

    async def _catch_up(self) -> None:
        for source in self._fold.view.sources:
            facts = await self._read(source)
            while facts:
                facts = await self._take(source, facts)

    async def _take(self, source: str, facts: Sequence[Any]) -> Sequence[Any]:
        """Fold a batch. Answers the next one, which is on its way while this one is being folded."""
        self._at[source] = facts[-1][0]
        ahead = asyncio.ensure_future(self._ahead(source, len(facts)))
        touched: list[Touched] = []
        try:
            for first in range(0, len(facts), AT_ONCE):
                await asyncio.sleep(0)
                touched += self._in_memory(source, facts[first : first + AT_ONCE])
        finally:
            await asyncio.gather(ahead, return_exceptions=True)
        await self._with_table(touched)
        self._folded += len(facts)
        self._progress(self._folded)
        return ahead.result()

    async def _read(self, source: str) -> Sequence[Any]:
        return await self._fold.select(self._c, source, self._at[source], BATCH)

    async def _ahead(self, source: str, full: int) -> Sequence[Any]:
        """The next batch, unless the one before was not full: what has come since is asked for in the next round."""
        facts = await self._read(source) if full == BATCH else ()
        await self._make_shadow()
        return facts

    async def _make_shadow(self) -> None:
        if not self._made:
            self._made = True
            await self._rows.make(self._c, SHADOW)

    def _in_memory(self, source: str, facts: Sequence[Any]) -> list[Touched]:
        """Fold without the table, as long as nothing is in it; what is left to be folded with it."""
        if self._unwritten is not None:
            return list(self._fold.touched(source, facts))
        self._fold.changed(self._fold.touched(source, facts), self._cache)
        return []

    async def _with_table(self, touched: list[Touched]) -> None:
        if touched and self._unwritten is not None:
            if not self._whole:
                await self._rows.load(
                    self._c, self._shadow, missing(touched, self._cache, self._fold.view.begins), self._cache
                )
            self._unwritten |= self._fold.changed(touched, self._cache)
        if len(self._cache) > CACHED_ROWS:
            await self._write()
            self._let_go()

    def _let_go(self) -> None:
        for key in list(self._cache)[: len(self._cache) - CACHED_ROWS // 2]:
            del self._cache[key]
        self._whole = False

    async def _write(self) -> None:
        await self._make_shadow()
        if self._unwritten is None:
            await self._rows.fill(self._c, SHADOW, self._cache)
        elif self._unwritten:
            await self._rows.store(self._c, self._shadow, self._unwritten)
        self._unwritten = {}
