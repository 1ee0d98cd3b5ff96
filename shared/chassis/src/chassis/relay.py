"""How does the log reach its stream? Sequence = position, always; the log is the truth, the stream a copy.

Stateless: ask the stream where it ends, publish what the log has after that, each message expecting its place. A
second relay is refused by the server and harms nothing; a stream that lost its store is filled again from the log.
A log that ends before its stream, or holds another fact at the stream's end, has been restored from a backup: the
service must not write, and stops.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from nats.aio.client import Client

from chassis.bus import MOST, BusUnavailable, Message, OutOfSequence, Publisher, ensure_stream, stream_end
from chassis.connecting import LOST
from chassis.envelope import header_fields, traceparent
from chassis.facts import Facts
from chassis.fold import OWN
from chassis.log import LogWentBack
from chassis.postgres import PostgresLog
from chassis.recent import Recent, Row
from chassis.telemetry import get_logger, sampled, shared_span
from chassis.telling import Teller

log_line = get_logger(__name__)

POLL = 0.05
"""Seconds between looks at the log when nothing in this process has been appended (another process may have)."""

TOGETHER = 0.05
"""Seconds from one publication to the next when what waits has been told already: a batch costs the broker's disk as
much as a few messages do."""

BEAT = 1.0
"""Seconds between announcements of the moment up to which everything has been published."""


class LogBehindStream(LogWentBack):
    """The stream holds facts that this log does not: the log was restored from an older backup."""


class Relay:
    """Copies one service's log to its stream. `published` is the last position known to be in the stream."""

    def __init__(
        self, service: str, facts: Facts, log: PostgresLog, client: Client, clock: Callable[[], datetime]
    ) -> None:
        self.service, self.stream = service, service.upper()
        self._log, self._client, self._clock = log, client, clock
        self._open = {d.name for d in facts if d.fact.published}
        self._publisher = Publisher(client)
        self._recent = Recent()  # what this process appended, once we run
        self.teller = Teller(service, log, client, self.message)
        self.published: int | None = None
        self._most = MOST
        self._anew = False
        self._sent_at = 0.0
        self._beaten: tuple[int, datetime] | None = None
        self._beat_at = 0.0
        self._moment: tuple[int, datetime] | None = None  # marked in the log, announced once that is published

    async def check(self) -> int:
        """Hold the stream's last message against the log; answers where the stream ends.

        Raises LogBehindStream when the log does not hold that very fact, BusUnavailable when the broker is away.
        """
        await ensure_stream(self._client, self.stream, [f"{self.service}.>"])
        end = await stream_end(self._client, self.stream)
        if end.sequence:
            ours: UUID | None = await self._log.pool.fetchval(
                "select event_id from events where position = $1", end.sequence
            )
            if ours is None or str(ours) != end.event_id:
                what = "ends before" if ours is None else "holds another fact at"
                raise LogBehindStream(
                    f"The log of {self.service} {what} position {end.sequence}, which its stream has already "
                    "published. It was restored from an older backup. Nothing is written. "
                    "See docs/runbooks/log-behind-stream.md."
                )
        self._log.known = max(self._log.known, end.sequence)
        self.published = end.sequence
        return end.sequence

    def begin_anew(self) -> None:
        """After a reconnect: the stream may have lost what it had, so ask where it ends before anything else."""
        self._anew = True
        self._publisher.cut()

    async def run(self) -> None:
        """Publish until cancelled. LogWentBack ends it; everything else is tried again."""
        self._recent = self._log.remember()
        await self._publisher.open()
        pause = 0.05
        while True:
            try:
                self._anew = False
                self._publisher.forget()
                last = await self.check()
                while not self._anew:
                    last = await self._step(last)
                    pause = 0.05
            except OutOfSequence:
                self._most = 1  # alone, so that the server says why it takes no more, if it is not for its place
                continue
            except BusUnavailable as error:
                log_line.warning("relay.waiting", service=self.service, why=str(error))
            except LogWentBack:
                raise
            except (*LOST, asyncpg.PostgresError) as error:
                log_line.warning("relay.waiting", service=self.service, why=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _step(self, last: int) -> int:
        """Send what the log has after `last`: from memory what this process appended just now, else from the database.

        A full batch is not waited for: the next is made meanwhile."""
        await self._let_more_come(last)
        seen = self._log.moved.count
        rows = self._recent.after(last, self._most) or await self._log.pool.fetch(OWN, last, self._most)
        if rows:
            last = await self._send(rows, last)
            self._most = MOST
        else:
            await self._publisher.settled()
            self.published = last
        if len(rows) < MOST:
            await self._beat(last)
            if not rows or (self._recent.ends_at(last) and self._log.known <= last):
                await self._log.moved.after(seen, POLL)
        return last

    async def _let_more_come(self, last: int) -> None:
        """What listeners have been told can wait a little, for more that is published with it."""
        rest = self._sent_at + TOGETHER - asyncio.get_running_loop().time()
        if rest > 0 and self.teller.covers(last + 1, self._log.known):
            await self.teller.left_out.after(self.teller.left_out.count, rest)

    async def _send(self, rows: Sequence[Row], last: int) -> int:
        """Publish these facts, which follow `last`; answers where they end. A full batch is not waited for."""
        if rows[0][0] != last + 1 or rows[-1][0] != last + len(rows):
            raise LogWentBack(f"The log of {self.service} has a gap after position {last}.")
        self._sent_at = asyncio.get_running_loop().time()
        messages = [self.message(*row) for row in rows]
        traces = (sampled(traceparent(row[6])) for row in rows)
        span = shared_span("relay.publish", traces, {"stream": self.stream, "facts": len(rows)})
        new = await self._publisher.begin(messages, last)
        if len(rows) < MOST:
            await self._publisher.settled()
        if span is not None:
            span.end()
        self.published = max(self.published or 0, self._publisher.acknowledged)
        return new

    def message(self, position: int, stream: str, version: int, name: str, schema: int, data: bytes, envelope: bytes,
                recorded_at: datetime) -> Message:  # fmt: skip
        """The published form of a stored fact: a CloudEvent in binary mode; without a body where others may not see."""
        if name not in self._open:
            return Message(
                b"%s.0.Withheld.v1" % self.service.encode(),
                b"ce-specversion: 1.0\r\nce-id: %s\r\nce-source: /%s\r\nce-type: withheld\r\n"
                % (header_fields(envelope)["ce-id"].encode(), self.service.encode()),
                b"",
            )
        head = (
            f"ce-specversion: 1.0\r\nce-source: /{self.service}\r\nce-type: {name}\r\nce-subject: {stream}\r\n"
            f"ce-schemaversion: {schema}\r\nce-streamversion: {version}\r\n"
            f"ce-recordedtime: {recorded_at.isoformat()}\r\ncontent-type: application/json\r\n"
        )
        return Message(f"{self.service}.0.{name}.v{schema}".encode(), head.encode() + envelope, data)

    async def _beat(self, last: int) -> None:
        """Say: up to this moment everything has been published. Listeners' timers wait for that.

        Facts behind the head at which a moment was marked bear it or a later one: it holds however late it is said."""
        now, real = self._clock(), asyncio.get_running_loop().time()
        if self._moment is None:
            moved = self._beaten is None or self._beaten[1] < now - timedelta(seconds=BEAT)
            if not moved and real - self._beat_at < BEAT:
                return
            self._moment = (await self._log.mark_moment(now), now)
        head, at = self._moment
        if head > last:
            return  # more has come; publish it first
        self._moment, self._beaten, self._beat_at = None, self._moment, real
        await self._client.publish(f"level.{self.service}", f'{{"position":{head},"at":"{at.isoformat()}"}}'.encode())
