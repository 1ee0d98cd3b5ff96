"""What was appended just now is told at once to those who listen, before the stream has it.

It stands in the log, at its place, for good. The stream's own copy costs the broker several writes to its disk, and
nobody needs to wait for those: what is told bears its place, so a listener takes it when it is the very next, and finds
everything else in the stream a little later. Nothing that is told is kept, and nothing depends on its being told.
See docs/decisions/0015-told-before-it-is-kept.md.
"""

from collections.abc import Callable

from nats.aio.client import Client

from chassis.bus import BusUnavailable, Message, tell
from chassis.postgres import PostgresLog
from chassis.pulse import Pulse
from chassis.recent import Recent
from chassis.telemetry import get_logger

log_line = get_logger(__name__)

FEW = 64
"""So many facts at once are told. More than that the stream brings as fast, and at half the cost for everybody."""

LOOK = 1.0
"""Seconds between looks when nothing beats the log's pulse."""


def live(service: str) -> str:
    """The subject below which a service tells its facts, each under its position."""
    return f"live.{service}"


class Teller:
    """Tells what this process appends to one service's log. `message` gives a stored fact's published form."""

    def __init__(self, service: str, log: PostgresLog, client: Client, message: Callable[..., Message]) -> None:
        self._subject = live(service).encode()
        self._log, self._client, self._message = log, client, message
        self._since = self._told = 0
        self.left_out = Pulse()  # beats when something is not told

    def covers(self, first: int, last: int) -> bool:
        """Has everything from one position to another been told?"""
        return self._since <= first and last <= self._told

    async def run(self) -> None:
        moved, recent = self._log.moved, self._log.remember()
        self._begin_after(recent.end)
        while True:
            seen = moved.count
            await self._tell(recent)
            await moved.after(seen, LOOK)

    async def _tell(self, recent: Recent) -> None:
        if recent.end <= self._told:
            return
        if recent.begin > self._told + 1:
            self._begin_after(recent.begin - 1)  # others have written in between
        rows = recent.after(self._told, FEW + 1)
        if len(rows) > FEW:
            self._begin_after(recent.end)
            return
        try:
            await tell(self._client, [self._live(row[0], self._message(*row)) for row in rows])
        except BusUnavailable as error:
            log_line.info("telling.waiting", why=str(error))
            self._begin_after(recent.end)
        else:
            self._told = rows[-1][0]

    def _live(self, position: int, message: Message) -> Message:
        return Message(b"%s.%d" % (self._subject, position), message.headers, message.body)

    def _begin_after(self, position: int) -> None:
        self._since, self._told = position + 1, position
        self.left_out.beat()
