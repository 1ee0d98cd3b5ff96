"""What every log promises, in memory and in PostgreSQL alike."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from chassis import postgres
from chassis.appending import Lane, Waiting
from chassis.clock import new_id
from chassis.fold import OWN
from chassis.log import (
    Append,
    Appended,
    AppendFailed,
    Conflict,
    Key,
    Log,
    LogUnavailable,
    LogWentBack,
    NewFact,
    Repeated,
    Verdict,
)
from chassis.memory import MemoryLog
from chassis.postgres import FEW, PostgresLog
from chassis.servers import Database
from chassis.testing_stack import Databases, core_schema, cut_off

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = uuid4()


def fact(name: str = "Happened", data: bytes = b"{}") -> NewFact:
    return NewFact(new_id(), name, 1, data, None, b"ce-id: x\r\n", None)


def add(stream: str, expected: int = 0, n: int = 1, **more: object) -> Append:
    return Append(stream, expected, [fact() for _ in range(n)], **more)  # type: ignore[arg-type]


class Times:
    """A clock a test can set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture(params=["memory", "postgres"])
async def log(request: pytest.FixtureRequest, database: Databases, times: Times) -> AsyncIterator[Log]:
    if request.param == "memory":
        yield MemoryLog(times)
        return
    made = await database("log", setup=core_schema)
    pool = await asyncpg.create_pool(made.app_url, min_size=1, max_size=4)
    opened = PostgresLog(made.app_url, pool, times)
    await opened.start()
    yield opened
    await opened.stop()
    await pool.close()


async def test_positions_are_one_after_another_from_one(log: Log) -> None:
    verdicts = [await log.append(add(f"s-{n}")) for n in range(3)]
    assert verdicts == [Appended(1, 1), Appended(2, 1), Appended(3, 1)]
    assert [f.position for f in await log.after(0, 10)] == [1, 2, 3]
    assert await log.head() == 3


async def test_a_request_with_several_facts_takes_positions_in_a_row(log: Log) -> None:
    assert await log.append(add("s", n=3)) == Appended(3, 3)
    assert [(f.position, f.version) for f in await log.stream("s")] == [(1, 1), (2, 2), (3, 3)]
    assert [f.version for f in await log.stream("s", after=1)] == [2, 3]


async def test_a_stale_expectation_adds_nothing(log: Log) -> None:
    await log.append(add("s", n=2))
    assert await log.append(add("s", expected=1)) == Conflict("s", 2)
    assert await log.append(add("s", expected=5)) == Conflict("s", 2)
    assert await log.head() == 2


async def test_a_guard_that_no_longer_holds_adds_nothing(log: Log) -> None:
    await log.append(add("consent"))
    assert await log.append(add("referral", guards=[("consent", 0)])) == Conflict("consent", 1)
    assert await log.append(add("referral", guards=[("consent", 1)])) == Appended(2, 1)


async def test_a_guard_on_a_stream_that_does_not_exist_is_version_zero(log: Log) -> None:
    assert await log.append(add("referral", guards=[("objection", 0)])) == Appended(1, 1)


async def test_the_same_command_gets_its_first_answer_again(log: Log) -> None:
    key = Key(uuid4(), b"body", b'{"planId":"1"}')
    assert await log.append(add("s", key=key)) == Appended(1, 1)
    again = await log.append(add("s", expected=1, key=Key(key.id, b"other", b"{}")))
    assert again == Repeated(b"body", b'{"planId":"1"}', 1, 1)
    assert await log.answered(key.id) == again
    assert await log.answered(uuid4()) is None
    assert await log.head() == 1


async def test_a_command_without_facts_is_remembered_too(log: Log) -> None:
    key = Key(uuid4(), b"f", b"a")
    await log.append(add("s"))
    assert await log.append(Append("s", 1, [], key=key)) == Appended(1, 1)
    assert await log.append(Append("s", 1, [], key=key)) == Repeated(b"f", b"a", 1, 1)


async def test_a_command_without_facts_needs_the_version_it_expects_too(log: Log) -> None:
    key = Key(uuid4(), b"f", b"a")
    await log.append(add("s", n=2))
    for expected in (0, 1, 3):
        assert await log.append(Append("s", expected, [], key=key)) == Conflict("s", 2)
    assert await log.answered(key.id) is None


async def test_a_refused_request_is_not_remembered(log: Log) -> None:
    key = Key(uuid4(), b"f", b"a")
    assert await log.append(add("s", expected=4, key=key)) == Conflict("s", 0)
    assert await log.answered(key.id) is None
    assert await log.append(add("s", key=key)) == Appended(1, 1)


async def test_requests_for_one_stream_that_wait_together_are_judged_one_after_another(log: Log) -> None:
    verdicts = await asyncio.gather(*(log.append(add("s", expected=0)) for _ in range(5)))
    assert sorted(type(v).__name__ for v in verdicts) == ["Appended", *["Conflict"] * 4]
    assert await log.head() == 1


async def test_a_guard_sees_what_its_neighbour_in_the_batch_wrote(log: Log) -> None:
    wrote, guarded = await asyncio.gather(log.append(add("consent")), log.append(add("r", guards=[("consent", 0)])))
    assert wrote == Appended(1, 1)
    assert guarded == Conflict("consent", 1)


async def test_one_request_that_cannot_be_stored_does_not_harm_its_neighbours(log: Log) -> None:
    requests = [add(f"s-{n}") for n in range(4)]
    requests.insert(2, add("bad\x00name"))
    results = await asyncio.gather(*map(log.append, requests), return_exceptions=True)
    assert [type(r) for r in results] == [Appended, Appended, AppendFailed, Appended, Appended]
    assert await log.head() == 4


async def test_requests_for_one_stream_keep_their_order_however_many_calls_are_under_way(log: Log) -> None:
    requests = [add(f"s-{n}", expected=version) for version in range(6) for n in range(30)]
    verdicts = await asyncio.gather(*map(log.append, requests))
    assert [v.version for v in verdicts if isinstance(v, Appended)] == [n for n in range(1, 7) for _ in range(30)]
    assert [f.position for f in await log.after(0, 1000)] == list(range(1, 181))


async def test_what_is_refused_leaves_no_gap_between_its_neighbours(log: Log) -> None:
    seen, new, empty = Key(uuid4(), b"f", b"a"), Key(uuid4(), b"g", b"b"), Key(uuid4(), b"h", b"c")
    await log.append(add("taken", key=seen))
    requests = [
        add("a", n=2),
        add("taken", expected=0),
        add("b", key=seen),
        add("c", guards=[("taken", 1), ("taken-not", 3)]),
        Append("d", 0, [], key=empty),
        add("e", n=2, guards=[("taken", 1)], key=new),
    ]
    assert await asyncio.gather(*map(log.append, requests)) == [
        Appended(3, 2),
        Conflict("taken", 1),
        Repeated(b"f", b"a", 1, 1),
        Conflict("taken-not", 0),
        Appended(3, 0),
        Appended(5, 2),
    ]
    assert [(f.position, f.stream) for f in await log.after(0, 9)] == [
        (1, "taken"), (2, "a"), (3, "a"), (4, "e"), (5, "e")
    ]  # fmt: skip
    assert await log.answered(new.id) == Repeated(b"g", b"b", 5, 2)
    assert await log.answered(empty.id) == Repeated(b"h", b"c", 3, 0)
    assert await log.head() == 5


async def test_recorded_time_never_goes_back(log: Log, times: Times) -> None:
    await log.append(add("a"))
    times.now = NOW - timedelta(hours=1)
    await log.append(add("b"))
    times.now = NOW + timedelta(hours=1)
    await log.append(add("c"))
    assert [f.recorded_at for f in await log.after(0, 9)] == [NOW, NOW, NOW + timedelta(hours=1)]


async def test_what_was_stored_comes_back_byte_for_byte(log: Log) -> None:
    given = NewFact(new_id(), "Happened", 3, b'{"a":1}', b"\x01sealed", "ce-id: å\r\n".encode(), uuid4())
    await log.append(Append("s", 0, [given]))
    (got,) = await log.stream("s")
    assert (got.event_id, got.name, got.schema_version, got.data, got.sealed, got.envelope, got.subject) == (
        given.event_id, given.name, given.schema_version, given.data, given.sealed, given.envelope, given.subject
    )  # fmt: skip


async def test_many_writers_leave_no_gap(log: Log) -> None:
    async def writer(n: int) -> None:
        for version in range(20):
            assert isinstance(await log.append(add(f"w-{n}", expected=version)), Appended)

    await asyncio.gather(*(writer(n) for n in range(16)))
    assert [f.position for f in await log.after(0, 1000)] == list(range(1, 321))


# --- PostgreSQL alone ---


@pytest.fixture
async def two(database: Databases, times: Times) -> AsyncIterator[tuple[PostgresLog, PostgresLog, Database]]:
    """Two processes' logs on one database."""
    made = await database("log", setup=core_schema)
    pools = [await asyncpg.create_pool(made.app_url, min_size=1, max_size=4) for _ in range(2)]
    logs = [PostgresLog(made.app_url, p, times) for p in pools]
    for opened in logs:
        await opened.start()
    yield logs[0], logs[1], made
    for opened, pool in zip(logs, pools, strict=True):
        await opened.stop()
        await pool.close()


async def test_two_processes_may_write_at_once(two: tuple[PostgresLog, PostgresLog, Database]) -> None:
    one, other, _ = two
    verdicts = await asyncio.gather(
        *(log.append(add(f"{n}-{v}")) for v in range(100) for n, log in enumerate((one, other)))
    )
    assert sorted(v.position for v in verdicts if isinstance(v, Appended)) == list(range(1, 201))


@pytest.mark.parametrize(
    ("same", "loser"),
    [
        (add("new"), Conflict("new", 1)),
        (add("known", 1), Conflict("known", 2)),
        (add("other", key=Key(KEY, b"f", b"a")), Repeated(b"f", b"a", 2, 1)),
        (add("none", n=0, key=Key(KEY, b"f", b"a")), Repeated(b"f", b"a", 1, 0)),
    ],
    ids=["a new stream", "a known stream", "a command", "a command without facts"],
)
async def test_of_two_processes_that_do_the_same_one_does_it_and_the_others_neighbours_are_not_harmed(
    two: tuple[PostgresLog, PostgresLog, Database], same: Append, loser: Verdict
) -> None:
    one, other, made = two
    await one.append(add("known"))
    added = len(same.facts)
    async with _head_held(made):
        first = asyncio.create_task(one.append(same))
        await _waiting_for_the_head(made, 1)
        rest = [add("left"), same, add("none", n=0), add("right")]
        second = [asyncio.create_task(other.append(r)) for r in rest]
        await _waiting_for_the_head(made, 2)
    assert await first == Appended(1 + added, same.expected + added)
    left, lost, none, right = await asyncio.gather(*second)
    assert (left, lost, right) == (Appended(2 + added, 1), loser, Appended(3 + added, 1))
    assert none == Appended(3 + added, 0)
    assert await one.head() == 3 + added
    assert [f.position for f in await one.after(0, 9)] == list(range(1, 4 + added))


async def test_a_command_without_facts_sees_what_another_process_adds_while_it_waits(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    one, other, made = two
    await one.append(add("s"))
    async with _head_held(made):
        adds = asyncio.create_task(one.append(add("s", expected=1)))
        await _waiting_for_the_head(made, 1)
        nothing = asyncio.create_task(other.append(add("s", expected=1, n=0, key=Key(KEY))))
        await _waiting_for_the_head(made, 2)
    assert await adds == Appended(2, 2)
    assert await nothing == Conflict("s", 2)


@asynccontextmanager
async def _head_held(made: Database) -> AsyncGenerator[None, None]:
    """No call gets the head row in here."""
    owner = await asyncpg.connect(made.owner_url)
    async with owner.transaction():
        await owner.execute("select from log_head for update")
        yield
    await owner.close()


async def _waiting_for_the_head(made: Database, n: int) -> None:
    """Until so many calls have made their checks and wait for the head row."""
    c = await asyncpg.connect(made.owner_url)
    async with asyncio.timeout(5):
        while n > await c.fetchval(  # noqa: ASYNC110 - what is waited for happens in the server
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
    await c.close()


async def test_what_a_process_appended_last_stands_in_its_memory_as_in_the_log(
    two: tuple[PostgresLog, PostgresLog, Database], times: Times
) -> None:
    log, _, _ = two
    recent = log.remember()
    await log.append(add("taken", key=(key := Key(uuid4(), b"f", b"a"))))
    times.now = NOW - timedelta(hours=1)  # the log's time does not go back, and memory tells the log's
    requests = [
        add("a", n=2),
        add("taken"),
        add("b", key=key),
        Append("c", 0, []),
        add("d", n=3),
        add("e\x00"),
        add("f"),
    ]
    await asyncio.gather(*map(log.append, requests), return_exceptions=True)
    assert [tuple(r) for r in await log.pool.fetch(OWN, 0, 99)] == list(recent.after(0, 99))
    assert recent.ends_at(7)


async def test_nothing_is_remembered_before_somebody_follows_and_all_who_follow_share_it(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    log, _, _ = two
    await log.append(add("a", n=2))
    recent = log.remember()
    await log.append(add("b"))
    assert [r[0] for r in recent.after(2, 9)] == [3]
    assert not recent.after(0, 9)
    assert log.remember() is recent


async def test_what_another_process_appended_in_between_is_not_passed_over(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    one, other, _ = two
    recent = one.remember()
    await one.append(add("a", n=2))
    await other.append(add("b"))
    await one.append(add("c"))
    assert recent.after(2, 9) == ()  # the database has to be asked
    assert [r[0] for r in recent.after(3, 9)] == [4]


async def test_a_few_that_wait_are_gathered_and_many_go_at_once(
    two: tuple[PostgresLog, PostgresLog, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, _, _ = two
    monkeypatch.setattr(postgres, "GATHER", 60.0)
    calls: list[int] = []
    held = asyncio.Event()
    write = Lane.write

    async def holding(lane: Lane, batch: Sequence[Waiting]) -> None:
        calls.append(len(batch))
        await held.wait()
        await write(lane, batch)

    monkeypatch.setattr(Lane, "write", holding)
    asked = [asyncio.create_task(log.append(add("first")))]
    while not calls:  # noqa: ASYNC110 - until the first call is under way
        await asyncio.sleep(0)
    asked.append(asyncio.create_task(log.append(add("second"))))
    held.set()
    await asked[0]
    asked += [asyncio.create_task(log.append(add(f"more-{n}"))) for n in range(FEW - 2)]
    await asyncio.sleep(0.05)
    assert calls == [1]
    asked.append(asyncio.create_task(log.append(add("last"))))
    async with asyncio.timeout(5):
        assert all(isinstance(v, Appended) for v in await asyncio.gather(*asked))
    assert calls == [1, FEW]


async def test_a_writer_whose_connection_is_cut_finds_out_what_it_had_written(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    log, other, made = two
    writing = asyncio.create_task(_write_many(log, 300))
    admin = await asyncpg.connect(made.owner_url)
    for _ in range(6):
        await asyncio.sleep(0.03)
        await other.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'samordna' "
            "and pid <> pg_backend_pid() and query like '%append_facts%'"
        )
    await admin.close()
    assert await writing == 300
    assert [f.position for f in await log.after(0, 1000)] == list(range(1, 301))


async def _write_many(log: Log, n: int) -> int:
    done = [await log.append(add(f"x-{i}")) for i in range(n)]
    return sum(isinstance(v, Appended) for v in done)


async def test_a_log_that_ends_before_what_was_seen_refuses_to_write(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    log, _, _ = two
    await log.append(add("s"))
    log.known = 7
    with pytest.raises(LogWentBack):
        await log.append(add("t"))
    assert await log.head() == 1


async def test_the_running_role_can_neither_change_nor_delete_a_fact(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    log, _, _ = two
    await log.append(add("s"))
    for sql in (
        "update events set data = ''",
        "delete from events",
        "truncate events",
        "insert into events select * from events",
        "update log_head set position = 0",
        "delete from commands",
        "drop table events",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await log.pool.execute(sql)


async def test_values_that_the_driver_cannot_send_fail_alone(two: tuple[PostgresLog, PostgresLog, Database]) -> None:
    log, _, _ = two
    requests = [add("a"), add("\ud800"), add("b"), add("c", expected=2**40), add("d")]
    async with asyncio.timeout(5):
        results = await asyncio.gather(*map(log.append, requests), return_exceptions=True)
    assert [type(r) for r in results] == [Appended, AppendFailed, Appended, AppendFailed, Appended]


async def test_a_database_that_only_reads_is_unavailable_and_refuses_no_request_for_good(
    two: tuple[PostgresLog, PostgresLog, Database],
) -> None:
    log, _, made = two
    await log.append(add("a"))
    owner = await asyncpg.connect(made.owner_url)
    await owner.execute(f"alter database {made.name} set default_transaction_read_only = on")
    async with log.pool.acquire() as c:
        await cut_off(c)
    results = await asyncio.gather(log.append(add("b")), log.append(add("c")), return_exceptions=True)
    assert [type(r) for r in results] == [LogUnavailable, LogUnavailable]
    await owner.execute("set default_transaction_read_only = off")
    await owner.execute(f"alter database {made.name} reset default_transaction_read_only")
    await owner.close()
