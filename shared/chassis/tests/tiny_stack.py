"""What the tiny service runs on in tests: a database of its own, the session's broker, and a neighbour who tells it."""

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tiny_service import DDL, TOLD, Noted

from chassis.bus import Publisher, ensure_stream, stream_end
from chassis.clock import new_id, set_simulated
from chassis.codec import Codec
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.relay import Relay
from chassis.servers import CouldNotStart, Database, Nats, Process, free_port
from chassis.servers.issuer import Issuer
from chassis.servers.process import spawn
from chassis.settings import Settings
from chassis.testing_service import MONDAY, Running
from chassis.testing_stack import Databases, Tokens, core_schema, keys_schema
from chassis.wire import Wire


async def tiny_schema(database: Database) -> None:
    await core_schema(database)
    role = database.app_url.split("//")[1].split(":")[0]
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute(DDL)
    await connection.execute(f'alter table views.counters owner to "{role}"')
    await connection.close()


class Neighbour:
    """The service next door: what it tells stands in its stream at once, in order."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._codec = Codec(TOLD)
        self._relay = Relay("notification", TOLD, None, wire.client, lambda: MONDAY)  # type: ignore[arg-type]
        self._publisher = Publisher(wire.client)

    async def open(self) -> None:
        await ensure_stream(self.wire.client, "NOTIFICATION", ["notification.>"])
        await self._publisher.open()

    async def tells(self, *facts: Noted) -> int:
        """Answers the position of the last one."""
        last = (await stream_end(self.wire.client, "NOTIFICATION")).sequence
        messages = [self._message(last + n, f) for n, f in enumerate(facts, 1)]
        return await self._publisher.publish(messages, last)

    def _message(self, position: int, fact: Noted) -> Any:
        e = self._codec.encode(fact)
        envelope = Envelope(event_id=new_id(), occurred_at=MONDAY, actor=SYSTEM, case_id=fact.counter_id)
        stream = f"note-{position}"
        return self._relay.message(
            position, stream, 1, e.name, 1, e.open, to_headers(envelope), datetime.now(UTC)
        )  # fmt: skip


class Tiny(Running):
    """The tiny service at work, and its neighbour."""

    neighbour: Neighbour
    settings: Settings
    noted = staticmethod(Noted)

    async def opened(self, client: httpx.AsyncClient, **body: Any) -> str:
        id = str(new_id())
        answer = await client.put(f"/v1/counters/{id}", json={"personRef": str(new_id())} | body)
        assert answer.status_code == 201, answer.text
        return id


RunTiny = Callable[..., AbstractAsyncContextManager[Tiny]]


async def tiny_settings(
    home: Path, database: Databases, broker: Nats, issuer: Issuer, more: dict[str, Any]
) -> Settings:
    set_simulated(home / "clock", MONDAY)
    master = home / "master.key"
    master.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    log = await database("plan", setup=tiny_schema)
    keys = await database("plan_keys", setup=keys_schema, roles="plan")
    usual: dict[str, Any] = {
        "database_url": log.app_url, "keys_database_url": keys.app_url, "nats_url": broker.url("plan"),
        "master_key_file": master, "issuer": issuer.url, "jwks_url": f"{issuer.url}/jwks.json",
        "clock": f"simulated:{home / 'clock'}", "read_wait": 10,
    }  # fmt: skip
    return Settings(**(usual | more))


@dataclass
class Served:
    """The tiny service as a process of its own, as in production, with all it says."""

    url: str
    log: Path
    traces: Path
    process: Process
    token: Tokens
    settings: Settings

    def by(self, role: str | None, **who: Any) -> httpx.AsyncClient:
        bearer = {"Authorization": f"Bearer {self.token(role, **who)}"} if role else {}
        return httpx.AsyncClient(base_url=self.url, headers=bearer, timeout=20)

    def said(self) -> str:
        """Everything it has written: its log and its spans."""
        return self.log.read_text() + self.traces.read_text()


@asynccontextmanager
async def serve_tiny(settings: Settings, home: Path, token: Tokens) -> AsyncGenerator[Served, None]:
    """Start the tiny service as `python -m chassis serve` does, every trace sampled, and wait until it is ready."""
    given = settings.model_copy(
        update={"port": free_port(), "trace_file": home / "traces", "trace_ratio": 1.0, "trace_per_second": inf}
    )
    said = {f"SAMORDNA_{k.upper()}": str(v) for k, v in given.model_dump(exclude_none=True).items()}
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    env = os.environ | said | {"PYTHONPATH": path}
    process = spawn("tiny", [sys.executable, "-m", "chassis", "serve", "tiny_service"], home / "log", env=env, cwd=home)
    made = Served(f"http://127.0.0.1:{given.port}", home / "log", home / "traces", process, token, given)
    try:
        async with asyncio.timeout(30), made.by(None) as client:
            while not await _ready(client):
                if not process.alive():
                    raise CouldNotStart("tiny", "it ended at once", made.log)
                await asyncio.sleep(0.05)
        yield made
    finally:
        await process.stop()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False
