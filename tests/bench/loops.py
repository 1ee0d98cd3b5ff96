"""How many times a second can something be done, and how long does one take?

A closed loop: each of a number of clients does one thing after the other. A warm-up is thrown away, then everything
that ends within the window counts. Rivals and our side are driven by the same loops.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")

Once = Callable[[int], Awaitable[object]]
"""What a client, told by its number, does again and again."""

Outcome = dict[str, Any]
"""What one half of a round found: `per_second`, usually `p50_ms` and `p99_ms`, and whatever explains them."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def outcome(ended: Sequence[tuple[float, float]], start: float, seconds: float) -> Outcome:
    """Rate and latency of what ended in the window; `ended` holds (when it ended, how long it took) in seconds."""
    took = [t for at, t in ended if start <= at < start + seconds]
    return {
        "per_second": len(took) / seconds,
        "p50_ms": percentile(took, 0.50) * 1e3,
        "p99_ms": percentile(took, 0.99) * 1e3,
    }


async def closed_loop(clients: int, once: Once, *, seconds: float, warm: float = 0.5) -> Outcome:
    """Each client awaits `once(client)` again and again; `seconds` count after `warm` seconds."""
    ended: list[tuple[float, float]] = []
    settle()
    start = time.perf_counter() + warm
    stop = start + seconds

    async def client(number: int) -> None:
        before = time.perf_counter()
        while before < stop:
            await once(number)
            after = time.perf_counter()
            ended.append((after, after - before))
            before = after

    spent = time.process_time()
    await asyncio.gather(*(client(n) for n in range(clients)))
    return outcome(ended, start, seconds) | _cpu(time.process_time() - spent, len(ended))


async def sustained(
    clients: int,
    once: Once,
    arrived: Callable[[], int],
    *,
    seconds: float,
    warm: float = 1.0,
) -> Outcome:
    """Clients go on for ever; what counts is how far `arrived()` comes in `seconds`, after `warm` seconds."""
    settle()
    stop = time.perf_counter() + warm + seconds

    async def client(number: int) -> None:
        while time.perf_counter() < stop:
            await once(number)

    running = asyncio.gather(*(client(n) for n in range(clients)))
    await asyncio.sleep(warm)
    before, start, spent = arrived(), time.perf_counter(), time.process_time()
    await asyncio.sleep(stop - start)
    things, took = arrived() - before, time.perf_counter() - start
    found = {"per_second": things / took} | _cpu(time.process_time() - spent, things)
    await running
    return found


async def by_turns(
    clients: int,
    sides: Sequence[Callable[[], Awaitable[Once]]],
    settled: Callable[[], Awaitable[object]],
    *,
    turns: int,
    seconds: float,
) -> list[Outcome]:
    """Two sides in one process: each has the machine for `seconds`, so often, and who goes first alternates. What makes
    the machine slower or faster meanwhile thus meets both. The first turn of each is thrown away.

    A side prepares each of its turns before the clock runs, and gives what its clients do; a turn ends when all of them
    have come to an end and what they left to be done beside them is `settled`."""
    things, took, spent = ([0.0] * len(sides) for _ in range(3))
    for turn in range(turns + 1):
        for n in sorted(range(len(sides)), reverse=turn % 2 == 1):
            once = await sides[n]()
            settle()
            start, cpu = time.perf_counter(), time.process_time()
            done = await _for(seconds, clients, once)
            await settled()
            if turn:
                things[n] += done
                took[n] += time.perf_counter() - start
                spent[n] += time.process_time() - cpu
    return [{"per_second": t / s} | _cpu(c, int(t)) for t, s, c in zip(things, took, spent, strict=True)]


async def _for(seconds: float, clients: int, once: Once) -> int:
    """How often all clients together did it; each ends what it has begun."""
    stop = time.perf_counter() + seconds

    async def client(number: int) -> int:
        done = 0
        while time.perf_counter() < stop:
            await once(number)
            done += 1
        return done

    return sum(await asyncio.gather(*(client(n) for n in range(clients))))


def closed_loop_threads(threads: int, once: Callable[[int], object], *, seconds: float, warm: float = 0.5) -> Outcome:
    """The same with threads, for libraries that block."""
    ended: list[list[tuple[float, float]]] = [[] for _ in range(threads)]
    settle()
    start = time.perf_counter() + warm
    stop = start + seconds

    def client(number: int) -> None:
        mine = ended[number]
        before = time.perf_counter()
        while before < stop:
            once(number)
            after = time.perf_counter()
            mine.append((after, after - before))
            before = after

    running = [threading.Thread(target=client, args=(n,)) for n in range(threads)]
    spent = time.process_time()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    every = [one for mine in ended for one in mine]
    return outcome(every, start, seconds) | _cpu(time.process_time() - spent, len(every))


def _cpu(seconds: float, things: int) -> Outcome:
    """CPU time of this process alone for each thing done, in microseconds: what a busy machine distorts least."""
    return {"cpu_us_each": round(seconds / max(1, things) * 1e6, 1)}


def ready(make: Callable[[], T], count: int) -> Iterator[T]:
    """`count` things made before the clock runs, so that only what is done with them counts; then more as needed."""
    return chain([make() for _ in range(count)], iter(make, None))


def settle() -> None:
    """What was prepared before the clock runs is nobody's garbage; the collector stays on, as in production."""
    gc.collect()
    gc.freeze()
