"""Do the files under deploy/ work where no container can be built? Scripts, configurations and what compose tells the
services are tried on real servers."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import asyncpg
import httpx
import nats
import nats.errors
import pytest
import yaml

from chassis.servers import Keeper, Postgres, Process, free_port, place_for
from chassis.servers.place import nats_program
from chassis.servers.postgres import SETTINGS
from chassis.servers.process import run, spawn

SERVICES = ("case", "plan", "notification")
ELSEWHERE = {"listen_addresses", "unix_socket_directories"}  # a container listens where its network is
DIGITS = "20261231"  # a password that nats-server would take for a number if it were told without quotes


class Deployed:
    """Servers made from the files under deploy/, on free ports of this machine."""

    def __init__(self, root: Path, folder: Path, keep: Keeper) -> None:
        self.root, self.folder, self.keep = root, folder, keep
        self.secrets = folder / "secrets"
        self.nats_port, self.monitor = free_port(), free_port()

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def script(self, path: str, *arguments: str, **environment: str) -> str:
        env = {"PATH": os.environ["PATH"], "SECRETS": str(self.secrets), **environment}
        done = subprocess.run(["sh", str(self.root / path), *arguments], env=env, capture_output=True, text=True,
                              cwd=self.folder, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_secrets(self, postgres_port: int) -> str:
        return self.script(
            "deploy/secrets.sh", str(self.secrets), POSTGRES_AT=f"127.0.0.1:{postgres_port}",
            NATS_AT=f"127.0.0.1:{self.nats_port}", SMTP_URL="smtp://127.0.0.1:1",
        )  # fmt: skip


@pytest.fixture(scope="module")
def keep() -> Iterator[Keeper]:
    keep = Keeper()
    yield keep
    keep.close()


@pytest.fixture(scope="module")
async def postgres(place: Any, root: Path, keep: Keeper) -> AsyncIterator[Postgres]:
    """A server of its own, told by deploy/postgres/postgresql.conf."""
    own = place_for(root, f"{place.home.name}/deployed")
    conf = own.data / "postgresql.conf"  # where the server's user can read it
    conf.write_text((root / "deploy/postgres/postgresql.conf").read_text())
    conf.chmod(0o644)
    server = Postgres(own, settings={"config_file": str(conf)}, keep=keep)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture(scope="module")
async def deployed(root: Path, keep: Keeper, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    made = Deployed(root, tmp_path_factory.mktemp("deployed"), keep)
    made.make_secrets(postgres.port)
    (made.secrets / "nats_ops_password").chmod(0o644)
    (made.secrets / "nats_ops_password").write_text(DIGITS)
    made.script(
        "deploy/postgres/10-databases.sh", PGHOST="127.0.0.1", PGPORT=str(postgres.port), PGPASSWORD=postgres.password,
        PATH=f"{Path(postgres.program('psql')).parent}:{os.environ['PATH']}",
    )  # fmt: skip
    return made


@pytest.fixture(scope="module")
async def broker(deployed: Deployed) -> AsyncIterator[Process]:
    """nats-server started by deploy/nats/start.sh with deploy/nats/nats.conf, but for ports and store."""
    conf = (deployed.root / "deploy/nats/nats.conf").read_text()
    for there, here in (("0.0.0.0:4222", f"127.0.0.1:{deployed.nats_port}"),
                        ("127.0.0.1:8222", f"127.0.0.1:{deployed.monitor}"),
                        ('"/data"', json.dumps(str(deployed.folder / "store")))):  # fmt: skip
        assert there in conf
        conf = conf.replace(there, here)
    (deployed.folder / "nats.conf").write_text(conf)
    command = ["sh", str(deployed.root / "deploy/nats/start.sh"), str(deployed.folder / "nats.conf")]
    env = {"SECRETS": str(deployed.secrets), "PATH": f"{nats_program().parent}:{os.environ['PATH']}"}
    process = spawn("nats", command, deployed.folder / "nats.log", env=env, cwd=deployed.folder, keep=deployed.keep)
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(answers, f"http://127.0.0.1:{deployed.monitor}/healthz"):
            assert process.alive(), (deployed.folder / "nats.log").read_text()
            await asyncio.sleep(0.05)
    yield process
    await process.kill()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


# --- secrets ---


def test_secrets_are_made_once_and_the_folder_is_closed(deployed: Deployed, postgres: Postgres) -> None:
    before = {f.name: f.read_bytes() for f in deployed.secrets.iterdir()}
    deployed.make_secrets(postgres.port)
    assert {f.name: f.read_bytes() for f in deployed.secrets.iterdir()} == before
    assert deployed.secrets.stat().st_mode & 0o777 == 0o700
    passwords = [v for name, v in before.items() if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) == 11


def test_every_secret_of_the_compose_file_is_there(deployed: Deployed, root: Path) -> None:
    compose = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    assert set(compose["secrets"]) == {f.name for f in deployed.secrets.iterdir()}


def test_a_missing_mail_server_is_asked_for(deployed: Deployed, tmp_path: Path) -> None:
    assert "SMTP_URL=" in deployed.script("deploy/secrets.sh", str(tmp_path / "secrets"))


# --- PostgreSQL ---


def test_its_configuration_says_what_the_local_stacks_says(root: Path) -> None:
    text = (root / "deploy/postgres/postgresql.conf").read_text()
    said = {name: value.strip("'") for name, value in re.findall(r"^(\w+) = (.+)$", text, re.MULTILINE)}
    assert {name: said.get(name) for name in SETTINGS if name not in ELSEWHERE} == {
        name: value for name, value in SETTINGS.items() if name not in ELSEWHERE
    }


async def test_the_server_finds_no_fault_in_it(postgres: Postgres) -> None:
    faults = await postgres.execute(
        "select name, error from pg_file_settings where error is not null and name <> 'listen_addresses'"  # ours here
    )
    read = await postgres.execute("select count(*) from pg_file_settings where sourcefile like '%/postgresql.conf'")
    assert ([tuple(f) for f in faults], read[0][0] > 15) == ([], True)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_database_and_its_keys_open_for_their_own_two_roles_only(
    deployed: Deployed, postgres: Postgres, service: str
) -> None:
    for name in ("database", "keys_database", "owner_database", "keys_owner_database"):
        connection = await asyncpg.connect(deployed.secret(f"{service}_{name}_url"))
        await connection.close()
    other = next(s for s in SERVICES if s != service)
    for url in (deployed.secret(f"{service}_{name}_url") for name in ("database", "owner_database")):
        for forbidden in (other, f"{other}_keys", "postgres"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(re.sub(r"/\w+$", f"/{forbidden}", url))


async def test_the_running_role_owns_nothing_and_can_make_nothing(deployed: Deployed) -> None:
    connection = await asyncpg.connect(deployed.secret("plan_keys_database_url"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("create table mine (n int)")
    await connection.close()


# --- NATS ---


def test_its_configuration_is_what_is_printed(root: Path) -> None:
    program = root / "deploy/nats/print_conf.py"
    printed = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True).stdout
    assert (root / "deploy/nats/nats.conf").read_text() == printed, f"python {program} > deploy/nats/nats.conf"


async def test_what_it_acknowledges_is_synced(deployed: Deployed, broker: Process) -> None:
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"http://127.0.0.1:{deployed.monitor}/varz")).json()
    assert told["jetstream"]["config"]["sync_always"] is True


async def test_users_log_in_with_the_passwords_in_the_files_and_with_no_others(
    deployed: Deployed, broker: Process
) -> None:
    here = f"127.0.0.1:{deployed.nats_port}"
    for url in (*(deployed.secret(f"{s}_nats_url") for s in SERVICES), f"nats://ops:{DIGITS}@{here}"):
        connection = await nats.connect(url, allow_reconnect=False)
        await connection.close()
    for url in (f"nats://{here}", f"nats://plan:guessed@{here}", f"nats://ops:$NATS_OPS_PASSWORD@{here}"):
        with pytest.raises((nats.errors.Error, OSError)):
            await nats.connect(url, allow_reconnect=False, max_reconnect_attempts=0)


# --- the services ---


def told(deployed: Deployed, name: str, port: int) -> Mapping[str, str]:
    """What compose tells the container `name`: its environment, its secrets as files in a folder of its own."""
    text = (deployed.root / "docker-compose.yml").read_text(encoding="utf-8")
    service = yaml.safe_load(re.sub(r"\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)\}", r"\1", text))["services"][name]
    folder = deployed.folder / name
    folder.mkdir(exist_ok=True)
    for secret in service["secrets"]:
        (folder / secret["target"]).write_text(deployed.secret(secret["source"]))
    env = {k: str(v or "").replace("/run/secrets", str(folder)) for k, v in service["environment"].items()}
    env.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)  # no collector here
    return env | {"PATH": os.environ["PATH"], "SAMORDNA_PORT": str(port)}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_migrates_and_becomes_ready_on_what_compose_tells_it(
    deployed: Deployed, broker: Process, service: str
) -> None:
    chassis = [sys.executable, "-m", "chassis"]
    module, port, log = f"{service}_service.main", free_port(), deployed.folder / f"{service}.log"
    for _ in range(2):  # a second migration finds nothing to do
        command = [*chassis, "migrate", module]
        migrated = await asyncio.to_thread(
            run, command, cwd=deployed.folder, env=told(deployed, f"{service}-migrate", port)
        )
        assert migrated.returncode == 0, migrated.stdout.decode()
    process = spawn(service, [*chassis, "serve", module], log, env=told(deployed, service, port), cwd=deployed.folder,
                    keep=deployed.keep)  # fmt: skip
    try:
        async with asyncio.timeout(30), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            while not await asyncio.to_thread(answers, f"http://127.0.0.1:{port}/health/ready"):
                assert process.alive(), log.read_text()
                await asyncio.sleep(0.1)
            assert (await client.get("/health/ready")).json() == {"status": "ready", "missing": []}
            assert (await client.get("/status")).status_code == 401
    finally:
        await process.stop()
    assert not any(deployed.secret(f.name) in log.read_text() for f in deployed.secrets.iterdir())
