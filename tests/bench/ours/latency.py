"""Ours: how long does a command take until it is committed in the read model of a service that listens?

At a steady rate, whatever is under way. The two services run as they are deployed, each in a process of its own; both
read the machine's one monotonic clock, so what one notes can be held against what the other notes.
"""

import asyncio
import json
import os
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from tests.bench.commands import STEPS, Life, lives
from tests.bench.disk import watched_disk
from tests.bench.loops import Outcome, percentile, settle
from tests.bench.runtimes import give, listening_service, plan_service
from tests.bench.stage import Stage

from chassis.service import Runtime


def latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    """Commands come on time, `per_second` of them; from when one was due until the read model shows it."""
    return uvloop.run(_latency(stage, per_second, seconds))


async def _latency(stage: Stage, per_second: int, seconds: float) -> Outcome:
    """An employment's next command comes a second after its last, so the first seconds bring less and do not count."""
    slots = int(per_second * (STEPS + seconds))
    prepared = lives(slots // STEPS + 1)
    due: dict[int, float] = {}  # position -> when its command was due
    running: set[asyncio.Task[None]] = set()
    folder = Path(stage.master_key_file).parent
    async with listener(stage) as shown, plan_service(stage) as plan, watched_disk(folder) as disk:
        settle()
        start = time.perf_counter()
        for slot in range(slots):
            at = start + slot / per_second
            if (wait := at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            step = slot % STEPS
            number = slot // STEPS - step * per_second // STEPS
            if number >= 0:
                task = asyncio.create_task(_command(plan, prepared[number], step, at, due))
                running.add(task)
                task.add_done_callback(running.discard)
        took = time.perf_counter() - start
        await asyncio.gather(*running)
        seen = await shown(max(due))
        noted = await disk()
    assert len(due) == max(due), "each command must have its own position in the log"
    counted = [_when(seen, p) - at for p, at in due.items() if at >= start + STEPS]
    return {
        "per_second": len(counted) / (took - STEPS),
        "p50_ms": percentile(counted, 0.50) * 1e3,
        "p99_ms": percentile(counted, 0.99) * 1e3,
        "max_ms": max(counted) * 1e3,
    } | noted


async def _command(plan: Runtime, life: Life, step: int, at: float, due: dict[int, float]) -> None:
    due[(await give(plan, life.id, life.commands[step])).position] = at


def _when(seen: "Seen", position: int) -> float:
    """When the read model's committed checkpoint had come to `position`."""
    return seen[bisect_left(seen, (position, 0.0))][1]


# --- the listening service ---

Seen = list[tuple[int, float]]
"""How far the read model was committed, and when that was seen: both only grow."""


@asynccontextmanager
async def listener(stage: Stage) -> AsyncGenerator["Shown", None]:
    """The listening service in its own process; gives a function that waits for a position and tells what was seen."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.ours.latency", stage.to_json(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert await child.stdout.readline() == b"listening\n", "the listening service did not start"
    try:
        yield Shown(child)
    finally:
        child.stdin.close()
        await child.wait()


class Shown:
    """What the listening service's read model has shown."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def __call__(self, position: int) -> Seen:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(b"%d\n" % position)
        return [(p, at) for p, at in json.loads(await self._child.stdout.readline())]


async def _listen(stage: Stage) -> None:
    """Note how far the read model has come, until somebody asks for a position; tell when that has been reached."""
    seen: Seen = []
    tell = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what is logged must not come between the answers
    async with listening_service(stage) as runtime:
        folder, pulse = runtime.folders["employments"], runtime.folded
        settle()
        print("listening", file=tell, flush=True)
        asked = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        while not asked.done() or (seen[-1][0] if seen else 0) < int(asked.result() or 0):  # no answer: it is all over
            beat = pulse.count
            if not seen or folder.at["plan"] > seen[-1][0]:
                seen.append((folder.at["plan"], time.perf_counter()))
            await pulse.after(beat, 0.05)
        print(json.dumps(seen), file=tell, flush=True)


if __name__ == "__main__":
    uvloop.run(_listen(Stage(**json.loads(sys.argv[1]))))
