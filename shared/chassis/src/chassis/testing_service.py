"""How does a test call a service as a party would? In this process, over real PostgreSQL and NATS, with real tokens."""

import asyncio
import base64
import contextlib
import functools
import importlib
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.clock import set_simulated
from chassis.servers import CouldNotStart, Database, Nats
from chassis.servers.issuer import Issuer
from chassis.service import Runtime, Service, create_app
from chassis.settings import Settings
from chassis.testing_stack import Databases, Setup, Tokens, forget_streams, keys_schema

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""When a test's simulated clock begins unless it says otherwise."""

READY = 20.0
"""Seconds a service may take to become ready."""


class Running:
    """A service at work in this process."""

    def __init__(self, app: FastAPI, clock: Path, token: Tokens) -> None:
        self.app, self._clock, self._token = app, clock, token
        self._clients: list[httpx.AsyncClient] = []

    @property
    def runtime(self) -> Runtime:
        return self.app.state.runtime

    def by(self, role: str | None, **who: Any) -> httpx.AsyncClient:
        """A client that calls as `role`, for example `by("emp.hr", org_id="5565000000")`; None: without a token."""
        bearer = {"Authorization": f"Bearer {self._token(role, **who)}"} if role else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://service", headers=bearer)
        self._clients.append(client)
        return client

    def now_is(self, moment: datetime) -> None:
        """Move this service's clock. Nothing is waited for."""
        set_simulated(self._clock, moment)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


RunService = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture(scope="session")
def run_service(
    database: Databases, nats_server: Nats, issuer: Issuer, token: Tokens, tmp_path_factory: pytest.TempPathFactory
) -> RunService:
    """`async with run_service("plan_service.main") as plan:` with a fresh log, keys, stream and clock.

    `at` is the clock's first moment; other keywords are settings, for example `parts="api,views"`."""

    migrated = dict[str, Setup]()

    @contextlib.asynccontextmanager
    async def running(module: str, at: datetime = MONDAY, **more: Any) -> AsyncGenerator[Running, None]:
        service: Service = importlib.import_module(module).service
        home = tmp_path_factory.mktemp(service.name)
        set_simulated(home / "clock", at)
        master = home / "master.key"
        master.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        keys = await database(f"{service.name}_keys", setup=keys_schema, roles=service.name)
        if module not in migrated:
            beside = await database(f"{service.name}_keys", roles=service.name)
            migrated[module] = functools.partial(_migrate, module, beside)
        log = await database(service.name, setup=migrated[module])
        heard = [facts.service.upper() for facts in service.hears]
        await forget_streams(nats_server, service.name.upper(), *heard)  # nobody tells what an earlier test was told
        settings = Settings(
            database_url=log.app_url, keys_database_url=keys.app_url, nats_url=nats_server.url(service.name),
            master_key_file=master, issuer=issuer.url, jwks_url=f"{issuer.url}/jwks.json",
            clock=f"simulated:{home / 'clock'}", **more,
        )  # fmt: skip
        app = create_app(service, settings)
        async with app.router.lifespan_context(app):
            made = Running(app, home / "clock", token)
            try:
                await _ready(made)
                yield made
            finally:
                await made.close()

    return running


async def _ready(made: Running) -> None:
    client = made.by(None)
    said = "nothing"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY):
            while (answer := await client.get("/health/ready")).status_code != 200:
                said = answer.text
                await asyncio.sleep(0.02)
            return
    raise CouldNotStart(made.runtime.name, f"not ready within {READY:.0f} s; it said {said}")


async def _migrate(module: str, keys: Database, log: Database) -> None:
    """A `setup` for `database`, as `python -m chassis migrate` does it: fills `log` (and `keys`, beside it)."""
    environment = os.environ | {
        "SAMORDNA_DATABASE_URL": log.app_url, "SAMORDNA_OWNER_DATABASE_URL": log.owner_url,
        "SAMORDNA_KEYS_DATABASE_URL": keys.app_url, "SAMORDNA_KEYS_OWNER_DATABASE_URL": keys.owner_url,
        "SAMORDNA_NATS_URL": "nats://nowhere", "SAMORDNA_MASTER_KEY_FILE": os.devnull,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chassis", "migrate", module,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise CouldNotStart(f"migrate {module}", said.decode(errors="replace"))
