"""How is a service's log kept elsewhere and brought back, with the keys apart?

An archive is a zip with every table of the log's database (PostgreSQL's binary COPY, one consistent snapshot) and a
manifest with counts and SHA-256 sums. Read models are not in it: they fold anew from the log. The wrapped keys go to an
archive of their own, to be kept elsewhere and for a short time only: together the two would undo forgetting.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import asyncpg

from chassis.decider import Refused, record

FORMAT = 1
CHUNK = 1 << 20


class BackupRefused(Refused):
    """An archive could not be made or brought back. The reason is in the text; nothing has been changed."""

    def __init__(self, reason: str) -> None:
        Exception.__init__(self, reason)


@record
class Table:
    """One table of an archive."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


@record
class Manifest:
    """What an archive holds. `head` is the log's last position (0 for keys)."""

    format: int
    service: str
    kind: str
    """`log` or `keys`."""
    taken_at: str
    head: int
    schema: str
    tables: dict[str, Table]


# --- out ---


async def back_up(service: str, kind: str, url: str, file: Path) -> Manifest:
    """Write the archive `file` (it must not exist) of the database at `url`, as its owner. Raises BackupRefused."""
    connection = await asyncpg.connect(url)
    try:
        with _appearing(file) as out:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _write(connection, service, kind, out)
    finally:
        await connection.close()


@contextmanager
def _appearing(file: Path) -> Generator[IO[bytes], None, None]:
    """A new file, for its owner's eyes only, that is there when it is whole and not before."""
    if file.exists():
        raise BackupRefused(f"{file} exists already. Choose another name.")
    half = file.with_name(file.name + ".part")
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        half.rename(file)
    finally:
        half.unlink(missing_ok=True)


async def _write(connection: asyncpg.Connection, service: str, kind: str, out: IO[bytes]) -> Manifest:
    head = int(await connection.fetchval("SELECT position FROM log_head") or 0) if kind == "log" else 0
    tables = dict[str, Table]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in await _tables(connection):
            tables[name] = await _copy_out(connection, name, archive)
        manifest = Manifest(
            format=FORMAT, service=service, kind=kind, taken_at=datetime.now(UTC).isoformat(), head=head,
            schema=await _schema(connection), tables=tables,
        )  # fmt: skip
        archive.writestr("manifest.json", json.dumps(asdict(manifest), indent=1))
    return manifest


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND relname <> 'alembic_version' ORDER BY relname"
    )
    return [row[0] for row in rows]


async def _columns(connection: asyncpg.Connection, table: str) -> tuple[str, ...]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' ORDER BY attnum",
        f'public."{table}"',
    )
    return tuple(row[0] for row in rows)


async def _schema(connection: asyncpg.Connection) -> str:
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return ""
    return str(await connection.fetchval("SELECT version_num FROM alembic_version"))


async def _copy_out(connection: asyncpg.Connection, name: str, archive: zipfile.ZipFile) -> Table:
    columns, digest = await _columns(connection, name), hashlib.sha256()
    with archive.open(f"{name}.copy", "w", force_zip64=True) as entry:

        async def take(data: bytes) -> None:
            digest.update(data)
            entry.write(data)

        said = await connection.copy_from_table(name, columns=list(columns), output=take, format="binary")
    return Table(columns=columns, rows=int(said.split()[-1]), sha256=digest.hexdigest())


# --- back in ---


def read_manifest(file: Path, service: str, kind: str) -> Manifest:
    """The manifest, after every table's sum has been checked. Raises BackupRefused."""
    try:
        with zipfile.ZipFile(file) as archive:
            said = json.loads(archive.read("manifest.json"))
            tables = {n: Table(columns=tuple(t.pop("columns")), **t) for n, t in said.pop("tables").items()}
            manifest = Manifest(**said, tables=tables)
            broken = [name for name, table in tables.items() if _sum(archive, name) != table.sha256]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise BackupRefused(f"{file} is not an archive made by `samordna backup`, or it is damaged.") from error
    if broken:
        raise BackupRefused(f"{file} is damaged: {', '.join(broken)} is not what was backed up.")
    if (manifest.format, manifest.service, manifest.kind) != (FORMAT, service, kind):
        raise BackupRefused(f"{file} holds the {manifest.kind} of {manifest.service}, not the {kind} of {service}.")
    return manifest


def _sum(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(f"{name}.copy") as entry:
        while data := entry.read(CHUNK):
            digest.update(data)
    return digest.hexdigest()


async def bring_back(service: str, kind: str, url: str, app_role: str, file: Path) -> Manifest:
    """Fill the empty, migrated database at `url` (as its owner) from `file`, in one transaction.

    Raises BackupRefused when the service runs, the database is not empty, or the archive does not fit it."""
    manifest = read_manifest(file, service, kind)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await _must_rest(connection, app_role)
            await _must_be_empty(connection, manifest)
            with zipfile.ZipFile(file) as archive:
                for name, table in manifest.tables.items():
                    await _copy_in(connection, name, table, archive)
            if kind == "log":
                await connection.execute("DELETE FROM checkpoints WHERE name LIKE 'view:%'")
    finally:
        await connection.close()
    return manifest


async def _must_rest(connection: asyncpg.Connection, app_role: str) -> None:
    busy = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1", app_role
    )
    if busy:
        raise BackupRefused("The service is running. Stop it first: a log is not replaced under a running service.")


async def _must_be_empty(connection: asyncpg.Connection, manifest: Manifest) -> None:
    for name, table in manifest.tables.items():
        known = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f'public."{name}"')
        missing = set(table.columns) - set(await _columns(connection, name)) if known else set(table.columns)
        if missing:
            raise BackupRefused(
                f"The archive's table {name} does not fit the database ({', '.join(sorted(missing))} missing). "
                "Migrate it, or use the version of the program that made the archive."
            )
    for name in {"events", "heard", "commands", "subject_keys"} & set(manifest.tables):
        if await connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{name}")'):
            raise BackupRefused(f"The database is not empty: {name} has rows. Nothing is overwritten.")


async def _copy_in(connection: asyncpg.Connection, name: str, table: Table, archive: zipfile.ZipFile) -> None:
    await connection.execute(f'TRUNCATE "{name}"')  # rows a migration put there, such as the log's head at 0

    async def chunks() -> AsyncGenerator[bytes, None]:
        with archive.open(f"{name}.copy") as entry:
            while data := entry.read(CHUNK):
                yield data

    said = await connection.copy_to_table(name, columns=list(table.columns), source=chunks(), format="binary")
    if int(said.split()[-1]) != table.rows:
        raise BackupRefused(f"Only {said.split()[-1]} of {table.rows} rows of {name} could be read back.")
