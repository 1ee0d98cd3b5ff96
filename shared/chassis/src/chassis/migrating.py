"""Running a service's migrations: as the owner of its database, and of its keys' database.

Each service's `migrations/env.py` is two lines: import `run`, call it. The role that the running service uses is read
from SAMORDNA_DATABASE_URL; the owner's from SAMORDNA_OWNER_DATABASE_URL.
"""

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.schema import KEYS
from chassis.settings import Settings


def sqlalchemy_url(dsn: str) -> str:
    return re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", dsn)


def app_role() -> str:
    """The running service's role, quoted for SQL."""
    name = urlsplit(Settings().database_url).username or ""  # type: ignore[call-arg]
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise ValueError("SAMORDNA_DATABASE_URL must name the running service's role in lower-case letters.")
    return f'"{name}"'


def run() -> None:
    """What `migrations/env.py` calls. A connection may be handed in through the config's attributes."""
    given = context.config.attributes.get("connection")
    if given is None:
        raise RuntimeError("Run migrations with `python -m chassis migrate <service>.main`.")
    context.configure(connection=given, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


async def migrate(scripts: Path, settings: Settings) -> None:
    """Bring a service's database and its keys' database to the newest schema. Safe to run again."""
    if not (settings.owner_database_url and settings.keys_owner_database_url):
        raise SystemExit("Set SAMORDNA_OWNER_DATABASE_URL and SAMORDNA_KEYS_OWNER_DATABASE_URL to migrate.")
    engine = create_async_engine(sqlalchemy_url(settings.owner_database_url), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(scripts))
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, config)
    await engine.dispose()
    await migrate_keys(settings.keys_owner_database_url, app_role())


def _upgrade(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate_keys(dsn: str, role: str) -> None:
    """The keys' database has one table and needs no history."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            if await connection.fetchval("select to_regclass('subject_keys')") is None:
                await connection.execute(KEYS.format(app=role))
    finally:
        await connection.close()


def migrate_blocking(scripts: Path, settings: Settings) -> None:
    asyncio.run(migrate(scripts, settings))
