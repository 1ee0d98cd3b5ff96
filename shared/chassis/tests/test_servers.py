"""Real servers from the wheels: do they start where they should, survive what they should, and leave nothing behind?"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import nats
import nats.errors
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from chassis.servers import CouldNotStart, Keeper, Nats, Place, Postgres, Seen, operator, place_for, service_user
from chassis.servers.process import Process, comes_true, spawn
from chassis.testing_stack import arrived


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in a folder that only its owner may enter, as `git clone . "$(mktemp -d)/x"` makes it."""
    outer = tmp_path_factory.mktemp("closed")
    outer.chmod(0o700)
    (outer / "x").mkdir()
    return outer / "x"


@pytest.fixture(scope="module")
def place(closed: Path) -> Iterator[Place]:
    place = place_for(closed, "servers")
    yield place
    if place.moved:
        shutil.rmtree(place.data.parent)


@pytest.fixture(scope="module")
async def postgres(place: Place) -> AsyncIterator[Postgres]:
    keep = Keeper()
    server = Postgres(place, keep=keep)
    await server.start()
    yield server
    await server.stop()
    server.remove()
    keep.close()


@pytest.fixture(scope="module")
async def broker(place: Place) -> AsyncIterator[Nats]:
    keep = Keeper()
    users = [service_user("plan", ["notification"]), service_user("notification", ["plan"]), operator()]
    server = Nats(place, users, keep=keep)
    await server.start()
    yield server
    await server.kill()
    keep.close()


async def test_a_checkout_in_a_closed_folder_keeps_its_permissions_and_says_where_the_data_went(
    closed: Path, place: Place, postgres: Postgres
) -> None:
    assert closed.parent.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert place.user == "nobody"
        assert place.moved is not None
        assert str(place.data) in place.moved
        assert "closed to the user nobody" in place.moved
    else:
        assert place.moved is None
    assert (place.data / "postgres" / "PG_VERSION").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
async def test_a_private_folder_goes_when_its_checkout_is_gone(tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir(mode=0o700)
    gone, here = tmp_path / "outer" / "gone", tmp_path / "outer" / "here"
    gone.mkdir()
    here.mkdir()
    left = place_for(gone, "servers").data.parent
    shutil.rmtree(gone)
    stays = place_for(here, "servers").data.parent
    assert (left.exists(), stays.exists()) == (False, True)
    shutil.rmtree(stays)


async def test_postgres_keeps_what_it_acknowledged_when_it_is_killed(postgres: Postgres) -> None:
    database = await postgres.provide("killed")
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("CREATE TABLE kept (n int)")
    await owner.execute("INSERT INTO kept VALUES (7)")

    port = postgres.port
    await postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(database.owner_url)
    await postgres.restart()

    assert postgres.port == port
    again = await asyncpg.connect(database.owner_url)
    assert await again.fetchval("SELECT n FROM kept") == 7
    await again.close()


async def test_postgres_syncs_asks_for_passwords_and_listens_on_loopback_only(postgres: Postgres) -> None:
    shown = {
        row["name"]: row["setting"]
        for row in await postgres.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN "
            "('fsync', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories', 'server_encoding')"
        )
    }
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "server_encoding": "UTF8",
    }
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url(password="guessed"))


async def test_a_database_opens_for_its_own_two_roles_and_no_other(postgres: Postgres) -> None:
    mine, theirs = await postgres.provide("mine"), await postgres.provide("theirs")
    assert mine.app_url != theirs.app_url
    stranger = theirs.app_url.removesuffix("theirs") + "mine"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)
    app = await asyncpg.connect(mine.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE not_allowed (n int)")
    await app.close()


async def test_a_database_can_be_copied_from_a_template(postgres: Postgres) -> None:
    model = await postgres.provide("model")
    owner = await asyncpg.connect(model.owner_url)
    await owner.execute("CREATE TABLE t AS SELECT 1 AS n")
    await owner.close()
    copy = await postgres.provide("copy", roles="model", template="model")
    reader = await asyncpg.connect(copy.owner_url)
    assert await reader.fetchval("SELECT n FROM t") == 1
    await reader.close()
    await postgres.drop("copy")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(copy.owner_url)


async def test_a_service_publishes_its_own_stream_and_hears_the_other_but_cannot_write_it(broker: Nats) -> None:
    refused = list[str]()

    async def note(e: Exception) -> None:
        refused.append(str(e))

    plan = await nats.connect(broker.url("plan"), inbox_prefix="_INBOX.plan", error_cb=note)
    notification = await nats.connect(broker.url("notification"), inbox_prefix="_INBOX.notification", error_cb=note)
    heard = plan.jetstream(timeout=10), notification.jetstream(timeout=2)
    await heard[0].add_stream(name="PLAN", subjects=["plan.>"])
    assert (await heard[0].publish("plan.0.PlanSubmitted.v1", b"{}")).seq == 1

    listening = ConsumerConfig(durable_name="notification", ack_policy=AckPolicy.ALL)
    await heard[1].add_consumer("PLAN", listening)
    pull = await heard[1].pull_subscribe_bind("notification", "PLAN")
    [message] = await pull.fetch(1, timeout=10)
    assert message.subject == "plan.0.PlanSubmitted.v1"
    await message.ack_sync(timeout=10)
    told = await notification.subscribe("live.plan.*")
    await arrived(notification)
    await plan.publish("live.plan.2", b"{}")
    assert (await told.next_msg(timeout=10)).subject == "live.plan.2"
    assert refused == []

    with pytest.raises(nats.errors.Error):
        await notification.jetstream(timeout=0.3).publish("plan.0.Forged.v1", b"{}")
    await notification.publish("live.plan.3", b"{}")
    await notification.subscribe("_INBOX.plan.>")
    await plan.subscribe("live.meeting.*")
    async with asyncio.timeout(5):
        while len(refused) < 4:  # noqa: ASYNC110 - the broker says so when it gets to it
            await asyncio.sleep(0.01)
    said = " ".join(refused).lower()
    for what in (
        'publish to "plan.0.forged',
        'publish to "live.plan.3',
        'subscription to "_inbox.plan',
        'subscription to "live.meeting',
    ):
        assert what in said
    assert told.pending_msgs == 0
    await plan.close()
    await notification.close()


async def test_the_broker_can_be_killed_rolled_back_and_emptied(broker: Nats, tmp_path: Path) -> None:
    ops = await nats.connect(broker.url("ops"))
    await ops.jetstream().add_stream(name="T", subjects=["t.>"])
    await ops.jetstream().publish("t.1", b"one")
    await ops.close()

    await broker.kill()
    broker.copy(tmp_path / "earlier")
    await broker.restart()
    ops = await nats.connect(broker.url("ops"))
    await ops.jetstream().publish("t.1", b"two")
    assert (await ops.jetstream().stream_info("T")).state.last_seq == 2
    await ops.close()

    with pytest.raises(RuntimeError, match="running"):
        broker.wipe()
    await broker.kill()
    broker.rollback(tmp_path / "earlier")
    await broker.restart()
    ops = await nats.connect(broker.url("ops"))
    assert (await ops.jetstream().stream_info("T")).state.last_seq == 1
    await ops.close()

    await broker.stop()
    broker.wipe()
    await broker.restart()
    ops = await nats.connect(broker.url("ops"))
    assert await ops.jetstream().streams_info() == []
    await ops.close()


async def test_what_cannot_start_is_said_with_its_last_words(place: Place, tmp_path: Path) -> None:
    lonely = Place(home=tmp_path, data=place.data, postgres=place.postgres, user=place.user, moved=None)
    wrong = Postgres(lonely, settings={"shared_buffers": "a lot"})
    wrong.data = place.data / "wrong"
    with pytest.raises(CouldNotStart, match=r"(?s)postgres could not be started.*shared_buffers"):
        await wrong.start()


async def test_a_process_with_a_reused_number_is_not_taken_for_ours() -> None:
    assert Seen(pid=os.getpid(), born="long ago").alive() is False


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


async def test_a_child_is_alive_until_it_is_reaped_whatever_the_process_table_says() -> None:
    child = sleeping()
    process = Process("sleep", Seen(pid=child.pid, born="what a dying child shows"), child)
    assert process.alive()
    await process.kill()
    with pytest.raises(ProcessLookupError):  # PostgreSQL asks just this before it takes over a killed one's folder
        os.kill(child.pid, 0)


async def test_nothing_is_left_when_the_one_who_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib\n"
        "from chassis.servers import Keeper\n"
        "from chassis.servers.process import spawn\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "p = spawn('sleeper', ['sleep', '600'], here / 'log', env={'PATH': '/usr/bin:/bin'}, cwd=here, keep=Keeper())\n"
        "print(p.seen.pid, p.seen.born, flush=True)\n"
        "time.sleep(600)\n"
    )
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path), stdout=subprocess.PIPE)
    assert starter.stdout is not None
    pid, born = (await starter.stdout.readline()).decode().split()
    sleeper = Seen(pid=int(pid), born=born)
    assert sleeper.alive()
    starter.kill()
    await starter.wait()
    assert await comes_true(lambda: not sleeper.alive(), 10)


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CouldNotStart, match="nowhere"):
        spawn("nowhere", ["/nowhere"], tmp_path / "log", env={}, cwd=tmp_path)
