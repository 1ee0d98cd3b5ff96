"""Many small questions become one: whoever asks while a question is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """`await batcher(key)` is answered by the next call of `ask(keys)`; one call runs at a time.

    An error of a call reaches everybody who shared it.
    """

    def __init__(self, ask: Callable[[list[K]], Awaitable[list[V]]], most: int = 500) -> None:
        self._ask, self._most = ask, most
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._task: asyncio.Task[None] | None = None

    def __call__(self, key: K) -> Awaitable[V]:
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run())
        return asyncio.shield(future)

    async def _run(self) -> None:
        await asyncio.sleep(0)  # let everybody who is ready now join the first call
        while self._waiting:
            keys = list(self._waiting)[: self._most]
            futures = [self._waiting.pop(k) for k in keys]
            try:
                answers = await self._ask(keys)
            except BaseException as error:
                for f in futures:
                    if not f.done():
                        f.set_exception(error)
                        f.exception()  # shared by several askers; none of them may be left to report it
                if not isinstance(error, Exception):
                    raise
                continue
            for f, answer in zip(futures, answers, strict=True):
                if not f.done():
                    f.set_result(answer)
