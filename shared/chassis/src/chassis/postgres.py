"""The log in PostgreSQL: requests that wait together are written by one call, in one order, without gaps.

Position order is commit order, because the head row is locked until the commit. So a follower may trust
`position > checkpoint`. A statement that fails is tried again request by request; a lost connection is made anew, and
what the lost call did is found out before anything is sent twice.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.batching import Batcher
from chassis.log import (
    Append,
    Appended,
    AppendFailed,
    Conflict,
    LogUnavailable,
    LogWentBack,
    Repeated,
    Stored,
    Verdict,
    compatible,
)
from chassis.pulse import Pulse
from chassis.telemetry import current_context, shared_span

MOST_REQUESTS = 512
"""How many requests one call may carry."""

RECONNECT_FOR = 10.0
"""Seconds that a waiting request survives without a connection before it is told that the log is unavailable."""

LOSSES = 3
"""How often one call may lose its connection before those waiting are told that the log is unavailable."""

LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError,
        asyncpg.InternalClientError, asyncpg.CannotConnectNowError)  # fmt: skip
NOT_NOW = ("53", "58", "40", "25006")
"""SQLSTATEs that say nothing about the request: resources, system errors, rollbacks, a server that only reads."""

COLUMNS = (
    "position, stream_id, version, event_id, type, schema_version, data, sealed, envelope, subject_key, recorded_at"
)
CALL = "select * from append_facts($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)"
SAFE = {"synchronous_commit": "on", "application_name": "samordna"}
NOT_AWAITED = SAFE | {"synchronous_commit": "off"}
"""For what is copied from a log or a stream together with its checkpoint: what was heard, reacted to, folded. A crash
takes the newest of it back, checkpoint and all, and it is copied again. So nobody waits for the disk. PostgreSQL keeps
the order: whatever is appended afterwards and acknowledged takes along what it was decided on."""


def passes(error: BaseException) -> bool:
    """Is this trouble with the database itself, which passes, so that the same may be asked again?"""
    return isinstance(error, LOST) or (isinstance(error, asyncpg.PostgresError) and _code(error).startswith(NOT_NOW))


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


class _Waiting:
    __slots__ = ("again", "future", "request", "trace")

    def __init__(self, request: Append, future: "asyncio.Future[Verdict]") -> None:
        self.request, self.future, self.again = request, future, False
        self.trace = current_context()


class PostgresLog:
    """See `chassis.log.Log`. `now` gives recorded times (never going back); several processes may write at once.

    `known` is the highest position this process has seen in the log or in its stream: a log that ends before it has
    been restored from an older backup, and refuses (LogWentBack).
    """

    def __init__(self, dsn: str, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._dsn, self.pool, self._now = dsn, pool, now
        self.known: int = 0
        self.moved = Pulse()
        self.on_went_back: Callable[[LogWentBack], None] = lambda error: None
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._load: Batcher[tuple[str, int], list[Stored]] = Batcher(self._load_many)

    async def start(self) -> None:
        """Connect, refuse an unsafe server, begin to take requests."""
        await refuse_unsafe(self._dsn)
        connection = await self._connect()
        self.known = int(await connection.fetchval("select position from log_head") or 0)
        self._task = asyncio.create_task(self._run(), name="appender")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None:
            self._connection.terminate()
        for waiting in self._queue:
            if not waiting.future.done():
                waiting.future.set_exception(LogUnavailable("The service is stopping."))

    # --- writing ---

    async def append(self, request: Append) -> Verdict:
        if self._task is None or self._task.done():
            raise LogUnavailable("The log is not open for writing.")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.future

    async def _run(self) -> None:
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            batch = self._take()
            try:
                await self._write(batch)
            except asyncio.CancelledError:
                self._fail(batch, LogUnavailable("The service is stopping."))
                raise
            except LOST as error:
                self._fail(batch, LogUnavailable(f"The database went away ({type(error).__name__})."))
            except Exception as error:
                self._fail(batch, error)
                if isinstance(error, LogWentBack):
                    self.on_went_back(error)

    def _take(self) -> list[_Waiting]:
        """The requests at the front of the queue that can go in one call; the others keep their order."""
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        streams: set[str] = set()
        keys: set[UUID] = set()
        while self._queue and len(batch) < MOST_REQUESTS and len(left) < MOST_REQUESTS:
            waiting = self._queue.popleft()
            if waiting.future.done():  # the caller gave up
                continue
            if not compatible(streams, keys, waiting.request):
                left.append(waiting)
                streams.add(waiting.request.stream)  # those behind it on the same stream must wait too
                continue
            batch.append(waiting)
            streams.add(waiting.request.stream)
            if waiting.request.key is not None:
                keys.add(waiting.request.key.id)
        self._queue.extendleft(reversed(left))
        return batch

    async def _write(self, batch: list[_Waiting], losses: int = 0) -> None:
        if not batch:
            return
        try:
            connection = self._connection or await self._connect()
            span = shared_span("log.append", (w.trace for w in batch), {"requests": len(batch)})
            rows = await connection.fetch(CALL, *self._arguments(batch), timeout=RECONNECT_FOR)
            if span is not None:
                span.end()
        except (ValueError, TypeError, OverflowError) as error:  # before LOST: asyncpg's error for this is both
            if len(batch) == 1:
                raise AppendFailed("The request cannot be stored.") from error
            for waiting in batch:
                try:
                    await self._write([waiting])
                except AppendFailed as alone:
                    self._fail([waiting], alone)
        except (TimeoutError, *LOST) as error:
            if losses >= LOSSES:
                raise LogUnavailable("The database goes away each time it is asked to write this.") from error
            await self._write(await self._recover(batch), losses + 1)
        except asyncpg.PostgresError as error:
            if _code(error) == "SL001":
                raise LogWentBack(str(error)) from error
            if passes(error):
                raise LogUnavailable(f"The database cannot take anything just now ({_code(error)}).") from error
            if len(batch) == 1:
                raise AppendFailed(f"The database refused the request ({_code(error)}).") from error
            for waiting in batch:  # one of them is at fault; the others must not suffer for it
                try:
                    await self._write([waiting])
                except (AppendFailed, ValueError) as alone:
                    self._fail([waiting], alone)
        else:
            await self._answer(batch, rows)

    def _arguments(self, batch: list[_Waiting]) -> tuple[Any, ...]:
        requests = [w.request for w in batch]
        keys = [r.key for r in requests]
        guards = [(n, s, v) for n, r in enumerate(requests, 1) for s, v in r.guards]
        facts = [(n, i, f) for n, r in enumerate(requests, 1) for i, f in enumerate(r.facts, 1)]
        return (
            self.known,
            self._now(),
            [r.stream for r in requests],
            [r.expected for r in requests],
            [len(r.facts) for r in requests],
            [k and k.id for k in keys],
            [k and k.fingerprint for k in keys],
            [k and k.answer for k in keys],
            [g[0] for g in guards],
            [g[1] for g in guards],
            [g[2] for g in guards],
            [f[0] for f in facts],
            [f[1] for f in facts],
            [f[2].event_id for f in facts],
            [f[2].name for f in facts],
            [f[2].schema_version for f in facts],
            [f[2].data for f in facts],
            [f[2].sealed for f in facts],
            [f[2].envelope for f in facts],
            [f[2].subject for f in facts],
        )

    async def _answer(self, batch: list[_Waiting], rows: Sequence[asyncpg.Record]) -> None:
        for request, verdict, position, version, fingerprint, answer, stream in rows:
            waiting = batch[request - 1]
            if verdict == "appended":
                result: Verdict = Appended(position, version)
                self.known = max(self.known, position)
            elif verdict == "repeated":
                result = Repeated(fingerprint, answer, position, version)
            else:
                result = Conflict(stream, version)
            if waiting.again and verdict != "appended":
                result = await self._already_written(waiting.request) or result
            if not waiting.future.done():
                waiting.future.set_result(result)
        self.moved.beat()

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.future.done():
                waiting.future.set_exception(error)

    # --- a lost connection ---

    async def _recover(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Connect again and see what the lost call did; gives what it did not do."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        try:
            async with asyncio.timeout(RECONNECT_FOR):
                while True:
                    try:
                        await self._connect()
                        return [w for w in batch if not await self._settled(w)]
                    except Exception as error:
                        if not passes(error):
                            raise
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise LogUnavailable("The database does not answer.") from None

    async def _settled(self, waiting: _Waiting) -> bool:
        waiting.again = True
        done = await self._already_written(waiting.request)
        if done is not None and not waiting.future.done():
            waiting.future.set_result(done)
        return done is not None

    async def _already_written(self, request: Append) -> Appended | None:
        """Was this very request written by a call whose answer was lost? Its event ids tell."""
        if not request.facts or self._connection is None:
            return None
        last = request.expected + len(request.facts)
        position = await self._connection.fetchval(
            "select position from events where stream_id = $1 and version = $2 and event_id = $3",
            request.stream,
            last,
            request.facts[-1].event_id,
        )
        return None if position is None else Appended(position, last)

    async def _connect(self) -> asyncpg.Connection:
        connection = self._connection = await asyncpg.connect(self._dsn, server_settings=SAFE, timeout=5)
        return connection

    # --- reading ---

    async def stream(self, stream: str, after: int = 0) -> Sequence[Stored]:
        return await self._load((stream, after))

    async def _load_many(self, wanted: list[tuple[str, int]]) -> list[list[Stored]]:
        rows = await self.pool.fetch(
            f"select {COLUMNS} from unnest($1::text[], $2::int[]) as w(s, v) "
            "join events e on e.stream_id = w.s and e.version > w.v order by stream_id, version",
            [s for s, _ in wanted],
            [v for _, v in wanted],
        )
        found: dict[str, list[Stored]] = defaultdict(list)
        for row in rows:
            found[row[1]].append(Stored(*row))
        return [[f for f in found[s] if f.version > v] for s, v in wanted]

    async def after(self, position: int, limit: int) -> Sequence[Stored]:
        rows = await self.pool.fetch(
            f"select {COLUMNS} from events where position > $1 order by position limit $2", position, limit
        )
        return [Stored(*row) for row in rows]

    async def head(self) -> int:
        return await self.pool.fetchval("select position from log_head")

    async def answered(self, key: UUID) -> Repeated | None:
        row = await self.pool.fetchrow(
            "select fingerprint, result, position, version from commands where command_id = $1", key
        )
        return None if row is None else Repeated(*row)

    async def mark_moment(self, now: datetime) -> int:
        """Whatever is recorded from now on bears `now` or later. Answers the head. Raises LogWentBack."""
        try:
            return await self.pool.fetchval("select mark_moment($1, $2)", self.known, now)
        except asyncpg.PostgresError as error:
            if _code(error) == "SL001":
                raise LogWentBack(str(error)) from error
            raise


def _code(error: Exception) -> str:
    return str(getattr(error, "sqlstate", None) or type(error).__name__)
