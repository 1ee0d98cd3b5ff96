"""A log can be kept elsewhere and brought back whole, or not at all; the keys are never in the same file."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from chassis.clock import new_id
from chassis.log import Append, Appended, NewFact
from chassis.postgres import PostgresLog
from chassis.servers import Database
from chassis.testing_stack import Databases, core_schema, keys_schema
from samordna.backup import BackupRefused, back_up, bring_back, read_manifest

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TABLES = ("events", "log_head", "commands", "heard", "checkpoints", "dead_letters")


async def _written(database: Databases, facts: int) -> Database:
    made = await database("kept", setup=core_schema)
    async with asyncpg.create_pool(made.app_url, min_size=1, max_size=2) as pool:
        log = PostgresLog(made.app_url, pool, lambda: NOW)
        await log.start()
        for n in range(facts):
            fact = NewFact(new_id(), "Happened", 1, b'{"n":1}', b"\x00sealed\xff", b"ce-id: x\r\n", new_id())
            assert isinstance(await log.append(Append(f"s-{n}", 0, [fact])), Appended)
        await pool.execute("INSERT INTO checkpoints(name, position) VALUES ('view:v:kept', 2), ('hear:other', 9)")
        await log.stop()
    return made


async def _rows(url: str, table: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(f'SELECT * FROM "{table}" ORDER BY 1')]
    finally:
        await connection.close()


async def test_a_log_comes_back_byte_for_byte_and_its_read_models_fold_anew(
    database: Databases, tmp_path: Path
) -> None:
    source, target = await _written(database, 25), await database("kept", setup=core_schema)
    made = await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    assert (made.head, made.tables["events"].rows) == (25, 25)
    assert (tmp_path / "log.zip").stat().st_mode & 0o777 == 0o600

    await bring_back("kept", "log", target.owner_url, "kept_app", tmp_path / "log.zip")
    for table in TABLES:
        there = await _rows(source.owner_url, table)
        assert await _rows(target.owner_url, table) == [r for r in there if not str(r[0]).startswith("view:")]
    assert any(r[0] == "hear:other" for r in await _rows(target.owner_url, "checkpoints"))


async def test_a_log_that_was_brought_back_goes_on_where_it_was(database: Databases, tmp_path: Path) -> None:
    source, target = await _written(database, 3), await database("kept", setup=core_schema)
    await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    await bring_back("kept", "log", target.owner_url, "kept_app", tmp_path / "log.zip")
    async with asyncpg.create_pool(target.app_url, min_size=1, max_size=2) as pool:
        log = PostgresLog(target.app_url, pool, lambda: NOW)
        await log.start()
        fact = NewFact(new_id(), "Happened", 1, b"{}", None, b"ce-id: x\r\n", None)
        assert await log.append(Append("s-0", 1, [fact])) == Appended(4, 2)
        await log.stop()


async def test_keys_are_in_no_archive_but_their_own(database: Databases, tmp_path: Path) -> None:
    keys = await database("kept_keys", setup=keys_schema)
    owner = await asyncpg.connect(keys.owner_url)
    await owner.execute("INSERT INTO subject_keys(subject, wrapped) VALUES ($1, $2)", new_id(), b"wrapped")
    await owner.close()
    await back_up("kept", "log", (await _written(database, 1)).owner_url, tmp_path / "log.zip")
    await back_up("kept", "keys", keys.owner_url, tmp_path / "keys.zip")
    assert not [n for n in zipfile.ZipFile(tmp_path / "log.zip").namelist() if "key" in n]
    assert zipfile.ZipFile(tmp_path / "keys.zip").namelist() == ["subject_keys.copy", "manifest.json"]

    target = await database("kept_keys", setup=keys_schema)
    await bring_back("kept", "keys", target.owner_url, "kept_keys_app", tmp_path / "keys.zip")
    assert await _rows(target.owner_url, "subject_keys") == await _rows(keys.owner_url, "subject_keys")


async def test_nothing_is_overwritten(database: Databases, tmp_path: Path) -> None:
    source = await _written(database, 2)
    await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    with pytest.raises(BackupRefused, match="exists already"):
        await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    with pytest.raises(BackupRefused, match="not empty"):
        await bring_back("kept", "log", source.owner_url, "kept_app", tmp_path / "log.zip")
    assert len(await _rows(source.owner_url, "events")) == 2


async def test_a_log_is_not_replaced_under_a_running_service(database: Databases, tmp_path: Path) -> None:
    source, target = await _written(database, 1), await database("kept", setup=core_schema)
    await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    running = await asyncpg.connect(target.app_url)
    with pytest.raises(BackupRefused, match="running"):
        await bring_back("kept", "log", target.owner_url, "kept_app", tmp_path / "log.zip")
    await running.close()
    assert await _rows(target.owner_url, "events") == []


async def test_a_damaged_or_foreign_archive_is_refused_before_anything_happens(
    database: Databases, tmp_path: Path
) -> None:
    source = await _written(database, 5)
    await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    with pytest.raises(BackupRefused, match="holds the log of kept"):
        read_manifest(tmp_path / "log.zip", "other", "log")

    whole = zipfile.ZipFile(tmp_path / "log.zip")
    with zipfile.ZipFile(tmp_path / "changed.zip", "w") as changed:
        for name in whole.namelist():
            data = whole.read(name)
            changed.writestr(name, data.replace(b'"n":1', b'"n":2') if name == "events.copy" else data)
    with pytest.raises(BackupRefused, match="events is not what was backed up"):
        read_manifest(tmp_path / "changed.zip", "kept", "log")

    (tmp_path / "half.zip").write_bytes((tmp_path / "log.zip").read_bytes()[:200])
    with pytest.raises(BackupRefused, match="damaged"):
        read_manifest(tmp_path / "half.zip", "kept", "log")


async def test_an_archive_of_another_shape_is_refused_whole(database: Databases, tmp_path: Path) -> None:
    source, target = await _written(database, 1), await database("kept", setup=core_schema)
    owner = await asyncpg.connect(source.owner_url)
    await owner.execute("CREATE TABLE documents (id int, content bytea); INSERT INTO documents VALUES (1, 'x')")
    await owner.close()
    await back_up("kept", "log", source.owner_url, tmp_path / "log.zip")
    with pytest.raises(BackupRefused, match="documents does not fit"):
        await bring_back("kept", "log", target.owner_url, "kept_app", tmp_path / "log.zip")
    assert await _rows(target.owner_url, "events") == []
