"""For tests of races: a log at which others are served in between.

The log's own calls are the only places where something can come in between a command's look and its append."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from chassis.log import Append, Stored, Verdict
from chassis.memory import MemoryLog

Act = TypeVar("Act")


class Crowded(MemoryLog, Generic[Act]):
    """A log at which others are served before each of our calls, as long as `turns` says so; `serve` does one act."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[Sequence[Act]] = []
        self.serve: Callable[[Act], Awaitable[object]] | None = None

    async def append(self, request: Append) -> Verdict:
        await self._others_first()
        return await super().append(request)

    async def stream(self, stream: str, after: int = 0) -> Sequence[Stored]:
        await self._others_first()
        return await super().stream(stream, after)

    async def _others_first(self) -> None:
        turn, serve = (self.turns.pop(0) if self.turns else ()), self.serve
        self.serve = None  # they are not interrupted themselves
        if serve is not None:
            for act in turn:
                await serve(act)
        self.serve = serve
