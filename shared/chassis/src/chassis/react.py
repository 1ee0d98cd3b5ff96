"""We heard something, so we ask ourselves: reactions run from `heard`, each effect once, in order per case.

A reaction is a pure function from what was heard to commands of our own. Each command's id is a hash of the message,
the rule and the target, so running it again does nothing. A message that cannot be handled yet is parked, one that
cannot be handled at all is dead; what follows on the same case waits behind it, visibly, and can be replayed. Only the
holder of the source's lock tries messages; everybody else may only ask it to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from chassis.clock import hashed_id
from chassis.codec import Codec, Unreadable
from chassis.connecting import LOST, passes
from chassis.decider import Aggregate, MissingPredecessor, Refused, record
from chassis.keys import KeysUnavailable
from chassis.locks import Held, LockLost, Locks
from chassis.log import LogUnavailable, LogWentBack
from chassis.perform import StillMoving
from chassis.pulse import SOON, Patience, Pulse
from chassis.recent import Recent
from chassis.telemetry import get_logger, remote, tracer, within
from chassis.view import Decoder, Heard

log_line = get_logger(__name__)

PARK_FOR = timedelta(minutes=5)
"""How long a message waits for its predecessor before it is dead and somebody has to look [A]."""

REPLAY_WAIT = 5.0
"""Seconds that whoever asks for a replay waits for its outcome."""

LOOK_ASIDE = 0.05
"""Seconds between looks for replays that somebody asks for in another process, while nothing is set aside here."""

PASS_EVERY = 0.02
"""Seconds between two notes of how far what concerns nobody has been passed over: a note costs as much as a message."""

TRIES = 3
BATCH = 500

NEXT = (
    "with done as (select coalesce((select position from checkpoints where name = $2), 0) as upto), "
    "next as (select max(n.position) as upto from (select position from heard "
    "where source = $1 and position > (select upto from done) order by position limit $3) n) "
    "select h.position, stream_id, version, type, schema_version, data, envelope, recorded_at, case_id, event_id, "
    "next.upto from next left join heard h on h.source = $1 and h.position > (select upto from done) "
    "and h.position <= next.upto and h.type = any($4) where next.upto is not null order by h.position"
)
"""Of the next messages those that something reacts to, and how far that is; one row without a message for none."""

FIRST_OF_CASE = (
    "select position from (select distinct on (case_id, case when case_id is null then position end) position, state "
    "from dead_letters where source = $1 order by case_id, case when case_id is null then position end, position) f "
    "where state <> 'dead' order by position"
)
SET_ASIDE = (
    "select h.position, h.stream_id, h.version, h.type, h.schema_version, h.data, h.envelope, h.recorded_at, "
    "h.case_id, h.event_id, d.state, d.since from heard h join dead_letters d using (source, position) "
    "where source = $1 and position = $2"
)

AWAY = (LogUnavailable, LogWentBack, KeysUnavailable, StillMoving)
"""Not the message's fault: it is neither set aside nor counted as tried, but waited for."""


@record
class Ask:
    """A command that a reaction asks of its own service. `rule` names why; it is part of the command's id."""

    aggregate: Aggregate[Any, Any, Any]
    id: Any
    command: Any
    rule: str
    case_id: UUID | None = None


Reaction = Callable[[Heard, datetime], Sequence[Ask]]
Perform = Callable[[Ask, UUID, Heard], Awaitable[None]]


def command_id(event_id: UUID, rule: str, target: str) -> UUID:
    """The id of the command with which `rule` answers a message at `target`: the same for every try."""
    return hashed_id(str(event_id), rule, target)


class Reactor:
    """Runs one source's reactions. `at` is the last heard position that has been reacted to."""

    def __init__(
        self,
        source: str,
        reactions: Mapping[str, Reaction],
        codec: Codec,
        pool: asyncpg.Pool,
        locks: Locks,
        perform: Perform,
        now: Callable[[], datetime],
        recent: Recent | None = None,
    ) -> None:
        self.source, self._reactions, self._codec = source, reactions, codec
        self._pool, self._locks, self._perform, self._now = pool, locks, perform, now
        self._recent = recent or Recent()
        self._decode = Decoder({source: codec})
        self._checkpoint = f"react:{source}"
        self.at = 0
        self._more = False  # after a step: there may be more already, without another beat
        self._passed = self._read = 0.0
        self._aside, self._looked_aside = True, 0.0

    async def run(self, moved: Pulse) -> None:
        """React until cancelled; connection trouble is waited out, everything else becomes a dead letter."""
        while True:
            try:
                async with self._locks.hold(self._checkpoint) as lock:
                    await self._react(lock, moved)
            except LogWentBack:
                raise
            except (LockLost, TimeoutError, asyncpg.PostgresError, *AWAY, *LOST) as error:
                log_line.info("reactor.waiting", source=self.source, why=type(error).__name__)
                await asyncio.sleep(0.2)

    async def _react(self, lock: Held, moved: Pulse) -> None:
        await self._pool.execute("insert into checkpoints(name) values ($1) on conflict do nothing", self._checkpoint)
        patience = Patience()
        while True:
            lock.check()
            seen = moved.count
            busy = await self.step()
            retried = self._look_at_those_aside() and await self.retry(caught_up=not busy)
            wait = patience.after(busy or retried)
            if not (self._more or retried):
                await moved.after(seen, wait)

    def _look_at_those_aside(self) -> bool:
        """While there are some, each time; else now and then, for somebody else may ask for a replay."""
        now = asyncio.get_running_loop().time()
        if self._aside or now - self._looked_aside > LOOK_ASIDE:
            self._looked_aside = now
            return True
        return False

    async def step(self) -> bool:
        """React to the next messages and move the checkpoint; was there anything?"""
        self._more = False
        if await self._passed_over():
            return True
        now = asyncio.get_running_loop().time()
        if self._recent.ends_at(self.at) and now - self._read < SOON:
            return False  # a beat for somebody else
        self._read = now
        rows = await self._pool.fetch(NEXT, self.source, self._checkpoint, BATCH, list(self._reactions))
        for row in rows:
            if row["position"] is not None:
                await self._handle(row)
        if rows:
            last = rows[-1]["upto"]
            await self._pool.execute(
                "update checkpoints set position = greatest(position, $2) where name = $1", self._checkpoint, last
            )  # another process may have taken over and be further
            self.at = last
            self._more = not self._recent.ends_at(last)
        return bool(rows)

    async def _passed_over(self) -> bool:
        """Move on over what was heard just now when nothing of it concerns us. Only from where we are: when the
        checkpoint is elsewhere, what stands in the database is looked at."""
        rows = self._recent.after(self.at, BATCH)
        if not rows or any(row[3] in self._reactions for row in rows):
            return False
        if (rest := self._passed + PASS_EVERY - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(rest)
            rows = self._recent.after(self.at, BATCH)
            if not rows or any(row[3] in self._reactions for row in rows):  # they may have been forgotten meanwhile
                return False
        self._passed = asyncio.get_running_loop().time()
        moved = await self._pool.execute(
            "update checkpoints set position = $2 where name = $1 and position = $3",
            self._checkpoint, rows[-1][0], self.at,
        )  # fmt: skip
        if moved != "UPDATE 1":
            return False
        self.at = rows[-1][0]
        self._more = not self._recent.ends_at(self.at)
        return True

    async def _handle(self, row: asyncpg.Record) -> None:
        if row["case_id"] is not None and await self._blocked(row["case_id"], row["position"]):
            await self._set_aside(row, "behind", "An earlier message of this case has been set aside.", 0)
            return
        found = await self._judge(row)
        if found is not None:
            await self._set_aside(row, *found)

    async def _judge(self, row: asyncpg.Record) -> tuple[str, str, int] | None:
        """Try a message, several times if that may help. None when it went through, else state, reason and tries."""
        why: Exception | None = None
        for attempt in range(1, TRIES + 1):
            why = await self._try(row)
            if why is None:
                return None
            if isinstance(why, MissingPredecessor):
                return "parked", why.reason, attempt
            if isinstance(why, Refused | Unreadable):
                break  # asking again would get the same answer
            await asyncio.sleep(0.05 * attempt)
        return (
            "dead",
            f"{type(why).__name__}: {why}" if isinstance(why, Refused | Unreadable) else type(why).__name__,
            TRIES,
        )

    async def _try(self, row: asyncpg.Record) -> Exception | None:
        """Do everything this message asks for. Connection trouble is raised, other errors are given back."""
        try:
            heard = self._decode(self.source, tuple(row)[:8])
            if heard is None:
                return None
            context = remote(heard.envelope.traceparent)
            asks = self._reactions[heard.name](heard, self._now())
            if not asks:
                return None
            with tracer().start_as_current_span(
                f"react {heard.name}", context=within(context), record_exception=False, set_status_on_exception=False
            ) as span:
                span.set_attribute("source", self.source)
                for ask in asks:
                    target = ask.aggregate.stream(ask.id)
                    await self._perform(ask, command_id(heard.envelope.event_id, ask.rule, target), heard)
        except AWAY:
            raise
        except Exception as error:
            if passes(error):
                raise
            return error
        return None

    # --- what was set aside ---

    async def _blocked(self, case_id: UUID, position: int) -> bool:
        return await self._pool.fetchval(
            "select exists(select 1 from dead_letters where source = $1 and case_id = $2 and position < $3)",
            self.source, case_id, position,
        )  # fmt: skip

    async def _set_aside(self, row: asyncpg.Record, state: str, reason: str, attempts: int) -> None:
        """Note it, or what has become of it: the wait for a predecessor counts from when it was first missed."""
        self._aside = True
        await self._pool.execute(
            "insert into dead_letters values ($1, $2, $3, $4, $5, $6, $7, $8) "
            "on conflict (source, position) do update set state = excluded.state, reason = excluded.reason, "
            "attempts = dead_letters.attempts + excluded.attempts, since = case "
            "when excluded.state = 'parked' and dead_letters.state <> 'parked' then excluded.since "
            "else dead_letters.since end",
            self.source, row["position"], row["case_id"], row["type"], state, reason[:500], attempts, self._now(),
        )  # fmt: skip
        if state == "dead":
            log_line.error("dead_letter", source=self.source, position=row["position"], type=row["type"], why=reason)

    async def retry(self, caught_up: bool = True) -> bool:
        """Try again what stands first of its case and is not dead, oldest first; did anything go through?

        A message that has been parked too long is dead, but only when it has just been tried and everything heard had
        been reacted to (`caught_up`): after an outage, what it waits for may be among that.
        """
        done = False
        first = await self._pool.fetch(FIRST_OF_CASE, self.source)
        self._aside = bool(first)
        for position in first:
            done |= await self._retry_case(position[0], caught_up)
        return done

    async def _retry_case(self, first: int, caught_up: bool) -> bool:
        """Try a message, and when it goes through those behind it. False when not even the first did."""
        position: int | None = first
        while position is not None:
            row = await self._pool.fetchrow(SET_ASIDE, self.source, position)
            if row is None:
                break
            found = await self._judge(row)
            if found is not None:
                await self._set_aside_again(row, found, caught_up)
                break
            position = await self._done(row)
        return position != first

    async def _set_aside_again(self, row: asyncpg.Record, found: tuple[str, str, int], caught_up: bool) -> None:
        state, reason, attempts = found
        if (state, row["state"]) != ("parked", "parked"):
            await self._set_aside(row, state, reason, attempts)
        elif caught_up and self._now() - row["since"] > PARK_FOR:
            await self._set_aside(row, "dead", reason, attempts)

    async def _done(self, row: asyncpg.Record) -> int | None:
        """It need not be set aside any more. Answers the position of the next of its case, unless that is dead."""
        await self._pool.execute(
            "delete from dead_letters where source = $1 and position = $2", self.source, row["position"]
        )
        following = await self._pool.fetchrow(
            "select position, state from dead_letters where source = $1 and case_id = $2 order by position limit 1",
            self.source, row["case_id"],
        )  # fmt: skip
        return None if following is None or following["state"] == "dead" else following["position"]

    async def replay(self, position: int) -> bool:
        """Ask for a set-aside message to be tried again by whoever holds the lock. True when it went through.

        False when it did not, when an earlier one of its case has to go first, when nothing of that position has been
        set aside, or when the outcome took longer than REPLAY_WAIT; in that case it is still going to be tried.
        """
        marked = await self._pool.fetchval(
            "update dead_letters d set state = 'behind', reason = 'To be tried again.' "
            "where source = $1 and position = $2 and not exists (select 1 from dead_letters e "
            "where e.source = d.source and e.case_id = d.case_id and e.position < d.position) returning true",
            self.source, position,
        )  # fmt: skip
        if not marked:
            return False
        self._aside = True
        try:
            async with asyncio.timeout(REPLAY_WAIT):
                while (state := await self._state(position)) == "behind":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return state is None

    async def _state(self, position: int) -> str | None:
        return await self._pool.fetchval(
            "select state from dead_letters where source = $1 and position = $2", self.source, position
        )
