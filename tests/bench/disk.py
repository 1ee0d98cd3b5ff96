"""How long does the machine's own disk take meanwhile?

Latency that ends in two durable writes can be no better than the disk is. On a machine that is shared with others it
stops now and then, whatever runs here; so what it took by itself is noted beside what we took.
"""

import asyncio
import json
import os
import select
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.loops import percentile

EVERY = 0.02
"""Seconds between two writes: often enough to meet each stop that matters, too seldom to matter itself."""


@asynccontextmanager
async def watched_disk(folder: Path) -> AsyncGenerator[Callable[[], Awaitable[dict[str, float]]], None]:
    """Write 512 bytes durably every 20 ms to a file in `folder`; gives a function that ends it and tells p99 and the
    longest, in ms."""
    file = folder / "disk"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.disk", str(file), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield lambda: _told(child)
    finally:
        await _told(child)
        file.unlink(missing_ok=True)


async def _told(child: asyncio.subprocess.Process) -> dict[str, float]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    said = await child.stdout.read()
    await child.wait()
    return json.loads(said) if said else {}


def _watch(path: str) -> dict[str, float]:
    """Until nobody listens any more."""
    took: list[float] = []
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    while not select.select([sys.stdin], [], [], EVERY)[0]:
        os.pwrite(file, b"x" * 512, 0)
        before = time.perf_counter()
        os.fdatasync(file)
        took.append((time.perf_counter() - before) * 1e3)
    os.close(file)
    return {"disk_p99_ms": percentile(took, 0.99), "disk_max_ms": max(took, default=0.0)}


if __name__ == "__main__":
    print(json.dumps(_watch(sys.argv[1])))
