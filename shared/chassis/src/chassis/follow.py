"""How does a read model follow its service's log and what the service has heard?

Each source from a checkpoint of its own, in batches, one transaction a batch: rows and checkpoint are written together.
A few facts that are just being heard are folded at once and written by the statement that hears them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Generic, TypeVar

import asyncpg

from chassis.connecting import LOST
from chassis.fold import Fold, missing
from chassis.pulse import SOON, Patience, Pulse
from chassis.rebuild import rebuild
from chassis.recent import Recent
from chassis.rows import Rows, apart
from chassis.statement import Statement
from chassis.telemetry import get_logger
from chassis.view import Decoder, View

log_line = get_logger(__name__)

Row = TypeVar("Row")

BATCH = 2000

WITHIN = 1.0
"""Seconds that hearing waits for read models to be written with it; a table that is locked must not keep it waiting."""

BUSY = 0.02
"""Seconds that hearing waits for a read model that is just folding something."""

KEPT_ROWS = 10_000
"""Rows kept in memory between batches: what has just changed is likely to change again."""


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
        self._look = dict.fromkeys(view.sources, 0.0)  # until when the database is not asked for what memory lacks
        self.more = False  # after a step: there may be more already, without another beat
        self.alone = asyncio.Lock()  # who folds

    async def step(self) -> bool:
        """Fold one batch of each source; was there anything? One transaction per batch, guarded by the checkpoint."""
        moved = self.more = False
        async with self.alone:
            for source in self.view.sources:
                moved |= await self._advance(source)
        return moved

    def look(self) -> None:
        """Ask the database at the next step, whatever memory says: somebody waits for what other processes wrote."""
        self._look = dict.fromkeys(self.view.sources, 0.0)

    def doubt(self) -> None:
        """Look again how far the table is: the database may have taken back the newest of it in a crash."""
        self._read = None
        self.at = dict.fromkeys(self.view.sources, 0)

    async def _advance(self, source: str) -> bool:
        """Read what is new, fold it in memory, and write rows and checkpoint in one statement."""
        facts = self._fold.remembered(source, self.at[source], BATCH) if self._read is not None else ()
        if not facts and self._read is not None and self._nothing_new(source):
            return False
        async with self._pool.acquire() as c:
            if self._read is None:
                await self._begin(c)
                facts = ()  # if it was doubted just now, they do not follow what the table holds
            facts = facts or await self._fold.select(c, source, self.at[source], BATCH)
            if not facts:
                self._look_later(source)
                return False
            statement, moved = Statement(), False
            try:
                place = await self._add(statement, c, source, facts)
                moved = (await statement.run(c))[place]
            finally:
                self._stored(source, facts, moved)
        self.more |= not (moved and self._fold.ends_at(source, facts[-1][0]))
        return True

    def _nothing_new(self, source: str) -> bool:
        """Nothing was written here, and what others write is looked for now and then."""
        at = self.at[source]
        return asyncio.get_running_loop().time() < self._look[source] and not self._fold.missed(source, at)

    def _look_later(self, source: str) -> None:
        if self._fold.remembers(source):
            self._look[source] = asyncio.get_running_loop().time() + SOON

    def _stored(self, source: str, facts: Sequence[Any], moved: bool) -> None:
        """Rows and checkpoint are committed. `at` moves only now: whoever sees it there may read the rows."""
        if not moved:
            self._read = None  # others have come further, or it failed: look again from where the table is
            return
        self.at[source] = facts[-1][0]
        if self._fold.ends_at(source, self.at[source]):
            self._look_later(source)
        self._let_go()

    # --- with what is being heard ---

    async def join(
        self, statement: Statement, c: Any, source: str, facts: Sequence[Any], only_if: str
    ) -> Callable[[Any], None] | None:
        """Fold facts that are about to be heard, and whatever memory has before them, into the statement that hears
        them. Answers who is to be told its answer (None: it failed). None when we have to follow in our own time.

        `alone` must be held until then."""
        lag = facts[0][0] - 1 - self.at[source]
        if self._read is None or lag < 0:
            return None
        before = self._fold.remembered(source, self.at[source], lag) if lag else ()
        if len(before) < lag:
            return None
        facts = [*before, *facts]
        try:
            place = await self._add(statement, c, source, facts, only_if)
        except Exception:
            self._read = None  # folded by half; the next step fails in the same way and says so
            return None
        return lambda answer: self._stored(source, facts, answer is not None and answer[place])

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

    async def _add(self, statement: Statement, c: Any, source: str, facts: Sequence[Any], only_if: str = "true") -> int:
        """Fold, and let a statement store the rows and move the checkpoint, unless any source has been folded further
        than we knew when we read, or the table has been made anew: then nothing is written. Two processes that fold two
        sources into one row would else undo each other's work, and rows kept in memory would outlive those that they
        were read from. Answers where the statement tells whether it has been done."""
        gone, rows = apart(await self._folded(c, source, facts))
        values = self._rows.arrays(rows)
        view, table = self.view.name, self._rows.table()
        names = [self._fold.checkpoint(s) for s in self.view.sources]
        n = statement.taking(
            names, list(self.at.values()), self._fold.checkpoint(source), facts[-1][0], table, self._read
        )
        statement.part(
            f"held {view}",
            f"select name, position from checkpoints where name = any(${n}::text[]) order by name for update",
        )
        moved = statement.part(
            f"moved {view}",
            f"update checkpoints set position = ${n + 3} where name = ${n + 2} and ${n + 1}::bigint[] = (select "
            f"array_agg(h.position order by nth) from unnest(${n}::text[]) with ordinality w(name, nth) "
            f'join "held {view}" h using (name)) and to_regclass(${n + 4}) = ${n + 5}::oid and {only_if} returning 1',
        )
        if gone:
            statement.part(f"gone {view}", self._rows.delete(table, statement.taking(gone), moved))
        if rows:
            statement.part(f"stored {view}", self._rows.upsert(table, statement.taking(*values), moved))
        return statement.tells(moved)

    async def rebuild(self, progress: Callable[[int], None] = lambda n: None) -> int:
        """Make the table anew while the service goes on; see `chassis.rebuild`."""
        return await rebuild(self._fold, self._rows, self._pool, progress)

    async def digest(self) -> str:
        """A hash over all rows in key order: two builds of one view must agree on it."""
        async with self._pool.acquire() as c:
            return await self._rows.digest(c)


class Following:
    """The read models that this process keeps up to date. `folded` is told when something has been."""

    def __init__(self, folders: Sequence[Folder[Any]], folded: Pulse) -> None:
        self._folders, self._folded = folders, folded
        self._pause = dict.fromkeys((f.view.name for f in folders), 0.0)  # until when, on the loop's clock

    async def run(self, moved: Pulse) -> None:
        """Follow until cancelled. A read model that cannot go on is tried again later, alone.

        `moved` says that there may be something to fold."""
        now, patience = asyncio.get_running_loop().time, Patience()
        while True:
            seen, busy, more = moved.count, False, False
            for folder in self._folders:
                name = folder.view.name
                if now() < self._pause[name]:
                    continue
                try:
                    busy |= await folder.step()
                    more |= folder.more
                except (asyncpg.PostgresError, TimeoutError, *LOST) as error:
                    log_line.info("view.waiting", view=name, why=type(error).__name__)
                    self._pause[name] = now() + 0.2
                except Exception as error:
                    log_line.error("view.stuck", view=name, at=folder.at, why=type(error).__name__)
                    self._pause[name] = now() + 1
            wait = patience.after(busy)
            if busy:
                self._folded.beat()
            if not more:
                await moved.after(seen, wait)

    async def hear(
        self, statement: Statement, c: Any, source: str, facts: Sequence[Any], only_if: str, tell: Callable[[Any], None]
    ) -> None:
        """Run the statement that hears these facts, with what the read models make of them, where `only_if` holds.

        Its answer (None: it failed) is told to `tell` first, then to those read models. One that is busy or in trouble
        follows in its own time. Raises TimeoutError when the statement takes longer than WITHIN."""
        now = asyncio.get_running_loop().time()
        joined, answer = [tell], None
        async with AsyncExitStack() as alone:
            try:
                for folder in self._folders:
                    if source not in folder.view.sources or now < self._pause[folder.view.name]:
                        continue
                    if await _taken(folder.alone):
                        alone.callback(folder.alone.release)
                        if (stored := await folder.join(statement, c, source, facts, only_if)) is not None:
                            joined.append(stored)
                answer = await statement.run(c, WITHIN)
            finally:
                for each in joined:
                    each(answer)
        self._folded.beat()


async def _taken(lock: asyncio.Lock) -> bool:
    """Take it, unless whoever has it needs long."""
    try:
        async with asyncio.timeout(BUSY):
            await lock.acquire()
    except TimeoutError:
        return False
    return True
