"""The log in PostgreSQL: requests that wait together are written by one call, in one order, without gaps.

Position order is commit order, because the head row is locked until the commit. So a follower may trust
`position > checkpoint`. Two connections take turns: what gathers while PostgreSQL writes one call is sent on the other
and waits there for the head row, so that neither side waits for the other.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.appending import Lane, Waiting, as_read
from chassis.batching import Batcher
from chassis.connecting import LOST, refuse_unsafe, sqlstate
from chassis.log import Append, LogUnavailable, LogWentBack, Repeated, Stored, Verdict, compatible
from chassis.pulse import Pulse
from chassis.recent import Recent

MOST_REQUESTS = 512
"""How many requests one call may carry."""

LANES = 2
"""How many calls may be under way at once. The head row lets one of them write; a third would only wait."""

FEW = 8
"""So many requests are worth a call at once; fewer wait a little for others."""

BESIDE = 12
"""So many make a second call beside one under way worth its cost; fewer wait until that one is done. Two of about one
size take turns best: of 32 writers a fifth more is written than when eight go at once."""

GATHER = 0.002
"""Seconds from one small call's beginning to the next one's, where requests come while it is under way. A call costs
the same for one as for several, and so does everything that follows it through the relay."""

COLUMNS = (
    "position, stream_id, version, event_id, type, schema_version, data, sealed, envelope, subject_key, recorded_at"
)


class PostgresLog:
    """See `chassis.log.Log`. `now` gives recorded times (never going back); several processes may write at once.

    `known` is the highest position this process has seen in the log or in its stream: a log that ends before it has
    been restored from an older backup, and refuses (LogWentBack).
    """

    def __init__(self, dsn: str, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._dsn, self.pool, self._now = dsn, pool, now
        self.known: int = 0
        self._recent: Recent | None = None  # until somebody follows
        self.moved = Pulse()
        self.on_went_back: Callable[[LogWentBack], None] = lambda error: None
        self.lanes = [Lane(dsn, lambda: (self.known, self._now()), self._written) for _ in range(LANES)]
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = False
        self._gathered: asyncio.Future[None] | None = None  # done once enough wait to go on
        self._load: Batcher[tuple[str, int], list[Stored]] = Batcher(self._load_many)

    async def start(self) -> None:
        """Connect, refuse an unsafe server, begin to take requests."""
        self._loop = asyncio.get_running_loop()
        await refuse_unsafe(self._dsn)
        connection = await self.lanes[0].connect()
        self.known = int(await connection.fetchval("select position from log_head") or 0)
        self._tasks = [asyncio.create_task(self._run(lane), name=f"appender-{n}") for n, lane in enumerate(self.lanes)]
        self._open = True

    async def stop(self) -> None:
        self._open = False
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for lane in self.lanes:
            lane.close()
        for waiting in self._queue:
            waiting.fail(LogUnavailable("The service is stopping."))

    # --- writing ---

    async def append(self, request: Append) -> Verdict:
        if not self._open:
            raise LogUnavailable("The log is not open for writing.")
        waiting = Waiting(request, self._loop.create_future())
        self._queue.append(waiting)
        self._wake.set()
        if len(self._queue) >= FEW:
            self._enough()
        return await waiting.future

    async def _run(self, lane: Lane) -> None:
        while True:
            batch = self._take()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            again = asyncio.get_running_loop().time() + GATHER
            try:
                await lane.write(batch)
            except asyncio.CancelledError:
                _fail(batch, LogUnavailable("The service is stopping."))
                raise
            except LOST as error:
                _fail(batch, LogUnavailable(f"The database went away ({type(error).__name__})."))
            except Exception as error:
                _fail(batch, error)
                if isinstance(error, LogWentBack):
                    self.on_went_back(error)
            if self._queue:
                await self._gather(again)
                self._wake.set()  # there may be some that had to wait for what this call touched

    async def _gather(self, until: float) -> None:
        """Let a few that wait be joined by others. Whoever comes alone meets no call under way and never waits."""
        loop = asyncio.get_running_loop()
        few = len(self._queue) < FEW and not any(lane.flying for lane in self.lanes)
        if few and self._gathered is None and until > loop.time():
            self._gathered = loop.create_future()  # the other connection leaves a few alone meanwhile
            timer = loop.call_at(until, self._enough)
            try:
                await self._gathered
            finally:
                timer.cancel()
                self._gathered = None

    def _enough(self) -> None:
        if self._gathered is not None and not self._gathered.done():
            self._gathered.set_result(None)

    def _take(self) -> list[Waiting]:
        """The requests at the front of the queue that can go in one call now; the others keep their order.

        What shares a stream or a key with a call under way waits for it, as it waits for one in the same call."""
        flying = [waiting.request for lane in self.lanes for waiting in lane.flying]
        most = _share(len(self._queue), bool(flying) or self._gathered is not None)
        batch: list[Waiting] = []
        left: list[Waiting] = []
        streams = {request.stream for request in flying}
        keys = {request.key.id for request in flying if request.key is not None}
        while self._queue and len(batch) < most and len(left) < MOST_REQUESTS:
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

    def remember(self) -> Recent:
        """What this process appended last, from now on: for those that follow the log in the same process."""
        if self._recent is None:
            self._recent = Recent()
        return self._recent

    def _written(self, position: int, recorded_at: datetime, added: Sequence[tuple[Append, int]]) -> None:
        self.known = max(self.known, position)
        if self._recent is not None and (rows := as_read(added, recorded_at)):
            self._recent.add(rows)
        self.moved.beat()

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
            if sqlstate(error) == "SL001":
                raise LogWentBack(str(error)) from error
            raise


def _share(waiting: int, flying: bool) -> int:
    """How many of those waiting the next call takes: none when it is not worth it, half where the other half can go on
    the other connection at once."""
    if flying:
        return MOST_REQUESTS if waiting >= BESIDE else 0
    return min(MOST_REQUESTS, (waiting + 1) // 2 if waiting >= 2 * FEW else waiting)


def _fail(batch: Sequence[Waiting], error: Exception) -> None:
    for waiting in batch:
        waiting.fail(error)
