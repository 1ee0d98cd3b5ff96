"""How does a read model follow the log, and how is it made anew while the service is writing?

A view is three things in one file of the service: a row, `evolve`, and queries. It follows its service's own log and
what the service has heard, each from its own checkpoint, in batches, one transaction a batch. Sealed fields are blank
here: nothing sealed can land in a read model.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import asyncpg
import sqlalchemy as sa

from chassis.codec import Codec
from chassis.decider import Refused, record
from chassis.envelope import Envelope, from_headers
from chassis.postgres import LOST
from chassis.pulse import Pulse
from chassis.telemetry import get_logger

log_line = get_logger(__name__)

Row = TypeVar("Row")
BATCH = 2000
REBUILD_BATCH = 2000
CACHED_ROWS = 200_000
"""Rows a rebuild keeps in memory before it lets the oldest go; they are read back when needed again."""

OWN = (
    "select position, stream_id, version, type, schema_version, data, envelope, recorded_at from events "
    "where position > $1 order by position limit $2"
)
HEARD = (
    "select position, stream_id, version, type, schema_version, data, envelope, recorded_at from heard "
    "where source = $3 and position > $1 order by position limit $2"
)

HELD = (
    "held as materialized (select name, position from checkpoints where name = any($1::text[]) order by name "
    "for update), "
    "moved as (update checkpoints set position = $4 where name = $3 and $2::bigint[] = (select "
    "array_agg(h.position order by n) from unnest($1::text[]) with ordinality w(name, n) join held h using (name)) "
    "returning 1)"
)
"""Move a checkpoint if all checkpoints of the view are where they are expected; they stay locked until the commit."""


@record
class Heard:
    """A fact as followers see it: decoded, with where it stands. Sealed fields are blank."""

    source: str
    position: int
    stream: str
    version: int
    name: str
    fact: Any
    envelope: Envelope
    recorded_at: datetime

    def __getattr__(self, name: str) -> Any:
        """A followed fact's envelope is read when somebody asks for it: most folds never do."""
        block = self.__dict__.get("_headers")
        if name != "envelope" or block is None:
            raise AttributeError(name)
        envelope = self.__dict__["envelope"] = from_headers(block)
        return envelope


Touched = tuple[Heard, Sequence[Any]]
"""A fact and the keys of the rows it touches."""


@record
class View(Generic[Row]):
    """A read model. `row` is a record whose fields are the table's columns; `key` is its primary key column.

    `keys(heard)` says which rows a fact touches; `evolve(row, heard, key)` gives the new row, or None for no row. Folds
    must not depend on how facts of different sources interleave.
    """

    name: str
    table: sa.Table
    key: str
    row: type[Row]
    keys: Callable[[Heard], Sequence[Any]]
    evolve: Callable[[Row | None, Heard, Any], Row | None]
    sources: tuple[str, ...]


class Decoder:
    """Turns stored or heard rows into `Heard`. Types and versions this service does not know are passed over."""

    def __init__(self, codecs: dict[str, Codec]) -> None:
        self._codecs = codecs

    def __call__(self, source: str, row: Sequence[Any]) -> Heard | None:
        """Raises Unreadable when a known type has a version or a form that this code cannot read."""
        position, stream, version, name, schema, data, envelope, recorded_at = row
        codec = self._codecs[source]
        if not codec.knows(name):
            return None
        heard = object.__new__(Heard)
        heard.__dict__.update(
            source=source, position=position, stream=stream, version=version, name=name,
            fact=codec.decode(name, schema, data), _headers=envelope, recorded_at=recorded_at,
        )  # fmt: skip
        return heard


class RebuildUnderWay(Refused):
    reason = "This read model is already being rebuilt."
    do = "Wait until that has ended; rebuild again only if it did not succeed."


class Folder(Generic[Row]):
    """Keeps one view's table up to date, and rebuilds it."""

    def __init__(self, view: View[Row], own: str, pool: asyncpg.Pool, decode: Decoder) -> None:
        self.view, self._own, self._pool, self._decode = view, own, pool, decode
        self._columns = [f.name for f in fields(view.row)]  # type: ignore[arg-type]
        self._types = {c.name: c.type.compile(dialect=_DIALECT) for c in view.table.columns}
        self.at: dict[str, int] = dict.fromkeys(view.sources, 0)
        self._knows_where = False

    # --- following ---

    async def step(self) -> bool:
        """Fold one batch of each source; was there anything? One transaction per batch, guarded by the checkpoint."""
        moved = False
        for source in self.view.sources:
            moved |= await self._advance(source)
        return moved

    async def _advance(self, source: str) -> bool:
        """Read what is new, fold it in memory, and write rows and checkpoint in one statement, which is a transaction.

        `at` moves only after that: whoever sees it there may read the rows."""
        async with self._pool.acquire() as c:
            if not self._knows_where:
                await self._find_where(c)
            rows = await self._read(c, source, self.at[source], BATCH)
            if not rows:
                return False
            touched = self._touched(source, rows)
            cache: dict[Any, Row | None] = {}
            await self._load(c, self._table(), _missing(touched, cache), cache)
            position = rows[-1][0]
            if await self._write(c, source, position, self._changed(touched, cache)):
                self.at[source] = position
            else:
                self._knows_where = False  # somebody else has come further; look again from there
        return True

    async def _find_where(self, c: Any) -> None:
        async with c.transaction():
            self.at.update(await self._lock(c))
        self._knows_where = True

    async def _write(self, c: Any, source: str, position: int, changed: dict[Any, Row | None]) -> bool:
        """Store rows and move the checkpoint, unless any source has been folded further than we knew when we read: then
        nothing is written. Two processes that fold two sources into one row would else undo each other's work."""
        names = [self._checkpoint(s) for s in self.view.sources]
        gone = [k for k, row in changed.items() if row is None]
        rows = [row.__dict__ for row in changed.values() if row is not None]
        arguments = [names, list(self.at.values()), self._checkpoint(source), position]
        steps = [HELD]
        if gone:
            arguments.append(gone)
            kind = self._types[self.view.key]
            steps.append(
                f'gone as (delete from {self._table()} where "{self.view.key}" = any($5::{kind}[]) '
                "and exists (select from moved))"
            )
        if rows:
            steps.append(f"stored as ({self._upsert(self._table(), len(arguments) + 1, 'exists (select from moved)')})")
            arguments += [[r[n] for r in rows] for n in self._columns]
        return bool(await c.fetchval(f"with {', '.join(steps)} select count(*) from moved", *arguments))

    async def _lock(self, c: Any) -> dict[str, int]:
        """How far each source has been folded. All are locked: two processes that folded two sources into one row at
        once would each undo what the other did."""
        names = {self._checkpoint(s): s for s in self.view.sources}
        sql = "select name, position from checkpoints where name = any($1) order by name for update"
        rows = await c.fetch(sql, list(names))
        if len(rows) < len(names):
            missing = (
                "insert into checkpoints(name) select * from unnest($1::text[]) as n order by n on conflict do nothing"
            )
            await c.execute(missing, list(names))
            rows = await c.fetch(sql, list(names))
        return {names[name]: position for name, position in rows}

    async def _move(self, c: Any, source: str, position: int) -> None:
        await c.execute("update checkpoints set position = $2 where name = $1", self._checkpoint(source), position)

    async def _read(self, c: Any, source: str, after: int, limit: int) -> list[Any]:
        if source == self._own:
            return await c.fetch(OWN, after, limit)
        return await c.fetch(HEARD, after, limit, source)

    async def _fold(self, c: Any, table: str, source: str, rows: list[Any], cache: dict[Any, Row | None]) -> None:
        touched = self._touched(source, rows)
        await self._load(c, table, _missing(touched, cache), cache)
        await self._store(c, table, self._changed(touched, cache))

    def _touched(self, source: str, rows: list[Any]) -> list[Touched]:
        touched: list[Touched] = []
        for row in rows:
            heard = self._decode(source, row)
            if heard is not None and (keys := self.view.keys(heard)):
                touched.append((heard, keys))
        return touched

    def _changed(self, touched: list[Touched], cache: dict[Any, Row | None]) -> dict[Any, Row | None]:
        """Fold into the rows in `cache`; those that came out different."""
        evolve, changed = self.view.evolve, dict[Any, Row | None]()
        for heard, keys in touched:
            for key in keys:
                before = cache.get(key)
                after = evolve(before, heard, key)
                if after is not before:
                    cache[key] = changed[key] = after
        return changed

    async def _load(self, c: Any, table: str, keys: list[Any], cache: dict[Any, Row | None]) -> None:
        if not keys:
            return
        names = ", ".join(f'"{n}"' for n in self._columns)
        kind = self._types[self.view.key]
        found = await c.fetch(f'select {names} from {table} where "{self.view.key}" = any($1::{kind}[])', keys)
        cache.update(dict.fromkeys(keys))
        for row in found:
            values = dict(row.items())
            cache[values[self.view.key]] = self.view.row(**values)

    async def _store(self, c: Any, table: str, changed: dict[Any, Row | None]) -> None:
        gone = [k for k, row in changed.items() if row is None]
        rows = [row.__dict__ for row in changed.values() if row is not None]
        if gone:
            kind = self._types[self.view.key]
            await c.execute(f'delete from {table} where "{self.view.key}" = any($1::{kind}[])', gone)
        if rows:
            await c.execute(self._upsert(table), *([r[n] for r in rows] for n in self._columns))

    def _upsert(self, table: str, first: int = 1, only_if: str = "true") -> str:
        names = ", ".join(f'"{n}"' for n in self._columns)
        arrays = ", ".join(f"${n}::{self._types[c]}[]" for n, c in enumerate(self._columns, first))
        sets = ", ".join(f'"{n}" = excluded."{n}"' for n in self._columns if n != self.view.key)
        do = f"update set {sets}" if sets else "nothing"
        return (
            f"insert into {table} ({names}) select * from unnest({arrays}) where {only_if} "
            f'on conflict ("{self.view.key}") do {do}'
        )

    def _table(self, suffix: str = "") -> str:
        return f'views."{self.view.table.name}{suffix}"'

    def _checkpoint(self, source: str) -> str:
        return f"view:{self.view.name}:{source}"

    # --- rebuilding ---

    async def rebuild(self, progress: Callable[[int], None] = lambda n: None) -> int:
        """Fold everything into a shadow table, catch up, and swap it in with its checkpoints in one transaction.

        The service goes on writing and reading meanwhile. Answers how many facts were folded. Raises RebuildUnderWay
        when this view is being rebuilt already, by whatever process: both would fill the same shadow.
        """
        shadow, live = self._table("__shadow"), self._table()
        at = dict.fromkeys(self.view.sources, 0)
        async with self._pool.acquire() as c, self._alone(c):
            await c.execute(f"drop table if exists {shadow}")
            await c.execute(f"create table {shadow} (like {live} including all)")
            cache = _Kept()
            total = before = 0
            while True:
                for source in self.view.sources:
                    total = await self._build(c, shadow, source, at, cache, total, progress)
                if total - before <= REBUILD_BATCH // 10:
                    break  # what is left is folded while others wait for the swap
                before = total
            async with c.transaction():
                await self._lock(c)
                while n := await self._gather(c, shadow, at, cache):
                    total += n
                await c.execute(f"drop table {live}")
                await c.execute(f'alter table {shadow} rename to "{self.view.table.name}"')
                for source, position in at.items():
                    await self._move(c, source, position)
        return total

    @contextlib.asynccontextmanager
    async def _alone(self, c: Any) -> AsyncGenerator[None]:
        name = f"rebuild:{self.view.name}"
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

    async def _build(
        self, c: Any, table: str, source: str, at: dict[str, int], cache: "_Kept", total: int,
        progress: Callable[[int], None],
    ) -> int:  # fmt: skip
        """Fold one source to its end. While a batch is being written, the next one is read and folded."""
        writing: asyncio.Future[None] = asyncio.ensure_future(_nothing())
        async with self._pool.acquire() as reader:
            try:
                while rows := await self._read(reader, source, at[source], REBUILD_BATCH):
                    touched = self._touched(source, rows)
                    missing = _missing(touched, cache)
                    if missing and not cache.whole:
                        await writing
                        await self._load(c, table, missing, cache)
                    changed = self._changed(touched, cache)
                    await writing
                    writing = asyncio.ensure_future(self._store(c, table, changed))
                    at[source] = rows[-1][0]
                    cache.let_go()
                    total += len(rows)
                    progress(total)
                await writing
            finally:
                await asyncio.gather(writing, return_exceptions=True)
        return total

    async def _gather(self, c: Any, table: str, at: dict[str, int], cache: "_Kept") -> int:
        """Fold one batch of each source into `table`."""
        folded = 0
        for source in self.view.sources:
            rows = await self._read(c, source, at[source], REBUILD_BATCH)
            if rows:
                await self._fold(c, table, source, rows, cache)
                at[source] = rows[-1][0]
                folded += len(rows)
        cache.let_go()
        return folded

    async def digest(self) -> str:
        """A hash over all rows in key order: two builds of one view must agree on it."""
        names = ", ".join(f'"{n}"' for n in self._columns)
        async with self._pool.acquire() as c:
            return await c.fetchval(
                f"select coalesce(md5(string_agg(r::text, '|' order by k)), '') from "
                f'(select "{self.view.key}"::text as k, row({names}) as r from {self._table()}) x'
            )


class _Kept(dict[Any, Any]):
    """Rows in memory while a view is rebuilt. As long as it is `whole`, a key that is not here has no row yet."""

    whole = True

    def let_go(self) -> None:
        while len(self) > CACHED_ROWS:
            self.pop(next(iter(self)))
            self.whole = False


def _missing(touched: Sequence[Touched], cache: dict[Any, Any]) -> list[Any]:
    return [k for k in {k for _, keys in touched for k in keys} if k not in cache]


async def _nothing() -> None:
    """What is being written before the first batch is."""


_DIALECT = sa.create_mock_engine("postgresql://", executor=lambda *_: None).dialect


async def follow(folders: Sequence[Folder[Any]], moved: Pulse, folded: Pulse) -> None:
    """Keep the given views up to date until cancelled. One that cannot go on is tried again later, alone.

    `moved` says that there may be something to fold, `folded` is told that something has been."""
    pause = dict.fromkeys((f.view.name for f in folders), 0.0)  # until when, on the loop's clock
    now = asyncio.get_running_loop().time
    while True:
        seen, busy = moved.count, False
        for folder in folders:
            name = folder.view.name
            if now() < pause[name]:
                continue
            try:
                busy |= await folder.step()
            except (asyncpg.PostgresError, TimeoutError, *LOST) as error:
                log_line.info("view.waiting", view=name, why=type(error).__name__)
                pause[name] = now() + 0.2
            except Exception as error:
                log_line.error("view.stuck", view=name, at=folder.at, why=type(error).__name__)
                pause[name] = now() + 1
        if busy:
            folded.beat()
        else:
            await moved.after(seen, 0.05)


def columns(row: type[Any]) -> list[str]:
    return [f.name for f in fields(row)]
