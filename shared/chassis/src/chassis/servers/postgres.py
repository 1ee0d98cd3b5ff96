"""How do we run a real PostgreSQL of our own: passwords, loopback only, fsync on, two roles a database?"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from chassis.decider import record
from chassis.servers.place import Place
from chassis.servers.process import CouldNotStart, Keeper, Process, free_port, run, spawn

STARTING = 60.0
"""Seconds a start may take; after a crash it includes recovery."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Statements, parameters and key values are content: they do not belong in a log.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@record
class Database:
    """A database with the role that migrates it and the role that runs on it. The URLs carry the passwords."""

    name: str
    owner_url: str
    app_url: str


class Postgres:
    """One PostgreSQL server. `password` is the superuser's; keep both it and `port` to find the server again."""

    def __init__(
        self,
        place: Place,
        *,
        port: int | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        keep: Keeper | None = None,
        process: Process | None = None,
    ) -> None:
        self.place = place
        self.data = place.data / "postgres"
        self.log = place.home / "postgres.log"
        self.port = port or free_port()
        self._port_is_new = port is None
        self.password = password or secrets.token_hex(16)
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = process
        self._keep = keep

    def program(self, name: str) -> str:
        """The full path of one of PostgreSQL's programs, for example `pg_dump`."""
        return str(self.place.postgres / "bin" / name)

    def url(self, database: str = "postgres", role: str = "postgres", password: str | None = None) -> str:
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    async def start(self) -> None:
        """Make the cluster when there is none, start, and wait until it answers. Raises CouldNotStart."""
        await asyncio.to_thread(self._create)
        for attempt in (1, 2, 3):
            before = self.log.stat().st_size if self.log.exists() else 0
            try:
                await self._start_once()
                break
            except CouldNotStart:
                said = self.log.read_bytes()[before:]
                if attempt == 3 or not self._port_is_new or b"could not bind" not in said:
                    raise
                self.port = free_port()
        self._port_is_new = False

    async def _start_once(self) -> None:
        asked = self.settings | {"port": str(self.port)}
        options = [part for key, value in asked.items() for part in ("-c", f"{key}={value}")]
        self.process = spawn(
            "postgres",
            [self.program("postgres"), "-D", str(self.data), *options],
            self.log,
            env=_ENV,
            cwd=self.place.data,
            user=self.place.user,
            keep=self._keep,
        )
        try:
            async with asyncio.timeout(STARTING):
                while not await self._answers():
                    if not self.process.alive():
                        raise CouldNotStart("postgres", "it ended at once", self.log)
                    await asyncio.sleep(0.03)
        except TimeoutError:
            await self.process.kill()
            raise CouldNotStart("postgres", f"no answer within {STARTING:.0f} s", self.log) from None

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url(), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError, asyncpg.PostgresConnectionError):
            return False
        except asyncpg.InvalidPasswordError as e:
            raise CouldNotStart("postgres", f"port {self.port} belongs to another PostgreSQL", self.log) from e
        await connection.close()
        return True

    async def stop(self) -> None:
        """Fast shutdown: running transactions are rolled back, the next start needs no recovery."""
        if self.process is not None:
            await self.process.stop(signal.SIGINT)

    async def kill(self) -> None:
        """SIGKILL to the postmaster and every backend at once, as when the machine loses power."""
        if self.process is not None:
            await self.process.kill()

    async def restart(self) -> None:
        """Start again on the same port with the same data, after a stop or a kill."""
        if self.process is not None and self.process.alive():
            await self.stop()
        await self.start()

    def remove(self) -> None:
        """Delete the data. The server must not run."""
        shutil.rmtree(self.data, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def connected(self, database: str = "postgres") -> AsyncGenerator[asyncpg.Connection, None]:
        """A connection as superuser."""
        connection = await asyncpg.connect(self.url(database))
        try:
            yield connection
        finally:
            await connection.close()

    async def execute(self, sql: str, *args: Any, database: str = "postgres") -> list[asyncpg.Record]:
        """Run one statement as superuser."""
        async with self.connected(database) as connection:
            return await connection.fetch(sql, *args)

    async def provide(
        self,
        name: str,
        *,
        roles: str | None = None,
        passwords: tuple[str, str] | None = None,
        template: str | None = None,
    ) -> Database:
        """A database `name` with the roles `<roles>_owner` and `<roles>_app` (`roles` is `name` unless said).

        What is there stays; passwords are set anew (random unless given). `template` names a database to copy."""
        base = roles or name
        owner, app = f"{base}_owner", f"{base}_app"
        secret = dict(zip((owner, app), passwords or (secrets.token_hex(16), secrets.token_hex(16)), strict=True))
        async with self.connected() as c:
            for role in (owner, app):
                known = await c.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
                verb = "ALTER" if known else "CREATE"
                await c.execute(f"{verb} ROLE {_quoted(role)} LOGIN PASSWORD '{secret[role]}'")
            # The owner hands read-model tables over to the app role, which it may only as its member.
            await c.execute(f"GRANT {_quoted(app)} TO {_quoted(owner)}")
            if not await c.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                copied = f" TEMPLATE {_quoted(template)}" if template else ""
                await c.execute(f"CREATE DATABASE {_quoted(name)} OWNER {_quoted(owner)}{copied}")
            await c.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
            await c.execute(f"GRANT CONNECT ON DATABASE {_quoted(name)} TO {_quoted(app)}")
        return Database(
            name=name,
            owner_url=self.url(name, owner, secret[owner]),
            app_url=self.url(name, app, secret[app]),
        )

    async def set_aside(self, name: str) -> str:
        """Rename a database to `<name>_before_<time>`, so that a new one can take its place; the new name."""
        aside = f"{name}_before_{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"
        await self.execute(f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(aside)}")
        return aside

    async def drop(self, name: str) -> None:
        """Delete a database, whoever is connected."""
        await self.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def _create(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # half made by a start that was cut short
        self.data.mkdir(mode=0o700)
        secret = self.place.data / "initdb.password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self.place.user is not None:
            shutil.chown(self.data, self.place.user)
            shutil.chown(secret, self.place.user)
        try:
            made = run(
                [self.program("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256",
                 f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
                 "--builtin-locale=C.UTF-8", "--no-instructions"],
                cwd=Path("/"), env=_ENV, user=self.place.user,
            )  # fmt: skip
        finally:
            secret.unlink()
        if made.returncode != 0:
            raise CouldNotStart("postgres", f"initdb failed\n{made.stdout.decode(errors='replace')}")


_ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
