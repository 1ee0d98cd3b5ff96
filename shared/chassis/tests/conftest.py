"""What the chassis's tests have at hand: the tiny service, at work in this process."""

import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.servers import Nats
from chassis.servers.issuer import Issuer
from chassis.service import create_app
from chassis.testing_service import _ready
from chassis.testing_stack import Databases, Tokens, forget_streams
from chassis.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode finds no neighbours of a test by itself

from tiny_service import service
from tiny_stack import Neighbour, RunTiny, Tiny, tiny_settings


@pytest.fixture(scope="module")
def run_tiny(
    database: Databases, nats_server: Nats, issuer: Issuer, token: Tokens, tmp_path_factory: pytest.TempPathFactory
) -> RunTiny:
    """`async with run_tiny() as tiny:` with a fresh log; `async with run_tiny(beside=tiny)`: another process of it.

    Other keywords are settings."""

    @contextlib.asynccontextmanager
    async def running(beside: Tiny | None = None, **more: Any) -> AsyncGenerator[Tiny, None]:
        if beside is not None:
            settings = beside.settings.model_copy(update=more)
        else:
            settings = await tiny_settings(tmp_path_factory.mktemp("tiny"), database, nats_server, issuer, more)
            await forget_streams(nats_server)
        app = create_app(service, settings)
        wire = Wire(nats_server.url("notification"), "neighbour")
        async with app.router.lifespan_context(app):
            made = Tiny(app, Path(settings.clock.removeprefix("simulated:")), token)
            made.settings = settings
            try:
                await wire.connect()
                made.neighbour = Neighbour(wire)
                await made.neighbour.open()
                await _ready(made)
                yield made
            finally:
                await wire.close()
                await made.close()

    return running


@pytest.fixture(scope="module")
async def tiny(run_tiny: RunTiny) -> AsyncIterator[Tiny]:
    """The tiny service at work for a module's tests."""
    async with run_tiny() as made:
        yield made
