"""On which PostgreSQL and NATS is everything measured, and how does every half begin on empty ones?

One real PostgreSQL (fsync on) and one real nats-server (sync_interval always) for the whole run, the same for both
sides. Each half of a round gets a database of its own, a broker without streams, and a checkpoint behind it, so that
nobody pays for what was written before.
"""

import asyncio
import json
import os
import secrets
import shutil
import sys
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg
import nats

from chassis.bus import ensure_stream
from chassis.servers import Database, Keeper, Nats, Place, Postgres, checkout_of, operator, place_for, service_user

CHECKOUT = checkout_of(Path(__file__))

WARM_WAL_MB = 1024
"""A server that has run for a day writes into recycled log files; a new one stops each 16 MB to make a file. So this
much is made before anything is measured, for everybody."""


WARM_MEMORY_MB = 256
"""As much as shared_buffers: on a server that has run for a day no page of it is touched for the first time."""

HEARD = ("case", "notification")
"""Whom plan-service listens to. Nothing is ever published by them here, so their streams stay."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one half needs to know; handed over as JSON. `app` is the running service's role, `owner` migrates."""

    app: str
    owner: str
    keys_app: str
    keys_owner: str
    nats: str
    nats_plan: str
    nats_notification: str
    heard_app: str
    heard_owner: str
    master_key_file: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Theatre:
    """The servers of one run."""

    def __init__(self) -> None:
        self.place: Place = place_for(CHECKOUT, f"bench-{os.getpid()}")
        self._keeper = Keeper()
        self.postgres = Postgres(self.place, settings={"min_wal_size": f"{WARM_WAL_MB}MB"}, keep=self._keeper)
        users = (operator(), service_user("plan", HEARD), service_user("notification", ("plan",)))
        self.nats = Nats(self.place, users, keep=self._keeper)
        self._master = self.place.home / "master.key"
        self._halves = 0
        self._standing: list[str] = []

    async def open(self) -> None:
        self.postgres.remove()
        await self.postgres.start()
        await self.nats.start()
        self._master.touch(mode=0o600)
        self._master.write_bytes(b64encode(secrets.token_bytes(32)))
        await self._warm()
        await self._migrate()

    async def _warm(self) -> None:
        connection = await asyncpg.connect(self.postgres.url())
        await connection.execute("create table warm (line text storage plain)")
        await connection.execute(
            "insert into warm select repeat('x', 7000) from generate_series(1, $1 * 128)", WARM_MEMORY_MB
        )
        await connection.execute("drop table warm")
        for _ in range(WARM_WAL_MB // 16):
            await connection.execute("select pg_logical_emit_message(false, 'bench', 'x')")
            await connection.execute("select pg_switch_wal()")
        await connection.execute("checkpoint")
        await connection.close()

    async def close(self) -> None:
        await self.nats.stop()
        await self.postgres.stop()
        self.postgres.remove()
        self._keeper.close()
        shutil.rmtree(self.place.home, ignore_errors=True)

    async def half(self) -> Stage:
        """Fresh databases and an empty broker for the next half."""
        await self._forget_the_last()
        self._halves += 1
        log = await self._fresh("plan")
        keys = await self._fresh("keys")
        heard = await self._fresh("plan", "heard")
        await self.postgres.execute("checkpoint")
        return Stage(
            app=log.app_url, owner=log.owner_url, keys_app=keys.app_url, keys_owner=keys.owner_url,
            heard_app=heard.app_url, heard_owner=heard.owner_url,
            nats=self.nats.url("ops"), nats_plan=self.nats.url("plan"),
            nats_notification=self.nats.url("notification"), master_key_file=str(self._master),
        )  # fmt: skip

    async def _fresh(self, template: str, name: str | None = None) -> Database:
        called = f"{name or template}_{self._halves}"
        self._standing.append(called)
        return await self._provide(called, f"{template}_template")

    async def _migrate(self) -> None:
        """The product's own migrations, into databases that each half gets copies of."""
        log, keys = [await self._provide(f"{name}_template") for name in ("plan", "keys")]
        environment = os.environ | {
            "SAMORDNA_DATABASE_URL": log.app_url, "SAMORDNA_OWNER_DATABASE_URL": log.owner_url,
            "SAMORDNA_KEYS_DATABASE_URL": keys.app_url, "SAMORDNA_KEYS_OWNER_DATABASE_URL": keys.owner_url,
            "SAMORDNA_NATS_URL": "nats://nowhere", "SAMORDNA_MASTER_KEY_FILE": str(self._master),
        }  # fmt: skip
        command = (sys.executable, "-m", "chassis", "migrate", "plan_service.main")
        migrating = await asyncio.create_subprocess_exec(*command, env=environment)
        if await migrating.wait() != 0:
            raise RuntimeError("The migrations failed.")

    async def _provide(self, name: str, template: str | None = None) -> Database:
        return await self.postgres.provide(name, roles="plan", passwords=("o", "a"), template=template)

    async def _forget_the_last(self) -> None:
        while self._standing:
            await self.postgres.drop(self._standing.pop())
        client = await nats.connect(self.nats.url("ops"))
        manager = client.jsm()
        for stream in await manager.streams_info():
            if (stream.config.name or "").lower() not in HEARD:
                await manager.delete_stream(stream.config.name or "")
        for name in HEARD:
            await ensure_stream(client, name.upper(), [f"{name}.>"])
        await client.close()


async def versions(theatre: Theatre) -> dict[str, str]:
    """Which machine and which servers: every absolute number is worth only as much as this is known."""
    shown = {}
    for name in (
        "server_version",
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "shared_buffers",
        "wal_compression",
    ):
        shown[name] = str((await theatre.postgres.execute(f"show {name}"))[0][0])
    client = await nats.connect(theatre.nats.url("ops"))
    shown["nats_server"] = str(client._server_info["version"])
    shown["nats_sync_interval"] = "always"
    await client.close()
    return shown | _machine()


def _machine() -> dict[str, str]:
    memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f}"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    processor = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")
    load = f"{os.getloadavg()[0]:.1f}"
    return {"cores": str(os.cpu_count()), "memory_gb": memory, "processor": processor, "load_at_start": load}
