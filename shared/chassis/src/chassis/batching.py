"""Many small questions become one: whoever asks while a question is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """`await batcher(key)` is answered by the next call of `ask(keys)`; one call runs at a time.

    An error of a call reaches everybody who shared it. Who stops waiting takes nobody else along.
    """

    def __init__(self, ask: Callable[[list[K]], Awaitable[list[V]]], most: int = 500) -> None:
        self._ask, self._most = ask, most
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    def __call__(self, key: K) -> Awaitable[V]:
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        await asyncio.sleep(0)  # let everybody who is ready now join the first call
        while self._waiting:
            keys = list(self._waiting)[: self._most]
            waiting = [self._waiting.pop(k) for k in keys]
            try:
                answers = await self._ask(keys)
            except BaseException as error:
                for futures in waiting:
                    _fail(futures, error)
                if not isinstance(error, Exception):
                    raise
                continue
            for futures, answer in zip(waiting, answers, strict=True):
                for f in futures:
                    if not f.done():
                        f.set_result(answer)


def _fail(futures: list["asyncio.Future[V]"], error: BaseException) -> None:
    for f in futures:
        if isinstance(error, asyncio.CancelledError):
            f.cancel()
        elif not f.done():
            f.set_exception(error)
