"""What do tests run on? One real PostgreSQL and one nats-server a session, fsync on, and fresh databases from them.

A plugin for pytest: the root `conftest.py` names it, and says in `hears` which services there are. Nothing here is a
fake; what tests need to be quick is a template database that is migrated once and copied for each of them.
"""

import contextlib
import itertools
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from chassis.schema import APPEND, GRANTS, KEYS, LOG, NOTES
from chassis.servers import Database, Keeper, Nats, Place, Postgres, operator, place_for, service_user
from chassis.servers.issuer import Issuer, Persona, issuer_served

Databases = Callable[..., Awaitable[Database]]
Setup = Callable[[Database], Awaitable[None]]
Tokens = Callable[..., str]

ORG_TYPES: Mapping[str, tuple[str, str]] = {
    "fk": ("FK", "2021005521"),
    "emp": ("EMPLOYER", "5560000167"),
    "care": ("CARE", "2320000017"),
    "af": ("AF", "2021002114"),
    "mun": ("MUN", "2120000019"),
    "finsam": ("FINSAM", "2220000018"),
    "person": ("PERSON", "person"),
    "av": ("AV", "2021004763"),
    "ops": ("OPS", "samordna"),
}
"""What a role's holder belongs to unless a test says otherwise. Employer, region, municipality and
samordningsförbund are made up."""


@pytest.fixture(scope="session")
def hears() -> Mapping[str, tuple[str, ...]]:
    """Which services have a user on the broker, and whom each hears. The root conftest.py says it."""
    return {}


@pytest.fixture(scope="session")
def place(pytestconfig: pytest.Config) -> Iterator[Place]:
    build = pytestconfig.rootpath / "build"
    _sweep(build)
    place = place_for(pytestconfig.rootpath, f"tests-{os.getpid()}")
    yield place
    for folder in {place.home, place.data}:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(build: Path) -> None:
    """Remove what a killed test run left; its servers were ended by their keeper."""
    for folder in build.glob("tests-*"):
        number = re.fullmatch(r"tests-(\d+)", folder.name)
        if number and not _running(int(number[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.fixture(scope="session")
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture(scope="session")
async def postgres(place: Place, keeper: Keeper) -> AsyncIterator[Postgres]:
    """One real PostgreSQL for the session."""
    server = Postgres(place, keep=keeper)
    await server.start()
    yield server
    await server.kill()  # its data is deleted next


@pytest.fixture(scope="session")
async def nats_server(place: Place, keeper: Keeper, hears: Mapping[str, tuple[str, ...]]) -> AsyncIterator[Nats]:
    """One real nats-server for the session, with a user for every service and `ops` who may do everything."""
    users = [service_user(name, heard) for name, heard in hears.items()]
    server = Nats(place, [*users, operator()], keep=keeper)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Databases:
    """`await database("plan")`: a fresh, empty database with the roles `plan_owner` and `plan_app` (or `<roles>_...`).

    `await database("plan", setup=fill)`: a copy of one that `fill(database)` has filled, which is done once per
    session, name and `setup`."""
    counted = itertools.count(1)
    templates = dict[object, str]()

    async def fresh(name: str, setup: Setup | None = None, roles: str | None = None) -> Database:
        base = roles or name
        passwords = (f"{base}-owner", f"{base}-app")  # the same for all, so that a new database does not change them
        if setup is not None and (name, setup) not in templates:
            template = f"{name}_template_{next(counted)}"
            await setup(await postgres.provide(template, roles=base, passwords=passwords))
            templates[name, setup] = template
        called = f"{name}_{next(counted)}"
        return await postgres.provide(
            called, roles=base, passwords=passwords, template=templates[name, setup] if setup else None
        )

    return fresh


async def keys_schema(database: Database) -> None:
    """A `setup` for `database`: the one table of a keys' database."""
    role = database.app_url.split("//")[1].split(":")[0]
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute(KEYS.format(app=f'"{role}"'))
    finally:
        await connection.close()


async def core_schema(database: Database) -> None:
    """A `setup` for `database`: the tables every service has, without a service's own."""
    role = database.app_url.split("//")[1].split(":")[0]
    connection = await asyncpg.connect(database.owner_url)
    try:
        for part in (LOG, NOTES, APPEND, GRANTS.format(app=f'"{role}"')):
            await connection.execute(part)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def as_operator(nats_server: Nats) -> AsyncGenerator[Client, None]:
    """A connection that may do everything on the broker."""
    connection = await nats.connect(nats_server.url("ops"))
    try:
        yield connection
    finally:
        await connection.close()


async def forget_streams(nats_server: Nats, *names: str) -> None:
    """Delete these streams, or all: a fresh log may not find an older one's stream."""
    async with as_operator(nats_server) as connection:
        manager = connection.jsm()
        for stream in await manager.streams_info():
            name = stream.config.name or ""
            if not names or name in names:
                await manager.delete_stream(name)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """A real issuer: its keys are served over HTTP at `<url>/jwks.json`."""

    with issuer_served() as made:
        yield made


@pytest.fixture(scope="session")
def token(issuer: Issuer) -> Tokens:
    """`token("emp.hr", org_id="5565000000")`: a signed token. Claims can be replaced: `token("person", aud="x")`."""

    def made(role: str, *, org_id: str | None = None, user_ref: str | None = None, valid_for: float = 3600,
             **claims: str) -> str:  # fmt: skip
        org_type, usual = ORG_TYPES[role.partition(".")[0]]
        user = user_ref or str(uuid5(NAMESPACE_URL, f"{role}@{org_id or usual}"))
        persona = Persona(user_ref=user, org_type=org_type, org_id=org_id or usual, role=role)
        return issuer.token(persona, valid_for, claims)

    return made


async def cut_off(c: Any) -> None:
    """End every other connection of our role to this database, as a crash does; when this returns they have ended."""
    await c.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
        "and usename = current_user and pid <> pg_backend_pid()"
    )


async def arrived(client: Client) -> None:
    """Wait until all that a client sent, subscriptions too, has reached the broker.

    nats-py writes a flush's ping before what waits to be written; so only the second one comes behind it."""
    await client.flush()
    await client.flush()
