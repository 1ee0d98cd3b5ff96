"""How does a service hear another: every fact once, in order, whatever breaks?

One consumer per (listening service, source stream), unfiltered, ack-all, one active process at a time. A batch must
begin right after our own checkpoint and be contiguous; otherwise the consumer is made anew. Our checkpoint is the
truth, not the broker's. What was heard and the checkpoint are written in one transaction; we acknowledge after.

What a source tells at once (`chassis.telling`) is taken when its turn comes; the stream brings it again, and all that
was missed. Both must be the same facts.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.bus import NOT_FOUND, Bus, BusUnavailable, ask
from chassis.connecting import LOST
from chassis.follow import Following
from chassis.frames import Delivered
from chassis.hearing import MALFORMED, event_id, place_told, row_of, sequence
from chassis.locks import Held, LockLost, Locks
from chassis.pulse import Pulse
from chassis.recent import Recent
from chassis.statement import Statement
from chassis.telemetry import get_logger, sampled, shared_span
from chassis.telling import live

log_line = get_logger(__name__)

MOST = 1000
"""Messages asked for at once, and written in one transaction at most."""

MANY = 64
"""So many at once make it worth asking for the next while these are written."""

GATHER = 0.001
"""Seconds from one small batch to the next: what comes one by one costs the broker and us several times as much."""

PULL_FOR = 2.0
"""Seconds the server holds a pull when there is nothing before it says so; a longer silence means that it was lost."""

AHEAD = 1000
"""So many may have been told, or heard, that the stream has not brought yet; then it is waited for."""

WITHIN = 5.0
"""Seconds that whoever holds the lock may wait for a connection to write on."""

PULL = json.dumps(  # "no_wait" ends it once nothing more is there, "expires" lets it wait for the first
    {"batch": MOST, "no_wait": True, "expires": int(PULL_FOR * 1e9)}
).encode()

TROUBLE = (BusUnavailable, LockLost, NatsError, asyncpg.PostgresError, TimeoutError, *LOST)

LAST = "select position, event_id from heard where source = $1 and position > $2 and event_id is not null"

SET_ASIDE = (
    "insert into dead_letters values ($1, $2, null, $3, 'dead', 'The message''s headers cannot be read.', 1, now()) "
    "on conflict do nothing"
)


Placed = tuple[int, Delivered]
"""A message and its place."""


class OutOfOrder(Exception):
    """What came does not follow our checkpoint, or nothing comes any more: the consumer has to be made anew."""


class HeardOtherwise(Exception):
    """The stream holds another fact than we heard at that place: the source's log was restored from a backup older than
    what it had told. Nothing more is heard of it until that has been put right (docs/runbooks/log-behind-stream.md)."""


class Listener:
    """Copies one source stream into `heard`. Only the process that holds the lock listens; the others stand by."""

    def __init__(
        self, service: str, source: str, pool: asyncpg.Pool, client: Bus, locks: Locks, heard: Pulse,
        recent: Recent | None = None, following: Following | None = None,
    ) -> None:  # fmt: skip
        self.service, self.source = service, source
        self._stream, self._checkpoint = source.upper(), f"hear:{source}"
        self._pool, self._client, self._locks = pool, client, locks
        self._c: Any = None  # the connection that we write on for as long as we listen
        self._more = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{service}"
        self._inbox = ""
        self._messages: Subscription | None = None
        self._buffer: deque[Placed] = deque()
        self._next = -1  # the place after the last in the buffer; -1 while we do not listen
        self._told: dict[int, Delivered] = {}  # told before their turn, by place
        self._stored: Placed | None = None  # the last that the stream brought and was heard, until that is told
        self._unproven: dict[int, bytes] = {}  # ids of what was heard and not seen in the stream yet, by place
        self._anchor = 0  # the last that had been heard when we began
        self._otherwise: int | None = None
        self._arrived = Pulse()
        self._outstanding = 0
        self._sign = 0.0
        self._level: tuple[int, datetime] | None = None
        self._marked: tuple[int, datetime] | None = None
        self.at = 0
        self._heard, self._recent = heard, recent or Recent()
        self._following = following
        self.anew = False  # set on reconnect

    async def run(self) -> None:
        """Listen until cancelled; whatever goes wrong is tried again from the checkpoint."""
        levels = await self._client.subscribe(f"level.{self.source}", cb=self._on_level)
        told = await self._client.follow(f"{live(self.source)}.*", self._on_told, _nothing)
        pause = 0.05
        try:
            while True:
                before = self.at
                try:
                    async with (
                        self._locks.hold(self._checkpoint) as lock,
                        self._pool.acquire(timeout=WITHIN) as self._c,  # or let another process have the lock
                    ):
                        await self._listen(lock)
                except HeardOtherwise:
                    log_line.error("listener.diverged", source=self.source, at=self.at, position=self._otherwise)
                except (OutOfOrder, *TROUBLE) as error:
                    log_line.info("listener.anew", source=self.source, at=self.at, why=f"{type(error).__name__}")
                finally:
                    self._next = -1
                pause = 0.05 if self.at != before else min(pause * 2, 1.0)
                await asyncio.sleep(pause)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await levels.unsubscribe()
                await self._client.leave(told)
                await self._open_inbox(None)

    async def _listen(self, lock: Held) -> None:
        await self._c.execute("insert into checkpoints(name) values ($1) on conflict do nothing", self._checkpoint)
        self.at = await self._c.fetchval("select position from checkpoints where name = $1", self._checkpoint)
        last = await self._c.fetch(LAST, self.source, self.at - AHEAD)
        self._unproven = {place: str(id).encode() for place, id in last}
        self._anchor = max(self._unproven, default=0)
        self._otherwise = None
        self._marked = None  # a crash may have taken it back
        self.anew = False
        self._recent.forget()
        await self._make_consumer(min(self._unproven, default=self.at + 1))
        while True:
            lock.check()
            seen = self._arrived.count
            if self.anew:
                raise OutOfOrder
            await self._acknowledge()
            await self._pull()
            batch = await self._take(seen)
            if self._otherwise is not None:
                raise HeardOtherwise
            again = asyncio.get_running_loop().time() + GATHER
            if len(batch) >= MANY:
                await self._pull()
            if batch:
                await self._hear(batch)
            await self._mark_moment()
            if batch and not self._buffer and (rest := again - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(rest)

    # --- the broker's side ---

    async def _open_inbox(self, inbox: str | None) -> None:
        """An inbox of its own for each consumer: what an earlier one still sends, or that it is gone, is not for us."""
        if self._messages is not None:
            await self._client.leave(self._messages)
            self._messages = None
        self._buffer.clear()
        self._told.clear()
        self._stored, self._next = None, self.at + 1
        self._outstanding = 0
        if inbox is not None:
            self._inbox = inbox
            self._messages = await self._client.follow(inbox, self._on_message, self._on_status)

    async def _make_consumer(self, first: int) -> None:
        """From `first` on: what we heard last, so that it can be held against that, and then what we have not heard."""
        await self._open_inbox(self._client.new_inbox())
        gone = await ask(self._client, f"CONSUMER.DELETE.{self._stream}.{self.service}")
        if gone.get("error") and gone["error"].get("err_code") not in NOT_FOUND:
            raise BusUnavailable(str(gone["error"].get("description")))
        config = {
            "durable_name": self.service,
            "ack_policy": "all",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": first,
            "max_ack_pending": 20_000,
            "ack_wait": 30_000_000_000,
            "mem_storage": True,  # where we are stands in our checkpoint; the broker's disk need not hear of it
        }
        made = await ask(
            self._client,
            f"CONSUMER.CREATE.{self._stream}.{self.service}",
            {"stream_name": self._stream, "config": config, "action": "create"},
        )
        if made.get("error"):
            raise BusUnavailable(str(made["error"].get("description")))
        self._sign = asyncio.get_running_loop().time()

    async def _pull(self) -> None:
        """Ask for what is there, at once; when there is nothing, for what comes first. One question at a time."""
        if self._outstanding <= 0:
            await self._client.publish(self._more, PULL, self._inbox)
            self._outstanding = MOST
            self._sign = asyncio.get_running_loop().time()

    def _on_message(self, message: Delivered) -> None:
        """From the stream: the next, or what we know already."""
        self._outstanding -= 1
        self._sign = asyncio.get_running_loop().time()
        placed = place, _ = sequence(message), message
        if place >= self._next:
            self._buffer.append(placed)
            self._next = place + 1
            self._told.pop(place, None)
            self._arrived.beat()
        else:
            self._compare(place, message)
            self._unproven.pop(place, None)
            if self._stored is None or self._stored[0] < place:
                self._stored = placed
        self._take_told()

    def _on_told(self, message: Delivered) -> None:
        """From the source itself: kept until its turn comes."""
        place = place_told(message)
        if 0 < self._next <= place < self._next + AHEAD:
            self._told[place] = message
            self._take_told()
        else:
            self._compare(place, message)

    def _compare(self, place: int, message: Delivered) -> None:
        """Is it what we heard at that place, as far as the stream has not said so yet?"""
        if self._unproven.get(place, heard := event_id(message)) != heard:
            self._otherwise = place
            self._arrived.beat()

    def _is_proven(self) -> bool:
        """Has the stream brought the last that had been heard when we began, and nothing else than was heard?"""
        return self._otherwise is None and self._anchor not in self._unproven

    def _take_told(self) -> None:
        """Those whose turn has come, if this is the log that was heard before and the stream is not too far behind."""
        if not self._is_proven():
            return
        while len(self._unproven) < AHEAD and (message := self._told.pop(self._next, None)) is not None:
            self._unproven[self._next] = event_id(message)
            self._buffer.append((self._next, message))
            self._next += 1
            self._arrived.beat()

    async def _on_status(self, message: Msg) -> None:
        self._sign = asyncio.get_running_loop().time()
        if (message.headers or {}).get("Status") in ("404", "408"):  # that was all there is, or nothing came in time
            self._outstanding = 0
        else:
            self.anew = True  # the consumer, its stream or its leader is gone
        self._arrived.beat()

    async def _on_level(self, message: Msg) -> None:
        told = json.loads(message.data)
        self._level = (told["position"], datetime.fromisoformat(told["at"]))
        self._arrived.beat()

    async def _take(self, seen: int) -> list[Placed]:
        if not self._buffer:
            await self._arrived.after(seen, 0.5)
        if not self._buffer and asyncio.get_running_loop().time() - self._sign > PULL_FOR + 1:
            raise OutOfOrder
        return [self._buffer.popleft() for _ in range(min(MOST, len(self._buffer)))]

    # --- our side ---

    async def _hear(self, batch: list[Placed]) -> None:
        """Write a batch and the checkpoint together, then acknowledge the last of it that the stream brought."""
        batch = self._in_order(batch)
        if not batch:
            return
        last = batch[-1][0]
        rows = [row_of(self.source, place, message) for place, message in batch]
        span = shared_span("listener.hear", (sampled(r[-1]) for r in rows), {"source": self.source, "facts": len(rows)})
        await self._write(rows, last)
        if self.at != last:
            raise OutOfOrder  # another process has heard this already
        self._heard.beat()
        self._stored = next((p for p in reversed(batch) if p[1].reply), self._stored)
        await self._acknowledge()
        if span is not None:
            span.end()

    async def _write(self, rows: Sequence[Sequence[Any]], last: int) -> None:
        """Store a batch and move the checkpoint, unless it is not where we left it; `at` says whether that was done.

        A few take along what this process's read models make of them; many are heard while those before are folded.
        """
        facts = [(r[1], r[5], r[6], r[3], r[4], r[8], r[9], r[10]) for r in rows]

        def tell(done: Any) -> None:
            if done is not None and done[0]:
                self.at = last
                self._recent.add(facts)

        malformed = [row for row in rows if row[3] == MALFORMED]
        if self._following is not None and len(rows) < MANY and not malformed:
            statement, moved = self._hearing(rows, last)
            try:
                await self._following.hear(statement, self._c, self.source, facts, moved, tell)
                return
            except (asyncpg.PostgresError, TimeoutError) as error:  # perhaps a read model's; this is to be heard
                log_line.info("listener.alone", source=self.source, at=self.at, why=type(error).__name__)
        async with _whole(self._c, malformed):
            statement, _ = self._hearing(rows, last)
            done = await statement.run(self._c)
            for row in malformed if done[0] else ():
                await self._c.execute(SET_ASIDE, self.source, row[1], MALFORMED)
                log_line.error("dead_letter", source=self.source, position=row[1], why=MALFORMED)
        tell(done)

    def _hearing(self, rows: Sequence[Sequence[Any]], last: int) -> tuple[Statement, str]:
        """The statement that hears these rows, and the condition that says whether it does."""
        statement = Statement()
        n = statement.taking(self._checkpoint, last, self.at, [r[:-1] for r in rows])
        moved = statement.part(
            "on", f"update checkpoints set position = ${n + 1} where name = ${n} and position = ${n + 2} returning 1"
        )
        statement.part("heard", f"insert into heard select h.* from unnest(${n + 3}::heard[]) as h where {moved}")
        statement.tells(moved)
        return statement, moved

    async def _acknowledge(self) -> None:
        """The last that the stream brought and that has been heard, and with it all before."""
        if self._stored is not None:
            await self._client.publish(self._stored[1].reply, b"+ACK")
            self._stored = None

    def _in_order(self, batch: list[Placed]) -> list[Placed]:
        """Without what we have already; raises OutOfOrder unless the rest follows our checkpoint without a gap."""
        fresh = [p for p in batch if p[0] > self.at]
        for expected, (place, _) in enumerate(fresh, self.at + 1):
            if place != expected:
                raise OutOfOrder
        return fresh

    async def _mark_moment(self) -> None:
        """Note up to which moment this source is known to be complete."""
        if self._level is None or self._level[0] > self.at or self._level == self._marked or not self._is_proven():
            return
        position, at = self._level
        await self._c.execute(
            "update checkpoints set moment = $2, moment_position = $3 "
            "where name = $1 and (moment is null or (moment, moment_position) < ($2, $3))",
            self._checkpoint, at, position,
        )  # fmt: skip
        self._marked = (position, at)


async def _nothing(message: Msg) -> None:
    """For what the broker says of a subject that only services speak on: it says nothing."""


def _whole(c: Any, malformed: Sequence[Any]) -> contextlib.AbstractAsyncContextManager[Any]:
    """One statement needs no transaction around it; with a message that has to be set aside there is more than one."""
    return c.transaction() if malformed else contextlib.nullcontext()
