"""A service does not start where a crash could lose what it has acknowledged, or what opens it."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from tiny_service import service
from tiny_stack import Tiny, tiny_settings

from chassis.connecting import NotDurable, refuse_unsafe
from chassis.keys import WrongMasterKey
from chassis.postgres import PostgresLog
from chassis.servers import Database, Keeper, Nats, Postgres, place_for
from chassis.servers.issuer import Issuer
from chassis.service import create_app
from chassis.settings import Settings
from chassis.testing_service import MONDAY
from chassis.testing_stack import Databases, core_schema


@pytest.fixture(scope="module")
async def reckless(pytestconfig: pytest.Config) -> AsyncIterator[Postgres]:
    """A server that each test starts with a setting of its own."""
    keep = Keeper()
    place = place_for(pytestconfig.rootpath, f"tests-{os.getpid()}-reckless")
    server = Postgres(place, keep=keep)
    yield server
    await server.kill()
    keep.close()
    for folder in {place.home, place.data}:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_a_server_that_may_lose_what_it_acknowledged_is_refused(reckless: Postgres, name: str) -> None:
    usual = dict(reckless.settings)
    reckless.settings[name] = "off"
    await reckless.start()
    try:
        with pytest.raises(NotDurable, match=f"{name} = off.*Set {name} = on and start again"):
            await refuse_unsafe(reckless.url())
    finally:
        await reckless.kill()
        reckless.settings = usual


@pytest.fixture
async def log_database(database: Databases) -> Database:
    return await database("log", setup=core_schema)


async def test_a_role_that_does_not_wait_for_the_disk_is_refused(log_database: Database) -> None:
    await refuse_unsafe(log_database.app_url)
    await _set(log_database, "off")
    with pytest.raises(NotDurable, match="synchronous_commit"):
        await refuse_unsafe(log_database.app_url)
    log = PostgresLog(log_database.app_url, None, lambda: MONDAY)  # type: ignore[arg-type]
    with pytest.raises(NotDurable):
        await log.start()


async def test_a_log_waits_for_the_disk_whatever_its_role_is_told_later(log_database: Database) -> None:
    pool = await asyncpg.create_pool(log_database.app_url, min_size=1, max_size=1)
    log = PostgresLog(log_database.app_url, pool, lambda: MONDAY)
    await log.start()
    await _set(log_database, "off")
    connection = await log.lanes[-1].connect()
    assert await connection.fetchval("show synchronous_commit") == "on"
    await log.stop()
    await pool.close()


async def _set(database: Database, value: str) -> None:
    """Change what sessions of this one database begin with."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(f'alter database "{database.name}" set synchronous_commit = {value}')
    await owner.close()


@pytest.mark.parametrize("which", ["database_url", "keys_database_url"])
async def test_a_service_does_not_start_on_such_a_database(
    which: str,
    database: Databases,
    nats_server: Nats,
    issuer: Issuer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = await tiny_settings(tmp_path, database, nats_server, issuer, {})
    url: str = getattr(settings, which)
    unsafe = await asyncpg.connect(url.replace("plan_app:plan-app", "plan_owner:plan-owner"))
    await unsafe.execute(f'alter database "{url.rpartition("/")[2]}" set synchronous_commit = off')
    await unsafe.close()
    await _does_not_start(settings, NotDurable)
    assert "plan-service does not start: PostgreSQL runs with synchronous_commit = off" in capsys.readouterr().err


async def test_a_service_does_not_start_with_another_master_key(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await tiny.opened(tiny.by("fk.handler"), note="sealed")
    other = tmp_path / "other.key"
    other.write_text("b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyMTI=")
    await _does_not_start(tiny.settings.model_copy(update={"master_key_file": other}), WrongMasterKey)
    assert "does not start: The master key does not open" in capsys.readouterr().err


async def _does_not_start(settings: Settings, why: type[Exception]) -> None:
    app = create_app(service, settings)
    with pytest.raises(why):
        async with app.router.lifespan_context(app):
            pass


async def test_the_log_waits_for_the_disk_and_copies_do_not(tiny: Tiny) -> None:
    async def waits(pool: asyncpg.Pool) -> str:
        return await pool.fetchval("show synchronous_commit")

    runtime = tiny.runtime
    assert (await waits(runtime.pool), await waits(runtime.copies)) == ("on", "off")
    assert await runtime.log.lanes[0].connection.fetchval("show synchronous_commit") == "on"  # type: ignore[union-attr]
