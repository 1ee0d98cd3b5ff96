"""The log in memory: for unit tests, passing the same contract suite as PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.log import Append, Appended, AppendFailed, Conflict, Repeated, Stored, Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryLog:
    """See `chassis.log.Log`. `now` gives recorded times; they never go back."""

    def __init__(self, now: Callable[[], datetime] = lambda: EPOCH) -> None:
        self._now = now
        self._facts: list[Stored] = []
        self._versions: dict[str, int] = {}
        self._answers: dict[UUID, Repeated] = {}

    async def append(self, request: Append) -> Verdict:
        if "\x00" in request.stream:
            raise AppendFailed("A stream's name cannot hold a zero byte.")
        if request.key is not None and (seen := self._answers.get(request.key.id)) is not None:
            return seen
        for stream, version in ((request.stream, request.expected), *request.guards):
            if self._versions.get(stream, 0) != version:
                return Conflict(stream, self._versions.get(stream, 0))
        done = self._add(request)
        if request.key is not None:
            self._answers[request.key.id] = Repeated(
                request.key.fingerprint, request.key.answer, done.position, done.version
            )
        return done

    def _add(self, request: Append) -> Appended:
        last = self._facts[-1].recorded_at if self._facts else EPOCH
        at = max(last, self._now())
        for n, f in enumerate(request.facts, 1):
            self._facts.append(
                Stored(len(self._facts) + 1, request.stream, request.expected + n, f.event_id, f.name, f.schema_version,
                       f.data, f.sealed, f.envelope, f.subject, at)
            )  # fmt: skip
        version = request.expected + len(request.facts)
        if request.facts:
            self._versions[request.stream] = version
        return Appended(len(self._facts), version)

    async def stream(self, stream: str, after: int = 0) -> Sequence[Stored]:
        return [f for f in self._facts if f.stream == stream and f.version > after]

    async def after(self, position: int, limit: int) -> Sequence[Stored]:
        return self._facts[position : position + limit]

    async def head(self) -> int:
        return len(self._facts)

    async def answered(self, key: UUID) -> Repeated | None:
        return self._answers.get(key)
