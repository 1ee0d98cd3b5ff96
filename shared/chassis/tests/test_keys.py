"""One key per person: what it sealed opens in its place and nowhere else, and never again once the key is gone."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.connecting import nothing_to_reset
from chassis.keys import (
    KeysUnavailable,
    MemoryKeys,
    PersonForgotten,
    PostgresKeys,
    WrongMasterKey,
    read_master_key,
)
from chassis.servers import Database
from chassis.testing_stack import Databases, keys_schema

MASTER = b"m" * 32
HERE = b"place"


@pytest.fixture(scope="module")
async def kept(database: Databases) -> Database:
    return await database("keys", setup=keys_schema)


class Counted:
    """A pool that counts the statements it carries."""

    def __init__(self) -> None:
        self.statements = 0

    async def open(self, dsn: str) -> asyncpg.Pool:
        async def init(c: asyncpg.Connection) -> None:
            c.add_query_logger(self._count)

        return await asyncpg.create_pool(dsn, min_size=1, max_size=4, init=init, reset=nothing_to_reset)

    def _count(self, _: object) -> None:
        self.statements += 1


@pytest.fixture
async def counted() -> Counted:
    return Counted()


@pytest.fixture
async def pool(kept: Database, counted: Counted) -> AsyncIterator[asyncpg.Pool]:
    made = await counted.open(kept.app_url)
    yield made
    await made.close()


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest, pool: asyncpg.Pool) -> MemoryKeys | PostgresKeys:
    return MemoryKeys() if request.param == "memory" else PostgresKeys(pool, MASTER)


async def test_what_was_sealed_opens_in_its_place(keys: MemoryKeys | PostgresKeys) -> None:
    anna = uuid4()
    sealed = await keys.seal(anna, HERE, b"Anna")
    assert b"Anna" not in sealed
    assert await keys.open(anna, HERE, sealed) == b"Anna"


async def test_the_same_text_never_looks_the_same_twice(keys: MemoryKeys | PostgresKeys) -> None:
    anna = uuid4()
    assert await keys.seal(anna, HERE, b"Anna") != await keys.seal(anna, HERE, b"Anna")


async def test_what_was_moved_to_another_place_or_person_does_not_open(keys: MemoryKeys | PostgresKeys) -> None:
    anna, bo = uuid4(), uuid4()
    sealed = await keys.seal(anna, HERE, b"Anna")
    await keys.seal(bo, HERE, b"Bo")
    with pytest.raises(InvalidTag):
        await keys.open(anna, b"another place", sealed)
    with pytest.raises(InvalidTag):
        await keys.open(bo, HERE, sealed)


async def test_no_byte_can_be_changed_unnoticed(keys: MemoryKeys | PostgresKeys) -> None:
    anna = uuid4()
    sealed = await keys.seal(anna, HERE, b"Anna")
    for n in range(len(sealed)):
        with pytest.raises(InvalidTag):
            await keys.open(anna, HERE, sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :])
    with pytest.raises(InvalidTag):
        await keys.open(anna, HERE, b"")


async def test_a_forgotten_person_can_neither_be_read_nor_written_about(keys: MemoryKeys | PostgresKeys) -> None:
    anna, bo = uuid4(), uuid4()
    about_anna, about_bo = await keys.seal(anna, HERE, b"Anna"), await keys.seal(bo, HERE, b"Bo")
    await keys.forget(anna)
    assert await keys.open(anna, HERE, about_anna) is None
    with pytest.raises(PersonForgotten):
        await keys.seal(anna, HERE, b"Anna again")
    assert await keys.open(bo, HERE, about_bo) == b"Bo"


async def test_a_person_can_be_forgotten_before_anything_is_known(keys: MemoryKeys | PostgresKeys) -> None:
    anna = uuid4()
    await keys.forget(anna)
    with pytest.raises(PersonForgotten):
        await keys.seal(anna, HERE, b"Anna")


async def test_a_person_without_a_key_opens_nothing(keys: MemoryKeys | PostgresKeys) -> None:
    assert await keys.open(uuid4(), HERE, b"\x01" + bytes(40)) is None


# --- PostgreSQL alone ---


async def test_a_key_is_durable_before_anything_is_sealed_with_it(pool: asyncpg.Pool) -> None:
    anna = uuid4()
    sealed = await PostgresKeys(pool, MASTER).seal(anna, HERE, b"Anna")
    assert await PostgresKeys(pool, MASTER).open(anna, HERE, sealed) == b"Anna"


async def test_nothing_is_sealed_while_the_key_cannot_be_kept(kept: Database) -> None:
    readonly = await asyncpg.create_pool(
        kept.app_url, min_size=1, max_size=1, server_settings={"default_transaction_read_only": "on"}
    )
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await PostgresKeys(readonly, MASTER).seal(uuid4(), HERE, b"Anna")
    await readonly.close()


async def test_a_key_that_another_process_is_just_making_is_waited_for(kept: Database, pool: asyncpg.Pool) -> None:
    anna, other = uuid4(), await asyncpg.connect(kept.app_url)
    making = other.transaction()
    await making.start()
    theirs = PostgresKeys(pool, MASTER)._wrap(anna, b"k" * 32)
    await other.execute("insert into subject_keys(subject, wrapped) values ($1, $2)", anna, theirs)
    sealing = asyncio.create_task(PostgresKeys(pool, MASTER).seal(anna, HERE, b"Anna"))
    async with asyncio.timeout(5):
        while not await other.fetchval("select exists(select from pg_locks where not granted)"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await making.commit()
    await other.close()
    assert await PostgresKeys(pool, MASTER).open(anna, HERE, await sealing) == b"Anna"


async def test_processes_that_make_keys_at_once_agree(pool: asyncpg.Pool) -> None:
    people = [uuid4() for _ in range(100)]
    one, two = PostgresKeys(pool, MASTER), PostgresKeys(pool, MASTER)
    sealed = await asyncio.gather(*(k.seal(p, HERE, p.bytes) for p in people for k in (one, two)))
    twice = [p for p in people for _ in (one, two)]
    third = PostgresKeys(pool, MASTER)
    assert [await third.open(p, HERE, s) for p, s in zip(twice, sealed, strict=True)] == [p.bytes for p in twice]


async def test_a_person_forgotten_by_another_process_is_not_given_a_new_key(pool: asyncpg.Pool) -> None:
    anna = uuid4()
    sealed = await PostgresKeys(pool, MASTER).seal(anna, HERE, b"Anna")
    await PostgresKeys(pool, MASTER).forget(anna)
    fresh = PostgresKeys(pool, MASTER)
    with pytest.raises(PersonForgotten):
        await fresh.seal(anna, HERE, b"again")
    assert await fresh.open(anna, HERE, sealed) is None


async def test_forgetting_leaves_no_key_in_the_table(pool: asyncpg.Pool) -> None:
    anna, keys = uuid4(), PostgresKeys(pool, MASTER)
    await keys.seal(anna, HERE, b"Anna")
    await keys.forget(anna)
    row = await pool.fetchrow("select wrapped, forgotten_at is not null from subject_keys where subject = $1", anna)
    assert row is not None
    assert tuple(row) == (None, True)


async def test_the_table_holds_no_key_in_the_clear_nor_one_that_serves_another(pool: asyncpg.Pool) -> None:
    anna, bo, keys = uuid4(), uuid4(), PostgresKeys(pool, MASTER)
    sealed = await keys.seal(anna, HERE, b"Anna")
    await keys.seal(bo, HERE, b"Bo")
    await pool.execute(
        "update subject_keys set wrapped = (select wrapped from subject_keys where subject = $1) where subject = $2",
        anna, bo,
    )  # fmt: skip
    with pytest.raises(InvalidTag):
        await PostgresKeys(pool, MASTER).open(bo, HERE, sealed)
    await pool.execute("update subject_keys set wrapped = null where subject = $1", bo)


async def test_many_people_cost_few_questions(counted: Counted, pool: asyncpg.Pool) -> None:
    keys, people = PostgresKeys(pool, MASTER), [uuid4() for _ in range(300)]
    sealed = await asyncio.gather(*(keys.seal(p, HERE, b"x") for p in people for _ in range(3)))
    assert counted.statements <= 5
    fresh = PostgresKeys(pool, MASTER)
    counted.statements = 0
    assert set(await asyncio.gather(*(fresh.open(p, HERE, s) for p, s in zip(people, sealed[::3], strict=True)))) == {
        b"x"
    }
    assert counted.statements <= 5


async def test_a_key_in_memory_costs_no_question_and_memory_is_bounded(counted: Counted, pool: asyncpg.Pool) -> None:
    keys, people = PostgresKeys(pool, MASTER, cached=5), [uuid4() for _ in range(20)]
    sealed = [await keys.seal(p, HERE, p.bytes) for p in people]
    counted.statements = 0
    for _ in range(10):
        await keys.open(people[-1], HERE, sealed[-1])
    assert counted.statements == 0
    assert [await keys.open(p, HERE, s) for p, s in zip(people, sealed, strict=True)] == [p.bytes for p in people]
    assert 0 < counted.statements <= 20
    assert len(keys._ciphers) == 5


async def test_a_key_database_that_is_away_seals_and_opens_nothing(kept: Database) -> None:
    away = await asyncpg.create_pool("postgresql://x:y@127.0.0.1:1/x", min_size=0, max_size=1)
    keys = PostgresKeys(away, MASTER)
    for attempt in (keys.seal(uuid4(), HERE, b"x"), keys.open(uuid4(), HERE, b"x")):
        with pytest.raises(KeysUnavailable):
            await attempt


async def test_another_master_key_is_noticed_before_it_wraps_anything(pool: asyncpg.Pool) -> None:
    keys = PostgresKeys(pool, MASTER)
    await keys.seal(uuid4(), HERE, b"x")
    await keys.check()
    with pytest.raises(WrongMasterKey, match="SAMORDNA_MASTER_KEY_FILE"):
        await PostgresKeys(pool, b"n" * 32).check()


# --- the master key's file ---


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "0 bytes long"), (base64.b64encode(b"m" * 16), "16 bytes long"), (b"not base64!", "Write 32 random bytes"),
     (b"m" * 33, "Write 32 random bytes"), (b"\xff\xfe", "Write 32 random bytes")],
)  # fmt: skip
def test_a_master_key_that_is_none_is_refused_in_plain_words(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        read_master_key(file)
    assert str(file) in str(error.value)
    assert not content or content.decode("latin-1") not in str(error.value)


def test_a_master_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.key"):
        read_master_key(tmp_path / "nowhere.key")


def test_white_space_around_a_master_key_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(base64.b64encode(MASTER) + b"\n")
    assert read_master_key(file) == MASTER
