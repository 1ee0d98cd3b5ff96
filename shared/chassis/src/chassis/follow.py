"""How does a read model follow its service's log and what the service has heard?

Each source from a checkpoint of its own, in batches, one transaction a batch: rows and checkpoint are written together.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from chassis.connecting import LOST
from chassis.fold import Fold, missing
from chassis.pulse import Patience, Pulse
from chassis.rebuild import rebuild
from chassis.recent import Recent
from chassis.rows import Rows, apart
from chassis.telemetry import get_logger
from chassis.view import Decoder, View

log_line = get_logger(__name__)

Row = TypeVar("Row")

BATCH = 2000

KEPT_ROWS = 10_000
"""Rows kept in memory between batches: what has just changed is likely to change again."""

HELD = (
    "held as materialized (select name, position from checkpoints where name = any($1::text[]) order by name "
    "for update), "
    "moved as (update checkpoints set position = $4 where name = $3 and $2::bigint[] = (select "
    "array_agg(h.position order by n) from unnest($1::text[]) with ordinality w(name, n) join held h using (name)) "
    "and to_regclass($5) = $6::oid returning 1)"
)
"""Move a checkpoint if all checkpoints of the view are where they are expected, and its table is the one that was read;
they stay locked until the commit."""


class Folder(Generic[Row]):
    """Keeps one view's table up to date. `at` says how far each source has been folded: up to there it may be read."""

    def __init__(
        self, view: View[Row], own: str, pool: asyncpg.Pool, decode: Decoder, recent: Mapping[str, Recent] | None = None
    ) -> None:
        self.view, self._pool = view, pool
        self._fold, self._rows = Fold(view, own, decode, recent or {}), Rows(view.table, view.key, view.row)
        self.at: dict[str, int] = dict.fromkeys(view.sources, 0)
        self._read: int | None = None  # the table from which `_kept` was read; None: find out first
        self._kept: dict[Any, Row | None] = {}  # rows as they are at `at`; None where there is no row
        self.more = False  # after a step: there may be more already, without another beat

    async def step(self) -> bool:
        """Fold one batch of each source; was there anything? One transaction per batch, guarded by the checkpoint."""
        moved = self.more = False
        for source in self.view.sources:
            moved |= await self._advance(source)
        return moved

    async def _advance(self, source: str) -> bool:
        """Read what is new, fold it in memory, and write rows and checkpoint in one statement, which is a transaction.

        `at` moves only after that: whoever sees it there may read the rows."""
        async with self._pool.acquire() as c:
            if self._read is None:
                await self._begin(c)
            facts = await self._fold.read(c, source, self.at[source], BATCH)
            if not facts:
                return False
            position = facts[-1][0]
            moved = False
            try:
                moved = await self._write(c, source, position, await self._folded(c, source, facts))
            finally:
                if not moved:
                    self._read = None  # others have come further, or it failed: look again from where the table is
        if moved:
            self.at[source] = position
            self._let_go()
        self.more |= not (moved and self._fold.ends_at(source, position))
        return True

    async def _begin(self, c: Any) -> None:
        self._kept = {}
        async with c.transaction():
            self.at.update(await self._fold.lock(c))
            self._read = await c.fetchval("select to_regclass($1)::oid", self._rows.table())

    async def _folded(self, c: Any, source: str, facts: Sequence[Any]) -> dict[Any, Row | None]:
        """The rows that come out different."""
        touched = list(self._fold.touched(source, facts))
        await self._rows.load(c, self._rows.table(), missing(touched, self._kept, self.view.begins), self._kept)
        return self._fold.changed(touched, self._kept)

    def _let_go(self) -> None:
        if len(self._kept) > KEPT_ROWS:
            for key in list(self._kept)[: len(self._kept) - KEPT_ROWS // 2]:
                del self._kept[key]

    async def _write(self, c: Any, source: str, position: int, changed: dict[Any, Row | None]) -> bool:
        """Store rows and move the checkpoint, unless any source has been folded further than we knew when we read, or
        the table has been made anew: then nothing is written. Two processes that fold two sources into one row would
        else undo each other's work, and rows kept in memory would outlive those that they were read from."""
        names = [self._fold.checkpoint(s) for s in self.view.sources]
        gone, rows = apart(changed)
        table, if_moved = self._rows.table(), "exists (select from moved)"
        arguments: list[Any] = [
            names,
            list(self.at.values()),
            self._fold.checkpoint(source),
            position,
            table,
            self._read,
        ]
        steps = [HELD]
        if gone:
            arguments.append(gone)
            steps.append(f"gone as ({self._rows.delete(table, len(arguments), if_moved)})")
        if rows:
            upsert = self._rows.upsert(table, len(arguments) + 1, if_moved)
            steps.append(f"stored as ({upsert})")
            arguments += self._rows.arrays(rows)
        return bool(await c.fetchval(f"with {', '.join(steps)} select count(*) from moved", *arguments))

    async def rebuild(self, progress: Callable[[int], None] = lambda n: None) -> int:
        """Make the table anew while the service goes on; see `chassis.rebuild`."""
        return await rebuild(self._fold, self._rows, self._pool, progress)

    async def digest(self) -> str:
        """A hash over all rows in key order: two builds of one view must agree on it."""
        async with self._pool.acquire() as c:
            return await self._rows.digest(c)


async def follow(folders: Sequence[Folder[Any]], moved: Pulse, folded: Pulse) -> None:
    """Keep the given views up to date until cancelled. One that cannot go on is tried again later, alone.

    `moved` says that there may be something to fold, `folded` is told that something has been."""
    pause = dict.fromkeys((f.view.name for f in folders), 0.0)  # until when, on the loop's clock
    now, patience = asyncio.get_running_loop().time, Patience()
    while True:
        seen, busy, more = moved.count, False, False
        for folder in folders:
            name = folder.view.name
            if now() < pause[name]:
                continue
            try:
                busy |= await folder.step()
                more |= folder.more
            except (asyncpg.PostgresError, TimeoutError, *LOST) as error:
                log_line.info("view.waiting", view=name, why=type(error).__name__)
                pause[name] = now() + 0.2
            except Exception as error:
                log_line.error("view.stuck", view=name, at=folder.at, why=type(error).__name__)
                pause[name] = now() + 1
        wait = patience.after(busy)
        if busy:
            folded.beat()
        if not more:
            await moved.after(seen, wait)
