"""We heard something, so we ask ourselves: reactions run from `heard`, each effect once, in order per case.

A reaction is a pure function from what was heard to commands of our own. Each command's id is a hash of the message,
the rule and the target, so running it again does nothing. A message that cannot be handled yet is parked, one that
cannot be handled at all is dead; what follows on the same case waits behind it, visibly, and can be replayed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from chassis.clock import hashed_id
from chassis.codec import Codec, Unreadable
from chassis.decider import Aggregate, MissingPredecessor, Refused, record
from chassis.keys import KeysUnavailable
from chassis.locks import Held, LockLost, Locks
from chassis.log import LogUnavailable, LogWentBack
from chassis.perform import StillMoving
from chassis.postgres import LOST, passes
from chassis.pulse import Pulse
from chassis.telemetry import get_logger, remote, tracer, within
from chassis.view import Decoder, Heard

log_line = get_logger(__name__)

PARK_FOR = timedelta(minutes=5)
"""How long a message waits for its predecessor before it is dead and somebody has to look [A]."""

TRIES = 3
BATCH = 500

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
    ) -> None:
        self.source, self._reactions, self._codec = source, reactions, codec
        self._pool, self._locks, self._perform, self._now = pool, locks, perform, now
        self._decode = Decoder({source: codec})
        self._checkpoint = f"react:{source}"
        self.at = 0

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
        while True:
            lock.check()
            seen = moved.count
            busy = await self.step()
            busy |= await self.retry_parked()
            if not busy:
                await moved.after(seen, 0.05)

    async def step(self) -> bool:
        """React to the next messages and move the checkpoint; was there anything?"""
        self.at = await self._pool.fetchval(
            "select coalesce((select position from checkpoints where name = $1), 0)", self._checkpoint
        )
        rows = await self._pool.fetch(
            "select position, stream_id, version, type, schema_version, data, envelope, recorded_at, case_id, event_id "
            "from heard where source = $1 and position > $2 order by position limit $3",
            self.source, self.at, BATCH,
        )  # fmt: skip
        for row in rows:
            if row["type"] in self._reactions:
                await self._handle(row)
        if rows:
            last = rows[-1]["position"]
            await self._pool.execute(
                "update checkpoints set position = greatest(position, $2) where name = $1", self._checkpoint, last
            )  # another process may have taken over and be further
            self.at = last
        return bool(rows)

    async def _handle(self, row: asyncpg.Record) -> None:
        if row["case_id"] is not None and await self._blocked(row["case_id"], row["position"]):
            await self._set_aside(row, "behind", "An earlier message of this case has been set aside.", 0)
            return
        why: Exception | None = None
        for attempt in range(1, TRIES + 1):
            why = await self._try(row)
            if why is None:
                return
            if isinstance(why, MissingPredecessor):
                await self._set_aside(row, "parked", why.reason, attempt)
                return
            if isinstance(why, Refused | Unreadable):
                break  # asking again would get the same answer
            await asyncio.sleep(0.05 * attempt)
        reason = f"{type(why).__name__}: {why}" if isinstance(why, Refused | Unreadable) else type(why).__name__
        await self._set_aside(row, "dead", reason, TRIES)
        log_line.error("dead_letter", source=self.source, position=row["position"], type=row["type"], why=reason)

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
            with tracer().start_as_current_span(f"react {heard.name}", context=within(context)) as span:
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
        await self._pool.execute(
            "insert into dead_letters values ($1, $2, $3, $4, $5, $6, $7, $8) "
            "on conflict (source, position) do update set state = excluded.state, reason = excluded.reason, "
            "attempts = dead_letters.attempts + excluded.attempts",
            self.source, row["position"], row["case_id"], row["type"], state, reason[:500], attempts, self._now(),
        )  # fmt: skip

    async def retry_parked(self) -> bool:
        """Try parked messages again, oldest first; those that have waited too long are dead."""
        parked = await self._pool.fetch(
            "select position, since from dead_letters where source = $1 and state = 'parked' order by position",
            self.source,
        )
        done = False
        for position, since in parked:
            if self._now() - since > PARK_FOR:
                await self._pool.execute(
                    "update dead_letters set state = 'dead' where source = $1 and position = $2", self.source, position
                )
                log_line.error("dead_letter", source=self.source, position=position, why="MissingPredecessor")
            else:
                done |= await self.replay(position)
        return done

    async def replay(self, position: int) -> bool:
        """Try a set-aside message again, and after it those waiting behind it on its case. True if it went through."""
        row = await self._pool.fetchrow(
            "select h.position, h.stream_id, h.version, h.type, h.schema_version, h.data, h.envelope, h.recorded_at, "
            "h.case_id, h.event_id from heard h join dead_letters d using (source, position) "
            "where source = $1 and position = $2",
            self.source, position,
        )  # fmt: skip
        if row is None or await self._blocked_before(row) or await self._try(row) is not None:
            return False
        await self._pool.execute("delete from dead_letters where source = $1 and position = $2", self.source, position)
        behind = await self._pool.fetchval(
            "select min(position) from dead_letters where source = $1 and case_id = $2 and state = 'behind'",
            self.source, row["case_id"],
        )  # fmt: skip
        if behind is not None:
            await self.replay(behind)
        return True

    async def _blocked_before(self, row: asyncpg.Record) -> bool:
        return row["case_id"] is not None and await self._blocked(row["case_id"], row["position"])
