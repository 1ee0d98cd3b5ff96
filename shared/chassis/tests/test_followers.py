"""From one service's log over the real broker into another's `heard`: once, in order, whatever breaks."""

import asyncio
import contextlib
import json
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import pytest
from nats.aio.msg import Msg

from chassis import fold, listen, react, relay, telling
from chassis.bus import (
    ATOMIC_FROM,
    MOST,
    Bus,
    BusUnavailable,
    Message,
    OutOfSequence,
    Publisher,
    StreamEnd,
    ask,
    stream_end,
    tell,
)
from chassis.classes import DataClass
from chassis.clock import new_id
from chassis.codec import Codec
from chassis.decider import Aggregate, Decider, MissingPredecessor, record
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.facts import Fact, Facts
from chassis.keys import KeysUnavailable
from chassis.listen import Listener, OutOfOrder, Placed
from chassis.locks import Locks
from chassis.log import Append, Appended, LogUnavailable, NewFact
from chassis.perform import StillMoving
from chassis.postgres import PostgresLog
from chassis.react import Ask, Reactor
from chassis.recent import Recent, Row
from chassis.relay import LogBehindStream, Relay
from chassis.servers import Database, Nats, Postgres
from chassis.testing_stack import Databases, arrived, as_operator, core_schema, cut_off, forget_streams
from chassis.view import Heard
from chassis.wire import Wire

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@record
class Counted:
    n: Annotated[int, DataClass.P]


@record
class Kept:
    n: Annotated[int, DataClass.P]


TOLD = Facts("plan", [Fact("Counted", 1, Counted), Fact("Kept", 1, Kept, published=False)])
CODEC = Codec(TOLD)


def counted(n: int, case_id: UUID | None = None, record: object = None) -> NewFact:
    encoded = CODEC.encode(record or Counted(n=n))
    envelope = Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM, case_id=case_id)
    return NewFact(envelope.event_id, encoded.name, 1, encoded.open, None, to_headers(envelope), None)


@dataclass
class Side:
    """One service's half: its log, its connection to the broker, its relay, its listener's database."""

    log: PostgresLog
    wire: Wire
    locks: Locks
    relay: Relay
    database: Database


@dataclass
class Pair:
    """`plan` tells, `notification` hears."""

    teller: Side
    hearer: Side
    tasks: list[asyncio.Task[None]]
    listener: Listener

    def begin(self, *what: Callable[[], Awaitable[None]]) -> None:
        self.tasks.extend(asyncio.ensure_future(w()) for w in what)  # type: ignore[arg-type]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    async def tell(self, first: int, last: int) -> None:
        done = await asyncio.gather(
            *(self.teller.log.append(Append(f"c-{n}", 0, [counted(n)])) for n in range(first, last))
        )
        assert all(isinstance(v, Appended) for v in done)

    async def heard(self) -> list[int]:
        rows = await self.hearer.log.pool.fetch("select position from heard where source = 'plan' order by position")
        return [r[0] for r in rows]

    async def until_heard(self, n: int) -> None:
        await until(lambda: self._heard_at(n))

    async def _heard_at(self, n: int) -> bool:
        return (await self.hearer.log.pool.fetchval("select count(*) from heard")) >= n


async def heard_is_what_was_told(pair: Pair) -> None:
    told = await pair.teller.log.pool.fetch("select event_id, data, recorded_at from events order by position")
    heard = await pair.hearer.log.pool.fetch("select event_id, data, recorded_at from heard order by position")
    assert heard == told


async def holds(pair: Pair, most: int) -> None:
    """From now on the stream takes no more than so many messages; -1: any number."""
    await pair.teller.relay.check()
    client = pair.teller.wire.client
    config = (await ask(client, "STREAM.INFO.PLAN"))["config"]
    changed = await ask(client, "STREAM.UPDATE.PLAN", config | {"max_msgs": most, "discard": "new"})
    assert "error" not in changed, changed


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until something is so; the test fails when it does not become so."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - what is waited for happens in a server
            await asyncio.sleep(0.01)


async def side(name: str, database: Databases, broker: Nats) -> Side:
    made = await database(name, setup=core_schema)
    pool = await asyncpg.create_pool(made.app_url, min_size=1, max_size=6)
    log = PostgresLog(made.app_url, pool, lambda: NOW)
    await log.start()
    wire = Wire(broker.url(name), name)
    client = await wire.connect()
    relay = Relay(name, TOLD, log, client, lambda: NOW)
    return Side(log, wire, Locks(made.app_url), relay, made)


async def close(s: Side) -> None:
    await s.wire.close()
    await s.log.stop()
    s.locks.close()
    await s.log.pool.close()


@pytest.fixture
async def pair(database: Databases, nats_server: Nats) -> AsyncIterator[Pair]:
    await forget_streams(nats_server)
    teller, hearer = await side("plan", database, nats_server), await side("notification", database, nats_server)
    listener = Listener(
        "notification", "plan", hearer.log.pool, hearer.wire.client, hearer.locks, hearer.log.moved
    )  # fmt: skip
    made = Pair(teller, hearer, [], listener)
    yield made
    await made.end()
    await close(teller)
    await close(hearer)


async def test_every_fact_is_heard_once_and_in_order(pair: Pair) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 700)  # many: atomic batches
    await pair.until_heard(700)
    for n in range(700, 710):  # few: single messages
        await pair.tell(n, n + 1)
    await pair.until_heard(710)
    assert await pair.heard() == list(range(1, 711))


async def test_what_is_heard_is_what_was_told(pair: Pair) -> None:
    case = new_id()
    await pair.teller.log.append(Append("c-1", 0, [counted(7, case)]))
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.until_heard(1)
    row = await pair.hearer.log.pool.fetchrow("select * from heard")
    (stored,) = await pair.teller.log.after(0, 1)
    assert row is not None
    assert (row["event_id"], row["type"], row["schema_version"], row["stream_id"], row["version"], row["case_id"]) == (
        stored.event_id, "Counted", 1, "c-1", 1, case,
    )  # fmt: skip
    assert (row["data"], row["recorded_at"]) == (b'{"n":7}', NOW)


async def test_a_fact_that_others_may_not_see_keeps_its_place_without_a_body(pair: Pair) -> None:
    await pair.teller.log.append(Append("c-1", 0, [counted(1), counted(2, record=Kept(n=2)), counted(3)]))
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.until_heard(3)
    rows = await pair.hearer.log.pool.fetch("select type, data, stream_id, case_id from heard order by position")
    assert [(r[0], r[1]) for r in rows] == [("Counted", b'{"n":1}'), ("withheld", b""), ("Counted", b'{"n":3}')]
    assert (rows[1][2], rows[1][3]) == ("", None)


async def test_two_relays_at_once_neither_lose_nor_double(pair: Pair) -> None:
    second = Relay("plan", TOLD, pair.teller.log, pair.teller.wire.client, lambda: NOW)
    pair.begin(pair.teller.relay.run, second.run, pair.listener.run)
    for n in range(0, 300, 3):
        await pair.tell(n, n + 3)
    await pair.until_heard(300)
    assert await pair.heard() == list(range(1, 301))


async def test_a_stream_that_was_deleted_is_filled_again_and_nothing_is_heard_twice(
    pair: Pair, nats_server: Nats
) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 50)
    await pair.until_heard(50)
    await forget_streams(nats_server, "PLAN")
    await pair.tell(50, 80)
    await pair.until_heard(80)
    assert await pair.heard() == list(range(1, 81))
    assert (await stream_end(pair.teller.wire.client, "PLAN")).sequence == 80


async def test_a_broker_store_rolled_back_is_brought_level_again(pair: Pair, nats_server: Nats, tmp_path: Path) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 40)
    await pair.until_heard(40)
    await nats_server.stop()
    shutil.copytree(nats_server.store, tmp_path / "old")
    await nats_server.start()
    await pair.tell(40, 90)
    await pair.until_heard(90)
    await nats_server.kill()
    shutil.rmtree(nats_server.store)
    shutil.copytree(tmp_path / "old", nats_server.store)
    await nats_server.start()
    await pair.tell(90, 120)
    await pair.until_heard(120)
    assert await pair.heard() == list(range(1, 121))


async def test_a_broker_that_was_restarted_need_not_know_where_we_were(pair: Pair, nats_server: Nats) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 40)
    await pair.until_heard(40)
    told = await ask(pair.hearer.wire.client, "CONSUMER.INFO.PLAN.notification")
    assert told["config"]["mem_storage"] is True
    await nats_server.kill()
    await nats_server.start()
    await pair.tell(40, 60)
    await pair.until_heard(60)
    assert await pair.heard() == list(range(1, 61))


async def test_a_listener_told_to_begin_anew_does_so_once_and_hears_on(pair: Pair, nats_server: Nats) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 10)
    await pair.until_heard(10)
    async with as_operator(nats_server) as operator:
        made = asyncio.Queue[Msg]()
        await operator.subscribe("$JS.API.CONSUMER.CREATE.PLAN.notification", cb=made.put)
        await arrived(operator)
        pair.listener.anew = True  # as after every reconnect; its consumer is alive and has open pulls
        await asyncio.wait_for(made.get(), 5)
        for n in range(10, 40):
            await pair.tell(n, n + 1)
        await pair.until_heard(40)
        assert made.empty()


class FedTwice(Listener):
    """Is given each batch a second time, and a third time as a process that does not know it has been heard."""

    async def _hear(self, batch: list[Placed]) -> None:
        before = self.at
        await super()._hear(list(batch))
        await super()._hear(list(batch))
        after, self.at = self.at, before
        with pytest.raises(OutOfOrder):
            await super()._hear(list(batch))
        self.at = after


async def test_a_batch_that_is_fed_twice_is_heard_once(pair: Pair) -> None:
    listener = FedTwice(
        "notification", "plan", pair.hearer.log.pool, pair.hearer.wire.client, pair.hearer.locks, pair.hearer.log.moved
    )
    pair.begin(pair.teller.relay.run, listener.run)
    await pair.tell(0, 40)
    await pair.until_heard(40)
    await pair.tell(40, 50)
    await pair.until_heard(50)
    assert await pair.heard() == list(range(1, 51))


async def test_of_two_listeners_one_stands_by_and_takes_over(pair: Pair) -> None:
    locks = Locks(pair.hearer.database.app_url)
    other = Listener(
        "notification", "plan", pair.hearer.log.pool, pair.hearer.wire.client, locks, pair.hearer.log.moved
    )
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 30)
    await pair.until_heard(30)
    pair.begin(other.run)
    pair.tasks[1].cancel()
    await pair.tell(30, 60)
    await pair.until_heard(60)
    assert await pair.heard() == list(range(1, 61))
    assert other.at == 60
    locks.close()


async def test_a_lock_is_waited_for_also_while_the_database_takes_no_connection(pair: Pair, postgres: Postgres) -> None:
    locks = Locks(pair.hearer.database.app_url)
    held = asyncio.Event()

    async def hold() -> None:
        async with locks.hold("anything"):
            held.set()

    await postgres.execute("alter role notification_app connection limit 0")
    try:
        pair.begin(hold)
        assert not (await asyncio.wait(pair.tasks, timeout=0.5))[0]
    finally:
        await postgres.execute("alter role notification_app connection limit -1")
    await asyncio.wait_for(held.wait(), 5)
    locks.close()


async def test_a_log_older_than_its_stream_is_recognised_before_a_write(pair: Pair, database: Databases) -> None:
    pair.begin(pair.teller.relay.run)
    await pair.tell(0, 20)

    async def published() -> bool:
        return pair.teller.relay.published == 20

    await until(published)
    await pair.end()
    older = await database("plan", setup=core_schema)
    pool = await asyncpg.create_pool(older.app_url, min_size=1, max_size=3)
    log = PostgresLog(older.app_url, pool, lambda: NOW)
    await log.start()
    try:
        for n in range(12):
            await log.append(Append(f"c-{n}", 0, [counted(n)]))
        with pytest.raises(LogBehindStream, match="ends before position 20"):
            await Relay("plan", TOLD, log, pair.teller.wire.client, lambda: NOW).check()
        for n in range(12, 25):
            await log.append(Append(f"c-{n}", 0, [counted(n)]))
        with pytest.raises(LogBehindStream, match="another fact at position 20"):
            await Relay("plan", TOLD, log, pair.teller.wire.client, lambda: NOW).check()
    finally:
        await log.stop()
        await pool.close()


async def marked_at(pair: Pair, position: int) -> bool:
    row = await pair.hearer.log.pool.fetchrow(
        "select moment, moment_position from checkpoints where name = 'hear:plan'"
    )
    return row is not None and row["moment"] == NOW and row["moment_position"] == position


async def test_a_listener_knows_up_to_which_moment_its_source_is_complete(pair: Pair) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await until(lambda: marked_at(pair, 0))
    await pair.tell(0, 5)  # at the same moment: the clock of these tests stands still
    await until(lambda: marked_at(pair, 5))


async def test_a_moment_that_a_crash_took_back_is_noted_again(pair: Pair) -> None:
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await until(lambda: marked_at(pair, 0))
    async with pair.hearer.log.pool.acquire() as c, c.transaction():
        await c.execute("update checkpoints set moment = null where name = 'hear:plan'")
        await cut_off(c)
    await until(lambda: marked_at(pair, 0))


# --- reactions ---


@record
class Note:
    n: int


@record
class Noted:
    n: Annotated[int, DataClass.P]


class Notebook:
    """What a reactor performs into: commands by id, once each; some numbers fail on purpose."""

    def __init__(self) -> None:
        self.done: dict[UUID, int] = {}
        self.order: list[int] = []
        self.waiting_for: set[int] = set()
        self.broken: set[int] = set()
        self.trouble: list[Exception] = []

    async def perform(self, ask: Ask, id: UUID, heard: Heard) -> None:
        n = ask.command.n
        if self.trouble:
            raise self.trouble.pop()
        if n in self.waiting_for:
            raise MissingPredecessor
        if n in self.broken:
            raise ZeroDivisionError
        if id not in self.done:
            self.done[id] = n
            self.order.append(n)


NOTES = Aggregate("notes", Decider(initial=None, decide=lambda c, s: [], evolve=lambda s, f: s))


def note(heard: Heard, now: datetime) -> list[Ask]:
    return [Ask(aggregate=NOTES, id="all", command=Note(n=heard.fact.n), rule="note")]


def reactor(
    pair: Pair, book: Notebook, now: Callable[[], datetime] = lambda: NOW, recent: Recent | None = None
) -> Reactor:
    return Reactor(
        "plan", {"Counted": note}, CODEC, pair.hearer.log.pool, pair.hearer.locks, book.perform, now, recent
    )  # fmt: skip


async def hear_cases(pair: Pair, cases: list[UUID]) -> None:
    for n, case in enumerate(cases):
        await pair.teller.log.append(Append(f"c-{n}", 0, [counted(n, case)]))
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.until_heard(len(cases))


async def set_aside(pair: Pair) -> list[tuple[int, str]]:
    rows = await pair.hearer.log.pool.fetch("select position, state from dead_letters order by position")
    return [(r["position"], r["state"]) for r in rows]


async def test_reactions_run_once_in_order_also_when_they_are_run_again(pair: Pair) -> None:
    await hear_cases(pair, [new_id() for _ in range(10)])
    book = Notebook()
    await reactor(pair, book).step()
    await pair.hearer.log.pool.execute("update checkpoints set position = 3 where name = 'react:plan'")
    await reactor(pair, book).step()
    assert book.order == list(range(10))


async def test_what_concerns_nobody_is_passed_over_but_never_what_the_database_has_lost(pair: Pair) -> None:
    book, recent = Notebook(), Recent()
    await hear_cases(pair, [new_id() for _ in range(6)])
    one = reactor(pair, book, recent=recent)
    await pair.hearer.log.pool.execute("insert into checkpoints(name) values ('react:plan')")
    await one.step()
    recent.add([(7, "s", 1, "Unheeded", 1, b"{}", b"", NOW)])
    await pair.hearer.log.pool.execute("update checkpoints set position = 3 where name = 'react:plan'")  # a crash
    book.done.clear()
    book.order.clear()
    await one.step()
    assert (book.order, one.at) == ([3, 4, 5], 6)
    assert await one.step()
    assert one.at == 7
    assert await pair.hearer.log.pool.fetchval("select position from checkpoints where name = 'react:plan'") == 7


@pytest.mark.parametrize("meanwhile", ["forgotten", "trimmed", "heeded"])
async def test_what_is_to_be_passed_over_may_change_while_a_note_of_it_waits(
    pair: Pair, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes are made at most every PASS_EVERY; the listener writes, begins anew or runs far ahead in between."""

    class Changing(Recent):
        looks = -100

        def after(self, position: int, limit: int) -> Sequence[Row]:
            self.looks += 1
            if self.looks == 2 and meanwhile == "forgotten":
                self.forget()
            elif self.looks == 2 and meanwhile == "trimmed":
                self.add([unheeded(n) for n in range(9, 30)])
            elif self.looks == 2:
                self.add([(9, "s", 1, "Counted", 1, b'{"n":9}', b"", NOW)])
            return super().after(position, limit)

    def unheeded(n: int) -> Row:
        return (n, "s", 1, "Unheeded", 1, b"{}", b"", NOW)

    book, recent = Notebook(), Changing(most=4)
    await hear_cases(pair, [new_id() for _ in range(6)])
    one = reactor(pair, book, recent=recent)
    await pair.hearer.log.pool.execute("insert into checkpoints(name) values ('react:plan')")
    await one.step()
    monkeypatch.setattr(react, "PASS_EVERY", 0.2)
    recent.add([unheeded(7)])
    assert await one.step()
    recent.add([unheeded(8)])
    recent.looks = 0
    assert await one.step() is False  # nothing of it stands in the database, where it looks instead
    assert (recent.looks, one.at) == (2, 7)


async def test_poison_is_set_aside_with_what_follows_on_its_case_and_can_be_replayed(pair: Pair) -> None:
    sick, well = new_id(), new_id()
    await hear_cases(pair, [sick, well, sick, well])
    book = Notebook()
    book.broken = {0}
    one = reactor(pair, book)
    await one.step()
    assert book.order == [1, 3]
    assert await set_aside(pair) == [(1, "dead"), (3, "behind")]
    pair.begin(lambda: one.run(pair.hearer.log.moved))
    assert await one.replay(3) is False  # not before the one it waits behind
    assert await one.replay(1) is False
    assert await set_aside(pair) == [(1, "dead"), (3, "behind")]
    book.broken = set()
    assert await one.replay(1) is True

    async def nothing_left() -> bool:
        return await set_aside(pair) == []

    await until(nothing_left)
    assert book.order == [1, 3, 0, 2]
    assert await one.replay(1) is False


async def test_a_replay_is_only_asked_for_and_done_by_the_one_that_holds_the_lock(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(react, "REPLAY_WAIT", 0.2)
    await hear_cases(pair, [new_id()])
    book = Notebook()
    book.broken = {0}
    one = reactor(pair, book)
    await one.step()
    book.broken = set()
    assert await one.replay(1) is False  # nobody holds the lock
    assert book.order == []
    await one.retry()
    assert book.order == [0]
    assert await set_aside(pair) == []


async def test_what_waits_behind_is_tried_also_when_the_one_before_it_is_long_gone(pair: Pair) -> None:
    case = new_id()
    await hear_cases(pair, [case, case, new_id()])
    book = Notebook()
    book.broken = {0}
    one = reactor(pair, book)
    await one.step()
    await pair.hearer.log.pool.execute("delete from dead_letters where position = 1")  # and then the process ended
    assert await one.retry() is True
    assert book.order == [2, 1]
    assert await set_aside(pair) == []


async def test_what_waited_behind_and_then_fails_is_itself_parked_or_dead(pair: Pair) -> None:
    sick, early = new_id(), new_id()
    await hear_cases(pair, [sick, early, sick, early])
    book, now = Notebook(), NOW
    book.waiting_for = {0, 1}
    one = reactor(pair, book, lambda: now)
    await one.step()
    book.waiting_for, book.broken, now = {3}, {2}, NOW + timedelta(hours=1)
    assert await one.retry() is True
    assert await set_aside(pair) == [(3, "dead"), (4, "parked")]
    assert await one.retry() is False
    assert await set_aside(pair) == [(3, "dead"), (4, "parked")]  # its own wait has only begun
    row = await pair.hearer.log.pool.fetchrow("select reason, attempts from dead_letters where position = 3")
    assert row is not None
    assert tuple(row) == ("ZeroDivisionError", react.TRIES)


async def test_a_case_with_very_many_messages_waiting_is_made_up_for_in_order(pair: Pair) -> None:
    many, case = 1200, new_id()
    await pair.teller.log.append(Append("c-1", 0, [counted(n, case) for n in range(many)]))
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.until_heard(many)
    book = Notebook()
    book.waiting_for = {0}
    one = reactor(pair, book)
    pair.begin(lambda: one.run(pair.hearer.log.moved))

    async def all_wait() -> bool:
        return one.at == many

    async def nothing_left() -> bool:
        return await set_aside(pair) == []

    await until(all_wait)
    assert len(await set_aside(pair)) == many
    book.waiting_for = set()
    await until(nothing_left)
    assert book.order == list(range(many))


async def test_trouble_that_is_not_the_message_s_fault_is_waited_out(pair: Pair) -> None:
    await hear_cases(pair, [new_id(), new_id()])
    book = Notebook()
    book.trouble = [
        KeysUnavailable(), StillMoving(), LogUnavailable(), ConnectionResetError(), asyncpg.CannotConnectNowError(),
        asyncpg.TooManyConnectionsError(),
    ]  # fmt: skip
    one = reactor(pair, book)
    pair.begin(lambda: one.run(pair.hearer.log.moved))

    async def reacted() -> bool:
        return one.at == 2

    await until(reacted)
    assert (book.order, book.trouble) == ([0, 1], [])
    assert await pair.hearer.log.pool.fetchval("select count(*) from dead_letters") == 0


async def test_a_message_whose_predecessor_is_missing_is_parked_and_later_dead(pair: Pair) -> None:
    await hear_cases(pair, [new_id(), new_id()])
    book, now = Notebook(), NOW
    book.waiting_for = {0, 1}
    one = reactor(pair, book, lambda: now)
    await one.step()
    book.waiting_for = {1}
    assert await one.retry() is True
    assert book.order == [0]
    now = NOW + timedelta(minutes=6)
    await one.retry()
    assert await set_aside(pair) == [(2, "dead")]


async def test_a_message_that_was_parked_before_an_outage_is_tried_before_it_is_called_dead(pair: Pair) -> None:
    await hear_cases(pair, [new_id(), new_id()])
    book, now = Notebook(), NOW
    book.waiting_for = {0, 1}
    one = reactor(pair, book, lambda: now)
    await one.step()
    now = NOW + timedelta(hours=3)
    book.waiting_for = {1}
    assert await one.retry(caught_up=False) is True  # there is more to react to: what it waits for may be in that
    assert book.order == [0]
    assert await set_aside(pair) == [(2, "parked")]
    assert await one.retry() is False
    assert await set_aside(pair) == [(2, "dead")]


async def test_a_message_of_an_unknown_version_is_set_aside(pair: Pair) -> None:
    newer = counted(1, new_id())
    newer = NewFact(newer.event_id, newer.name, 9, newer.data, None, newer.envelope, None)
    await pair.teller.log.append(Append("c-1", 0, [newer]))
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.until_heard(1)
    await reactor(pair, Notebook()).step()
    row = await pair.hearer.log.pool.fetchrow("select state, reason from dead_letters")
    assert row is not None
    assert row["state"] == "dead"
    assert "newer than this code" in row["reason"]


async def test_a_relay_with_nothing_new_to_tell_fills_a_lost_stream_again_after_a_reconnect(
    pair: Pair, nats_server: Nats
) -> None:
    pair.begin(pair.teller.relay.run)
    await pair.tell(0, 7)

    async def published() -> bool:
        with contextlib.suppress(BusUnavailable):  # there is no stream before the relay has made it
            return (await stream_end(pair.teller.wire.client, "PLAN")).sequence == 7
        return False

    await until(published)
    await forget_streams(nats_server, "PLAN")
    pair.teller.relay.begin_anew()
    await until(published)


async def test_an_answer_that_was_lost_with_the_broker_is_not_waited_for(pair: Pair, nats_server: Nats) -> None:
    assert nats_server.process is not None
    await pair.teller.relay.check()
    publisher = Publisher(pair.teller.wire.client)
    await publisher.open()
    nats_server.process.send(signal.SIGSTOP)  # takes what is sent to it and answers nothing
    publishing = asyncio.create_task(publisher.publish([Message(b"plan.0.Counted.v1", b"", b"")], 0))
    assert not (await asyncio.wait({publishing}, timeout=0.5))[0]
    await nats_server.kill()
    await nats_server.start()
    await asyncio.wait_for(pair.teller.wire.reconnected(), 10)
    assert not publishing.done()
    publisher.cut()
    with pytest.raises(BusUnavailable, match="lost while publishing"):
        await publishing


async def test_what_was_begun_after_a_refused_batch_is_refused_with_it(pair: Pair) -> None:
    await pair.teller.relay.check()
    publisher = Publisher(pair.teller.wire.client)
    await publisher.open()
    batch = [Message(b"plan.0.Counted.v1", b"", b"")] * ATOMIC_FROM
    last = await publisher.begin(batch, 5)  # where the stream does not end
    await publisher.begin(batch, last)
    with pytest.raises(OutOfSequence):
        await publisher.settled()
    assert await publisher.publish(batch, 0) == ATOMIC_FROM
    assert (await stream_end(pair.teller.wire.client, "PLAN")).sequence == ATOMIC_FROM


async def test_of_messages_sent_together_none_stands_after_one_that_was_refused(pair: Pair) -> None:
    await pair.teller.relay.check()
    publisher = Publisher(pair.teller.wire.client)
    await publisher.open()
    good = Message(b"plan.0.Counted.v1", b"", b"")
    bad = Message(good.subject, b"Nats-Expected-Last-Msg-Id: another\r\n", b"")
    with pytest.raises(OutOfSequence):
        await publisher.publish([good, bad, good, good], 0)
    assert (await stream_end(pair.teller.wire.client, "PLAN")).sequence == 1
    assert await publisher.publish([good, good, good], 1) == 4


async def test_a_relay_says_why_the_broker_takes_no_more_and_goes_on_when_it_does(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    async def said() -> bool:
        nonlocal output
        output += "".join(capsys.readouterr())
        return "maximum messages exceeded" in output

    output = ""
    await pair.teller.relay.check()
    await holds(pair, 2)
    pair.begin(pair.teller.relay.run, pair.listener.run)
    await pair.tell(0, 5)
    await until(said)
    await holds(pair, -1)
    await pair.until_heard(5)
    assert await pair.heard() == [1, 2, 3, 4, 5]


async def test_what_this_process_appended_is_published_without_reading_it_back(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "OWN", f"{fold.OWN} offset 1000")  # the database tells the relay nothing
    pair.begin(pair.teller.relay.run, pair.listener.run)
    for n in range(20):
        await pair.tell(n * 3, n * 3 + 3)
    await pair.until_heard(60)
    assert await pair.heard() == list(range(1, 61))
    await heard_is_what_was_told(pair)


async def test_a_moment_marked_while_more_came_is_announced_once_that_is_published(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[datetime] = []
    told: list[bytes] = []

    async def mark(now: datetime) -> int:
        marked.append(now)
        return 5

    async def publish(subject: str, payload: bytes) -> None:
        told.append(payload)

    monkeypatch.setattr(pair.teller.log, "mark_moment", mark)
    monkeypatch.setattr(pair.teller.wire.client, "publish", publish)
    for published in (3, 4, 7, 9):  # something is appended before each look
        await pair.teller.relay._beat(published)
    assert marked == [NOW]
    assert [json.loads(t) for t in told] == [{"position": 5, "at": NOW.isoformat()}]


async def test_what_several_processes_append_is_published_by_whoever_relays(pair: Pair) -> None:
    other = PostgresLog(pair.teller.database.app_url, pair.teller.log.pool, lambda: NOW)
    await other.start()
    pair.begin(pair.teller.relay.run, pair.listener.run)
    for n in range(20):
        await asyncio.gather(
            pair.teller.log.append(Append(f"a-{n}", 0, [counted(n)])), other.append(Append(f"b-{n}", 0, [counted(n)]))
        )
    await pair.until_heard(40)
    assert await pair.heard() == list(range(1, 41))
    await other.stop()


async def test_what_is_under_way_together_stands_in_the_stream_in_order(pair: Pair) -> None:
    await pair.teller.relay.check()
    publisher = Publisher(pair.teller.wire.client)
    await publisher.open()
    last = 0
    for size in (ATOMIC_FROM, 3, 1, MOST, MOST, 2):
        messages = [Message(b"plan.0.Counted.v1", b"ce-id: %d\r\n" % (last + n), b"") for n in range(1, size + 1)]
        last = await publisher.begin(messages, last)
    await publisher.settled()
    assert await stream_end(pair.teller.wire.client, "PLAN") == StreamEnd(last, str(last))


class BreaksOnce(Bus):
    """A connection that breaks again while it is being made anew, as uvloop reports it."""

    breaks = 0

    async def _process_connect_init(self) -> None:
        if self.is_reconnecting and not self.breaks:
            self.breaks = 1
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
        await super()._process_connect_init()


async def test_a_connection_that_breaks_while_it_is_made_anew_is_made_anew_once_more(nats_server: Nats) -> None:
    wire = Wire(nats_server.url("ops"), "ops")
    wire.client = broken = BreaksOnce()
    await wire.connect()
    await nats_server.kill()
    await nats_server.start()
    await asyncio.wait_for(wire.reconnected(), 10)
    assert broken.breaks == 1
    assert (await wire.client.request("$JS.API.INFO", timeout=5)).data
    await wire.close()


# --- told at once ---


async def telling_ahead(pair: Pair, most: int) -> None:
    """All are at work, and the stream takes no more than so many: what comes after is only told."""
    await holds(pair, most)
    pair.begin(pair.teller.relay.run, pair.teller.relay.teller.run, pair.listener.run)
    await listening(pair)


async def listening(pair: Pair) -> None:
    """Until the listener would take what is told."""

    async def so() -> bool:
        return pair.listener._next == pair.listener.at + 1

    await until(so)


async def told(pair: Pair, position: int, n: int, id: UUID | None = None) -> None:
    """Say something as the service would, whether or not it stands in its log."""
    fact = counted(n)
    envelope = Envelope(event_id=id or fact.event_id, occurred_at=NOW, actor=SYSTEM)
    made = pair.teller.relay.message(position, f"c-{n}", 1, fact.name, 1, fact.data, to_headers(envelope), NOW)
    await tell(pair.teller.wire.client, [Message(b"live.plan.%d" % position, made.headers, made.body)])
    await arrived(pair.teller.wire.client)


async def test_what_is_told_is_heard_before_the_stream_has_it_and_once(pair: Pair) -> None:
    await telling_ahead(pair, 3)
    for n in range(10):
        await pair.tell(n, n + 1)
    await pair.until_heard(10)
    await until(lambda: _ends_at(pair, 3))
    await holds(pair, -1)
    await until(lambda: _ends_at(pair, 10))
    await pair.tell(10, 12)
    await pair.until_heard(12)
    assert await pair.heard() == list(range(1, 13))
    await heard_is_what_was_told(pair)


async def _ends_at(pair: Pair, sequence: int) -> bool:
    return (await stream_end(pair.teller.wire.client, "PLAN")).sequence == sequence


async def test_what_was_told_while_nobody_listened_comes_with_the_stream(pair: Pair) -> None:
    pair.begin(pair.teller.relay.run, pair.teller.relay.teller.run)
    await pair.tell(0, 7)
    pair.begin(pair.listener.run)
    await pair.until_heard(7)
    for n in range(7, 20):
        await pair.tell(n, n + 1)
    await pair.until_heard(20)
    assert await pair.heard() == list(range(1, 21))


async def test_what_is_told_before_its_turn_waits_for_it(pair: Pair) -> None:
    await holds(pair, 2)
    pair.begin(pair.listener.run, pair.teller.relay.run)
    await pair.tell(0, 2)
    await pair.until_heard(2)
    for position in (5, 7, 4):
        await told(pair, position, position)
    assert await pair.heard() == [1, 2]
    await told(pair, 3, 3)
    await pair.until_heard(5)
    await told(pair, 6, 6)
    await pair.until_heard(7)
    assert await pair.heard() == [1, 2, 3, 4, 5, 6, 7]


async def test_a_gap_in_what_is_told_is_filled_by_the_stream_and_what_was_told_meanwhile_is_taken(pair: Pair) -> None:
    pair.begin(pair.listener.run)
    await pair.teller.relay.check()
    await listening(pair)
    fact = counted(4)
    await told(pair, 4, 4, fact.event_id)
    await holds(pair, 3)
    pair.begin(pair.teller.relay.run)
    await pair.tell(1, 4)
    await pair.until_heard(4)
    await pair.teller.log.append(Append("c-4", 0, [fact]))
    await holds(pair, -1)
    await pair.tell(5, 6)
    await pair.until_heard(5)
    await heard_is_what_was_told(pair)


async def test_what_is_told_again_far_too_early_or_without_a_place_changes_nothing(pair: Pair) -> None:
    pair.begin(pair.listener.run, pair.teller.relay.run)
    await pair.tell(0, 2)
    await pair.until_heard(2)
    for position in (2, 1, 0, 2 + listen.AHEAD + 1):
        await told(pair, position, position)
    client = pair.teller.wire.client
    await tell(client, [Message(b"live.plan.soon", b"", b"{}"), Message(b"live.plan.3 elsewhere", b"", b"{}")])
    await pair.tell(2, 6)
    await pair.until_heard(6)
    assert await pair.heard() == [1, 2, 3, 4, 5, 6]
    await heard_is_what_was_told(pair)


async def test_what_several_processes_tell_is_heard_once_and_in_order(pair: Pair) -> None:
    other = PostgresLog(pair.teller.database.app_url, pair.teller.log.pool, lambda: NOW)
    await other.start()
    second = Relay("plan", TOLD, other, pair.teller.wire.client, lambda: NOW)
    first = pair.teller.relay
    await holds(pair, 1)
    pair.begin(first.run, first.teller.run, second.run, second.teller.run, pair.listener.run)
    await listening(pair)
    for n in range(40):
        await asyncio.gather(
            pair.teller.log.append(Append(f"a-{n}", 0, [counted(n)])), other.append(Append(f"b-{n}", 0, [counted(n)]))
        )
    await pair.until_heard(80)
    assert await pair.heard() == list(range(1, 81))
    await heard_is_what_was_told(pair)
    await pair.end()
    await other.stop()


async def test_more_than_a_few_at_once_are_left_to_the_stream(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "FEW", 4)
    await telling_ahead(pair, 2)
    teller = pair.teller.relay.teller
    facts = [counted(n) for n in range(9)]

    async def passed(first: int, last: int) -> bool:
        return teller.covers(first, last)

    await pair.teller.log.append(Append("many", 0, facts))
    await until(lambda: passed(10, 9))  # nothing of it, and all that comes behind it
    await pair.tell(9, 10)
    await until(lambda: passed(10, 10))
    assert not teller.covers(9, 10)
    await pair.until_heard(2)
    assert await pair.heard() == [1, 2]
    await holds(pair, -1)
    await pair.until_heard(10)
    assert await pair.heard() == list(range(1, 11))


async def test_a_listener_runs_no_further_ahead_of_the_stream_than_it_is_allowed(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "AHEAD", 5)
    await telling_ahead(pair, 2)
    for n in range(20):
        await pair.tell(n, n + 1)
    await pair.until_heard(5)
    await holds(pair, -1)
    await pair.until_heard(20)
    assert await pair.heard() == list(range(1, 21))


async def test_a_listener_that_begins_anew_ahead_of_the_stream_hears_on(pair: Pair) -> None:
    await telling_ahead(pair, 3)
    for n in range(10):
        await pair.tell(n, n + 1)
    await pair.until_heard(10)
    pair.listener.anew = True
    pair.listener._arrived.beat()
    await holds(pair, -1)
    await pair.tell(10, 15)
    await pair.until_heard(15)
    assert await pair.heard() == list(range(1, 16))


@pytest.mark.parametrize("begins_anew", [False, True])
async def test_a_log_restored_without_what_it_had_told_is_not_listened_to(
    pair: Pair, begins_anew: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stream brings another fact than was told for the same place; a process that begins anew notices as well, and
    goes on noticing when the log has come further than what was heard."""
    pair.begin(pair.listener.run, pair.teller.relay.run)
    await pair.tell(0, 3)
    await pair.until_heard(3)
    for position in (4, 5, 6):  # were told, and then lost with the database
        await told(pair, position, position)
    await pair.until_heard(6)
    marked = await _moment_at(pair)
    if begins_anew:
        pair.listener.anew = True
        pair.listener._arrived.beat()
        await listening(pair)
    pair.begin(pair.teller.relay.teller.run)
    output = ""

    async def said() -> bool:
        nonlocal output
        output += "".join(capsys.readouterr())
        return output.count("listener.diverged") > again

    again = 0
    for n in range(10, 18):
        await pair.tell(n, n + 1)
        await until(said)
        again += 1
    await until(lambda: _ends_at(pair, 11))
    again += 2
    await until(said)  # also now that the log is longer than what was heard
    assert await pair.heard() == [1, 2, 3, 4, 5, 6]
    assert await _moment_at(pair) == marked


async def _moment_at(pair: Pair) -> int:
    return await pair.hearer.log.pool.fetchval("select moment_position from checkpoints where name = 'hear:plan'")


async def test_what_is_told_while_the_broker_is_away_is_not_kept_for_it(pair: Pair, nats_server: Nats) -> None:
    client, teller = pair.teller.wire.client, pair.teller.relay.teller
    pair.begin(teller.run)
    await nats_server.stop()
    try:
        async with asyncio.timeout(10):
            while client.is_connected:  # noqa: ASYNC110 - nats-py says so when it has noticed
                await asyncio.sleep(0.01)
        before = client._pending_data_size
        await pair.tell(0, 20)
        await until(lambda: _left_out(teller, 20))
        assert client._pending_data_size == before
    finally:
        await nats_server.start()


async def _left_out(teller: telling.Teller, last: int) -> bool:
    return teller.covers(last + 1, last) and not teller.covers(1, last)
