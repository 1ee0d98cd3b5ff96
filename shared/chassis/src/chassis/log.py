"""What a log promises, whatever it is kept in: gapless positions, expected versions, guards, one answer per command.

`PostgresLog` keeps it; `MemoryLog` is its twin for unit tests. Both pass the same contract suite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class NewFact(msgspec.Struct, frozen=True, gc=False):
    """A fact on its way into the log: open part, sealed part (already encrypted), envelope as header lines."""

    event_id: UUID
    name: str
    schema_version: int
    data: bytes
    sealed: bytes | None
    envelope: bytes
    subject: UUID | None


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A fact as the log holds it."""

    position: int
    stream: str
    version: int
    event_id: UUID
    name: str
    schema_version: int
    data: bytes
    sealed: bytes | None
    envelope: bytes
    subject: UUID | None
    recorded_at: datetime


class Key(msgspec.Struct, frozen=True, gc=False):
    """A command's identity. The same id with the same fingerprint gets the first answer again; with another
    fingerprint it is refused. `answer` holds ids, never content. An empty `fingerprint` is not compared."""

    id: UUID
    fingerprint: bytes = b""
    answer: bytes = b""


class Append(msgspec.Struct, frozen=True, gc=False):
    """Add `facts` to `stream` if it is at version `expected`, and every guard's stream is at the guard's version."""

    stream: str
    expected: int
    facts: Sequence[NewFact]
    guards: Sequence[tuple[str, int]] = ()
    key: Key | None = None


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Done. `position` and `version` are those of the last fact (the head's and the stream's where there was none)."""

    position: int
    version: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """This command was done before; here is what was answered then. Nothing was added."""

    fingerprint: bytes
    answer: bytes
    position: int
    version: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """`stream` was at `version`, not where the request (or its guard) expected it. Nothing was added."""

    stream: str
    version: int


Verdict = Appended | Repeated | Conflict


class LogUnavailable(Exception):
    """The log could not be reached in time. Whether the request was written is not known; its key makes asking again
    safe."""


class LogWentBack(Exception):
    """The log ends before a position that has been seen or published: it was restored from an older backup.

    Writing on would give old positions new facts. See docs/runbooks/log-behind-stream.md."""


class AppendFailed(Exception):
    """The database refused this one request. Its neighbours in the batch were not harmed."""


class Log(Protocol):
    """One service's facts, in one order."""

    async def append(self, request: Append) -> Verdict:
        """Raises AppendFailed, LogUnavailable or LogWentBack."""
        ...

    async def stream(self, stream: str, after: int = 0) -> Sequence[Stored]:
        """The facts of one stream with a version above `after`, in order."""
        ...

    async def after(self, position: int, limit: int) -> Sequence[Stored]:
        """Up to `limit` facts with a position above `position`, in order."""
        ...

    async def head(self) -> int:
        """The last position; 0 for an empty log."""
        ...

    async def answered(self, key: UUID) -> Repeated | None:
        """What was answered to a command with this id, if it was done."""
        ...


def compatible(batch_streams: set[str], batch_keys: set[UUID], request: Append) -> bool:
    """May this request share a statement with those before it? Not if it writes, guards or repeats what they write."""
    if request.stream in batch_streams or (request.key is not None and request.key.id in batch_keys):
        return False
    return not request.guards or not any(stream in batch_streams for stream, _ in request.guards)
