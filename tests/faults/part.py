"""What runs in one process of a fault run: a writer, a relay or a listener, each a service's own Runtime.

Such a process knows nothing of faults. A writer is the service with its clients: whoever gets no answer asks again
under the same command id, also when the writer was killed in between.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from tests.faults.broken import LeavesOut, Trusting
from tests.faults.ledger import Ledger
from tests.faults.services import IN_ORDER, NOT_THERE_YET, PER_WRITER, SERVICES, asked, command_id, first_of

from chassis import service as assembly
from chassis.__main__ import migrations_of
from chassis.connecting import LOST
from chassis.keys import KeysUnavailable
from chassis.log import LogUnavailable
from chassis.migrating import migrate_blocking
from chassis.perform import StillMoving
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.telemetry import start_logging

CLIENTS = 12
"""How many clients a writer serves at once."""

NO_ANSWER = (LogUnavailable, KeysUnavailable, StillMoving, asyncpg.PostgresError, *LOST)
"""What an HTTP client would see as 503 or 409 with "try again"."""

IN_PLACE = {"relay": ("Relay", LeavesOut), "listener": ("Listener", Trusting)}
"""What a harness that breaks a part on purpose puts in its place."""

STOPPED_ITSELF = 3


@dataclass(frozen=True)
class Cast:
    """Who a process is: `role` (writer, relay or listener) of `service`; `settings` as a deployment would give them."""

    service: str
    role: str
    name: str
    number: int
    home: Path
    settings: dict[str, Any]
    per_second: float
    broken: tuple[str, ...] = ()


def main(cast: Cast) -> None:
    """The whole life of the process; ends with 0 when told to stop, also when it was told while it was starting."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    (cast.home / f"{cast.name}.pid").write_text(str(os.getpid()))
    out = os.open(cast.home / f"{cast.name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    for part in cast.broken:
        setattr(assembly, *IN_PLACE[part])
    sys.exit(_running()(_live(cast)))


def _running() -> Callable[[Coroutine[Any, Any, int]], int]:
    """The event loop that `python -m chassis serve` would take."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


async def _live(cast: Cast) -> int:
    service = SERVICES[cast.service]
    start_logging(service.name, "info")
    runtime = Runtime(service, Settings(**cast.settings))
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    await runtime.start()
    work = _write(cast, runtime, told) if cast.role == "writer" else told.wait()
    working = asyncio.ensure_future(work)
    await asyncio.wait({working, runtime.failed}, return_when=asyncio.FIRST_COMPLETED)
    if runtime.failed.done():
        print(f"{cast.name} stops: {runtime.failed.result()}", flush=True)
        return STOPPED_ITSELF
    working.result()
    await runtime.stop()
    return 0


async def _write(cast: Cast, runtime: Runtime, told: asyncio.Event) -> None:
    """First ask again for what earlier lives got no answer to, then make what all else is about, then go on."""
    ledger = Ledger(cast.home / f"{cast.name}.ledger")
    left = sorted(ledger.account.open())
    await asyncio.gather(*(_ask(runtime, ledger, n) for n in left))
    for n in first_of(cast.service):
        if n not in ledger.account.acknowledged:
            await _ask(runtime, ledger, n)
    begin = max(ledger.account.asked, default=0) // IN_ORDER + 1
    turns = iter(range(max(begin, (cast.number + 1) * PER_WRITER // IN_ORDER), 2**62))
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(_client(cast, runtime, ledger, turns, told))


async def _client(cast: Cast, runtime: Runtime, ledger: Ledger, turns: Iterator[int], told: asyncio.Event) -> None:
    """Bursts and pauses, so that the relay has now few, now many facts to send."""
    while not told.is_set():
        burst = random.randint(1, 4)
        for _ in range(burst):
            turn = next(turns) * IN_ORDER
            for n in range(turn, turn + IN_ORDER):
                await _ask(runtime, ledger, n)
        await asyncio.sleep(burst * IN_ORDER * CLIENTS / cast.per_second * random.uniform(0.5, 1.5))


async def _ask(runtime: Runtime, ledger: Ledger, n: int) -> None:
    """Until there is an answer, under one id. The correlation tells afterwards whose command a fact came of."""
    id = command_id(runtime.name, n)
    what = asked(runtime.name, n, runtime.clock.now())
    ledger.ask(n, what.facts)
    while True:
        try:
            done = await runtime.act(
                what.aggregate, what.id, what.command, command_id=id, correlation_id=id, case_id=what.case_id
            )
        except (*NO_ANSWER, *NOT_THERE_YET):
            await asyncio.sleep(random.uniform(0.02, 0.2))
        else:
            ledger.acknowledge(n, done.position)
            return


def prepare(service: str, settings: dict[str, Any], owner_url: str) -> None:
    """Bring the database of a service to its newest schema, in a process of its own."""
    told = {name: str(value) for name, value in settings.items()}
    told |= {"owner_database_url": owner_url, "keys_owner_database_url": owner_url}
    os.environ.update({f"SAMORDNA_{name.upper()}": value for name, value in told.items()})
    migrate_blocking(migrations_of(f"{service}_service.main"), Settings())  # type: ignore[call-arg]
