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
from tests.faults.part import Cast, main
from tests.faults.services import CHAINS_DDL

from chassis.schema import APPEND, GRANTS, KEYS, LOG, NOTES
from chassis.servers import Database, Keeper, Nats, Postgres, Seen, checkout_of, operator, place_for, service_user
from chassis.servers.keeper import born

PARTS = {"writer": "api", "relay": "relay", "listener": "listen,react,views"}
AGAIN = 0.1
"""Seconds before a process that ended by itself is started again, as a supervisor would."""

SETTINGS = {"recovery_init_sync_method": "syncfs"}
"""After a crash PostgreSQL makes every file of its folder durable before it recovers: all at once, not one by one."""

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
        users = (operator(), service_user("teller", ()), service_user("hearer", ("teller",)))
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
            for name in ("teller", "hearer"):
                await self._provide(name, master)
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
        app = f'"{name}_app"'
        await _run(made, LOG, NOTES, APPEND, GRANTS.format(app=app), KEYS.format(app=app))
        if name == "hearer":
            await _run(made, CHAINS_DDL, f"alter table views.chains owner to {app}")
        self._settings[name] = {
            "database_url": made.app_url, "keys_database_url": made.app_url, "nats_url": self.nats.url(name),
            "master_key_file": master,
        }  # fmt: skip

    def begin(self) -> None:
        """Start two writers, the relays, and two listeners of which one stands by."""
        for role, how_many in (("relay", self._relays), ("listener", 2), ("writer", 2)):
            service = "hearer" if role == "listener" else "teller"
            for number in range(how_many):
                settings = {**self._settings[service], "parts": PARTS[role]}
                settings["database_url"] += f"?application_name={role}-{number}"  # tells whose lock a lock is
                cast = Cast(role, f"{role}-{number}", number, self.home, settings, self._per_second / 2, self._broken)
                self.parts.append(Part(cast, self.keeper))
        self._keeping += [asyncio.create_task(p.keep()) for p in self.parts]

    async def look(self, database: str, sql: str) -> list[asyncpg.Record]:
        """Ask a database past the product, on a connection that is kept. Raises one of LOST while it is away."""
        connection = self._looking.get(database)
        if connection is None or connection.is_closed():
            connection = self._looking[database] = await asyncpg.connect(self.postgres.url(database), timeout=5)
        return await connection.fetch(sql)

    def of(self, role: str) -> list[Part]:
        return [p for p in self.parts if p.cast.role == role]

    def accounts(self) -> list[Account]:
        """What the writers' ledgers say now."""
        return [read(self.home / f"{p.cast.name}.ledger") for p in self.of("writer")]

    def remove(self) -> None:
        """Delete the folders. The servers must not run."""
        for folder in {self.place.home, self.place.data}:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(database: Database, *statements: str) -> None:
    connection = await asyncpg.connect(database.owner_url)
    try:
        for sql in statements:
            await connection.execute(sql)
    finally:
        await connection.close()
