"""The load generator: `python -m tests.bench.load PORT TOKEN CONNECTIONS SECONDS SEED`. A process of its own.

Keep-alive connections over plain sockets, one request at a time on each; nothing is parsed but the status and the
length, so that it is never the slower side. Prints JSON: rate and latency of the window, and how many answers of which
status came in all.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import cast

import uvloop
from tests.bench.loops import outcome, settle
from tests.bench.requests import requests

MOST_PER_SECOND = 12_000
WARM = 1.0
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE).search


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, left: Iterator[bytes], stop: float, ended: list[tuple[float, float]], statuses: Counter[str]):
        self._left, self._stop, self._ended, self._statuses = left, stop, ended, statuses
        self._got = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._next(time.perf_counter())

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH(self._got[:head])
        if length is None or len(self._got) < head + 4 + int(length[1]):
            return
        now = time.perf_counter()
        self._statuses[self._got[9:12].decode()] += 1
        self._ended.append((now, now - self._sent))
        self._got = b""
        self._next(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the service closed a connection"))

    def _next(self, now: float) -> None:
        request = next(self._left, None) if now < self._stop else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent = now
        self._transport.write(request)


async def run(port: int, token: str, connections: int, seconds: float, seed: int) -> None:
    prepared = requests(int((seconds + WARM) * MOST_PER_SECOND), token, port, seed)
    left = iter(prepared)
    ended: list[tuple[float, float]] = []
    statuses: Counter[str] = Counter()
    settle()
    start = time.perf_counter() + WARM
    made: list[Connection] = []
    for _ in range(connections):
        _, one = await asyncio.get_running_loop().create_connection(
            lambda: Connection(left, start + seconds, ended, statuses), "127.0.0.1", port
        )
        made.append(one)
    async with asyncio.timeout(WARM + seconds + 10):
        await asyncio.gather(*(c.done for c in made))
    if next(left, None) is None:
        raise SystemExit("The load generator ran out of requests: raise MOST_PER_SECOND.")
    spent = time.process_time() / (time.perf_counter() - start + WARM)
    print(json.dumps(outcome(ended, start, seconds) | {"statuses": statuses, "load_generator_cpu": round(spent, 2)}))


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])))
