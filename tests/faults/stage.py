"""What is a fault run played on? Real servers in a private folder, real processes, and somebody who starts them again.

Processes are forked from one that has imported everything, because a run restarts many and an import takes seconds.
"""

import asyncio
import base64
import contextlib
import multiprocessing
import os
import secrets
import shutil
import signal
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from tests.faults.ledger import Account, read
from tests.faults.part import Cast, main, prepare
from tests.faults.services import SERVICES, WRITTEN

from chassis.servers import Keeper, Nats, Postgres, Seen, checkout_of, operator, place_for, service_user
from chassis.servers.keeper import born

PARTS = {"writer": "api", "relay": "relay", "listener": "listen,react,views,work"}
AGAIN = 0.1
"""Seconds before a process that ended by itself is started again, as a supervisor would."""

SETTINGS = {"recovery_init_sync_method": "syncfs", "max_connections": "500"}
"""After a crash PostgreSQL makes every file of its folder durable before it recovers: all at once, not one by one.
Killed processes leave connections behind for a while."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.part"])


class Part:
    """One process of the run, started again whenever it has ended."""

    def __init__(self, cast: Cast, keeper: Keeper) -> None:
        self.cast, self._keeper = cast, keeper
        self.ended_by_itself = 0
        self._resting, self._struck, self._wanted = 0.0, False, True
        self._start()

    def _start(self) -> None:
        self.process = FORKS.Process(target=main, args=(self.cast,), daemon=True)
        self.process.start()
        assert self.process.pid is not None
        self._keeper.watch(Seen(pid=self.process.pid, born=born(self.process.pid) or "gone"))

    async def keep(self) -> None:
        """Start it again whenever it has ended, until nobody wants it any more."""
        while self._wanted:
            await asyncio.sleep(0.02)
            if not self.process.is_alive() and self._wanted:
                if not self._struck:
                    self.ended_by_itself += 1
                    self._struck, self._resting = True, AGAIN
                await asyncio.sleep(self._resting)
                self._start()
                self._struck = False

    async def kill(self, hanging: float, resting: float) -> bool:
        """SIGKILL, after it has hung for some seconds with its connections open; after `resting` it is started again.

        False when it was not running."""
        pid = self.process.pid
        if pid is None or self._struck or not self.process.is_alive():
            return False
        self._struck, self._resting = True, resting
        if hanging:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(hanging)
        self.process.kill()
        return True

    def _listens(self) -> bool:
        """Has it come so far that being asked to end will not simply end it?"""
        file = self.cast.home / f"{self.cast.name}.pid"
        return file.exists() and file.read_text() == str(self.process.pid)

    async def end(self, patience: float) -> bool:
        """Ask it to finish what it has begun; kill it after `patience` seconds. Did it end well?"""
        while self._struck or not self._listens():  # it is about to be started again, or has just been
            if not self._struck and not self.process.is_alive():
                break
            await asyncio.sleep(0.02)
        self._wanted = False
        self.process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.process.is_alive():  # noqa: ASYNC110 - a process offers no event
                    await asyncio.sleep(0.02)
        self.process.kill()
        self.process.join()
        return self.process.exitcode == 0


class Stage:
    """The servers and processes of one run. `name` names its folder under build/."""

    def __init__(self, name: str, relays: int, per_second: float, broken: Sequence[str]) -> None:
        self.place = place_for(checkout_of(Path(__file__)), name)
        self.home = self.place.home
        self.keeper = Keeper()
        self.postgres = Postgres(self.place, settings=SETTINGS, keep=self.keeper)
        heard = {name: tuple(f.service for f in s.hears) for name, s in SERVICES.items()}
        users = (operator(), *(service_user(name, sources) for name, sources in heard.items()))
        self.nats = Nats(self.place, users, keep=self.keeper)
        self.parts: list[Part] = []
        self._relays, self._per_second, self._broken = relays, per_second, tuple(broken)
        self._keeping: list[asyncio.Task[None]] = []
        self._looking: dict[str, asyncpg.Connection] = {}
        self._settings: dict[str, dict[str, Any]] = {}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Servers and databases are up inside the block; afterwards everything is gone but the folder."""
        try:
            await asyncio.gather(self.postgres.start(), self.nats.start())
            master = self.home / "master.key"
            master.touch(mode=0o600)
            master.write_bytes(base64.b64encode(secrets.token_bytes(32)))
            await asyncio.gather(*(self._provide(name, master) for name in SERVICES))
            await self.postgres.execute("checkpoint")  # so that no recovery has to make the databases once more
            yield
        finally:
            for task in self._keeping:
                task.cancel()
            for part in self.parts:
                part.process.kill()
            for connection in self._looking.values():
                connection.terminate()
            await self.nats.kill()
            await self.postgres.kill()
            self.keeper.close()

    async def _provide(self, name: str, master: Path) -> None:
        """One database for facts and keys: they may lie together where nothing is worth protecting."""
        made = await self.postgres.provide(name)
        self._settings[name] = {
            "database_url": made.app_url, "keys_database_url": made.app_url, "nats_url": self.nats.url(name),
            "master_key_file": master, "pool_size": 4,
        }  # fmt: skip
        process = FORKS.Process(target=prepare, args=(name, self._settings[name], made.owner_url), daemon=True)
        process.start()
        await asyncio.to_thread(process.join)
        if process.exitcode != 0:
            raise RuntimeError(f"The database of {name}-service could not be made.")

    def begin(self) -> None:
        """Start relays and two listeners of each service, of which one stands by, and two writers of some."""
        for service in SERVICES:
            writers = 2 if service in WRITTEN else 0
            for role, how_many in (("relay", self._relays), ("listener", 2), ("writer", writers)):
                for number in range(how_many):
                    self._start(service, role, number)
        self._keeping += [asyncio.create_task(p.keep()) for p in self.parts]

    def _start(self, service: str, role: str, number: int) -> None:
        name = f"{service}-{role}-{number}"
        settings = {**self._settings[service], "parts": PARTS[role]}
        settings["database_url"] += f"?application_name={name}"  # tells whose lock a lock is
        each = self._per_second / 2 / len(WRITTEN)
        self.parts.append(Part(Cast(service, role, name, number, self.home, settings, each, self._broken), self.keeper))

    def settings(self, service: str) -> dict[str, Any]:
        """What a process of that service is told."""
        return self._settings[service]

    async def look(self, database: str, sql: str) -> list[asyncpg.Record]:
        """Ask a database past the product, on a connection that is kept. Raises one of LOST while it is away."""
        connection = self._looking.get(database)
        if connection is None or connection.is_closed():
            connection = self._looking[database] = await asyncpg.connect(self.postgres.url(database), timeout=5)
        return await connection.fetch(sql)

    def of(self, role: str, service: str | None = None) -> list[Part]:
        return [p for p in self.parts if p.cast.role == role and service in (None, p.cast.service)]

    def accounts(self, service: str) -> list[Account]:
        """What the ledgers of a service's writers say now."""
        return [read(self.home / f"{p.cast.name}.ledger") for p in self.of("writer", service)]

    def remove(self) -> None:
        """Delete the folders. The servers must not run."""
        for folder in {self.place.home, self.place.data}:
            shutil.rmtree(folder, ignore_errors=True)
