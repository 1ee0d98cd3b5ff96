"""How do requests that wait together become one call, and what is done when the answer to it is lost?

A statement that fails is tried again request by request. A lost connection is made anew, and what the lost call did is
found out before anything is sent twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from chassis.connecting import LOST, SAFE, passes, sqlstate
from chassis.log import Append, Appended, AppendFailed, Conflict, LogUnavailable, LogWentBack, Repeated, Verdict
from chassis.recent import Row
from chassis.telemetry import current_context, shared_span

RECONNECT_FOR = 10.0
"""Seconds that a waiting request survives without a connection before it is told that the log is unavailable."""

LOSSES = 3
"""How often one call may lose its connection before those waiting are told that the log is unavailable."""

CALL = "select * from append_facts($1, $2, $3, $4, $5, $6)"

_SAID, _NO_FACT = (None,) * 4, (None,) * 7
"""What stands in a row for its request when an earlier row has said it, and for its fact when it is none."""


class Waiting:
    """A request and whoever waits for its verdict. `again`: it was sent before, and the answer was lost."""

    __slots__ = ("again", "future", "request", "trace")

    def __init__(self, request: Append, future: "asyncio.Future[Verdict]") -> None:
        self.request, self.future, self.again = request, future, False
        self.trace = current_context()

    def settle(self, verdict: Verdict) -> None:
        if not self.future.done():
            self.future.set_result(verdict)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Lane:
    """One connection on which calls are made one after another. `flying` is what it is writing now.

    `before` gives the highest position seen anywhere and the time to record; `after` is told each call's last position
    and when it was recorded, with the requests that added something and the position before each.
    """

    def __init__(
        self,
        dsn: str,
        before: Callable[[], tuple[int, datetime]],
        after: Callable[[int, datetime, Sequence[tuple[Append, int]]], None],
    ) -> None:
        self._dsn, self._before, self._after = dsn, before, after
        self.connection: asyncpg.Connection | None = None
        self._call: Any = None
        self.flying: Sequence[Waiting] = ()

    async def connect(self) -> asyncpg.Connection:
        self.close()
        connection = self.connection = await asyncpg.connect(self._dsn, server_settings=SAFE, timeout=5)
        self._call = await connection.prepare(CALL, timeout=5)
        return connection

    async def _prepared(self) -> Any:
        await self.connect()
        return self._call

    def close(self) -> None:
        if self.connection is not None:
            self.connection.terminate()
            self.connection = self._call = None

    async def write(self, batch: Sequence[Waiting]) -> None:
        """Give each of them its verdict, or the error that concerns it alone.

        Raises LogUnavailable, LogWentBack or whatever else keeps all that are left from theirs."""
        self.flying = sorted(batch, key=_adds_nothing)
        try:
            await self._write(self.flying)
        finally:
            self.flying = ()

    async def _write(self, batch: Sequence[Waiting], losses: int = 0, careful: bool = False) -> None:
        """Not `careful`: what other processes may have done meanwhile is left for the tables' keys to find."""
        if not batch:
            return
        try:
            call = self._call or await self._prepared()
            span = shared_span("log.append", (w.trace for w in batch), {"requests": len(batch)})
            rows = await call.fetch(*self._before(), *_arguments(batch), careful, timeout=RECONNECT_FOR)
            if span is not None:
                span.end()
        except (ValueError, TypeError, OverflowError) as error:  # before LOST: asyncpg's error for this is both
            await self._one_by_one(batch, AppendFailed("The request cannot be stored."), error)
        except (TimeoutError, *LOST) as error:
            if losses >= LOSSES:
                raise LogUnavailable("The database goes away each time it is asked to write this.") from error
            await self._write(await self._recover(batch), losses + 1)
        except asyncpg.PostgresError as error:
            if sqlstate(error) == "SL001":
                raise LogWentBack(str(error)) from error
            if isinstance(error, asyncpg.UniqueViolationError) and not careful:  # somebody was quicker
                await self._write(batch, losses, careful=True)
                return
            if passes(error):
                raise LogUnavailable(f"The database cannot take anything just now ({sqlstate(error)}).") from error
            refused = AppendFailed(f"The database refused the request ({sqlstate(error)}).")
            await self._one_by_one(batch, refused, error)
        else:
            await self._answer(batch, rows)

    async def _one_by_one(self, batch: Sequence[Waiting], alone: AppendFailed, cause: Exception) -> None:
        """One of them is at fault; the others must not suffer for it."""
        if len(batch) == 1:
            raise alone from cause
        for waiting in batch:
            try:
                await self._write([waiting])
            except (AppendFailed, ValueError) as error:
                waiting.fail(error)

    async def _answer(self, batch: Sequence[Waiting], rows: Sequence[asyncpg.Record]) -> None:
        refused = {row[0]: row for row in rows}
        base = refused.pop(0)
        position: int = base[2]
        added: list[tuple[Append, int]] = []
        for n, waiting in enumerate(batch, 1):
            if n in refused:
                waiting.settle(await self._refusal(waiting, refused[n]))
            else:
                added.append((waiting.request, position))
                position += len(waiting.request.facts)
                waiting.settle(Appended(position, waiting.request.expected + len(waiting.request.facts)))
        self._after(position, base[-1], added)

    async def _refusal(self, waiting: Waiting, row: asyncpg.Record) -> Verdict:
        _, verdict, position, version, fingerprint, answer, stream, _ = row
        if waiting.again and (done := await self._already_written(waiting.request)) is not None:
            return done
        if verdict == "repeated":
            return Repeated(fingerprint, answer, position, version)
        return Conflict(stream, version)

    async def _recover(self, batch: Sequence[Waiting]) -> list[Waiting]:
        """Connect again and see what the lost call did; gives what it did not do."""
        self.close()
        try:
            async with asyncio.timeout(RECONNECT_FOR):
                while True:
                    try:
                        await self.connect()
                        return [w for w in batch if not await self._settled(w)]
                    except Exception as error:
                        if not passes(error):
                            raise
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise LogUnavailable("The database does not answer.") from None

    async def _settled(self, waiting: Waiting) -> bool:
        waiting.again = True
        done = await self._already_written(waiting.request)
        if done is not None:
            waiting.settle(done)
        return done is not None

    async def _already_written(self, request: Append) -> Appended | None:
        """Was this very request written by a call whose answer was lost? Its event ids tell."""
        if not request.facts or self.connection is None:
            return None
        last = request.expected + len(request.facts)
        position = await self.connection.fetchval(
            "select position from events where stream_id = $1 and version = $2 and event_id = $3",
            request.stream,
            last,
            request.facts[-1].event_id,
        )
        return None if position is None else Appended(position, last)


def _adds_nothing(waiting: Waiting) -> bool:
    return not waiting.request.facts


def as_read(added: Sequence[tuple[Append, int]], recorded_at: datetime) -> list[Row]:
    """The facts of requests, each with the position before it, as they now stand in the log."""
    return [
        (before + n, r.stream, r.expected + n, f.name, f.schema_version, f.data, f.envelope, recorded_at)
        for r, before in added
        for n, f in enumerate(r.facts, 1)
    ]


def _arguments(batch: Sequence[Waiting]) -> tuple[int, list[Any], list[Any]]:
    """How many facts, guards and facts as `append_facts` takes them: rows, because the driver looks into every array
    for arrays within, and each array costs the server more than its elements do.

    What concerns a request as a whole stands in its first row. One without facts is a row that is none; those are last
    in the batch, so that a row's place among all is its fact's among the facts."""
    guards: list[Any] = []
    rows: list[Any] = []
    count = 0
    for n, waiting in enumerate(batch, 1):
        r = waiting.request
        k = r.key
        count += len(r.facts)
        whole = (len(r.facts), None, None, None) if k is None else (len(r.facts), k.id, k.fingerprint, k.answer)
        guards.extend((n, stream, version) for stream, version in r.guards)
        for version, f in enumerate(r.facts, r.expected + 1):
            rows.append(
                (n, r.stream, version, f.event_id, f.name, f.schema_version, f.data, f.sealed, f.envelope, f.subject,
                 *whole)
            )  # fmt: skip
            whole = _SAID
        if not r.facts:
            rows.append((n, r.stream, r.expected + 1, *_NO_FACT, *whole))
    return count, guards, rows
