"""A read model is the fold of what was written and what was heard, however that came in and how often it is built."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from chassis import fold, follow, rebuild
from chassis.classes import DataClass
from chassis.clock import new_id
from chassis.codec import Codec
from chassis.decider import record
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.facts import Fact, Facts
from chassis.follow import Folder, Following
from chassis.listen import MANY, Listener
from chassis.log import Append, NewFact
from chassis.postgres import PostgresLog
from chassis.pulse import Pulse
from chassis.rebuild import RebuildUnderWay
from chassis.recent import Recent
from chassis.rows import Rows
from chassis.servers import Database
from chassis.testing_stack import Databases, core_schema
from chassis.view import Decoder, Heard, View

P, W = DataClass.P, DataClass.W
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@record
class Added:
    box: Annotated[UUID, P]
    n: Annotated[int, P]
    said: Annotated[str, W]


@record
class Emptied:
    box: Annotated[UUID, P]


@record
class Swapped:
    one: Annotated[UUID, P]
    other: Annotated[UUID, P]


@record
class Seen:
    box: Annotated[UUID, P]
    n: Annotated[int, P]


OWN = Facts("plan", [Fact("Added", 1, Added, person="box"), Fact("Emptied", 1, Emptied), Fact("Swapped", 1, Swapped)])
THEIRS = Facts("notification", [Fact("Seen", 1, Seen)])
CODECS = {"plan": Codec(OWN), "notification": Codec(THEIRS)}


@record
class Box:
    box: UUID
    held: int = 0
    swaps: int = 0
    last_seen: int = 0
    said: str = ""
    changed: datetime | None = None


TABLE = sa.Table(
    "boxes", sa.MetaData(schema="views"),
    sa.Column("box", sa.Uuid, primary_key=True), sa.Column("held", sa.Integer), sa.Column("swaps", sa.Integer),
    sa.Column("last_seen", sa.Integer), sa.Column("said", sa.Text), sa.Column("changed", sa.DateTime(timezone=True)),
)  # fmt: skip
DDL = (
    "create table views.boxes (box uuid primary key, held int not null, swaps int not null, last_seen int not null, "
    "said text not null, changed timestamptz); create index on views.boxes (held)"
)


def touched(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case Swapped(one=one, other=other):
            return (one, other)
        case Seen(n=n) if n < 0:
            return ()
        case fact:
            return (fact.box,)


def evolve(box: Box | None, heard: Heard, key: UUID) -> Box | None:
    box = box or Box(box=key)
    match heard.fact:
        case Added(n=n, said=said):
            return replace(box, held=box.held + n, said=box.said + said, changed=heard.recorded_at)
        case Emptied():
            return None
        case Swapped():
            return replace(box, swaps=box.swaps + 1)
        case Seen(n=n):
            return replace(box, last_seen=n)
        case fact:
            raise TypeError(fact)


VIEW = View(
    name="boxes", table=TABLE, key="box", row=Box, keys=touched, evolve=evolve, sources=("plan", "notification")
)


def reference(*happened: tuple[str, Any]) -> dict[UUID, Box]:
    """The slow, obvious fold: all facts in the given order, in one dictionary."""
    boxes: dict[UUID, Box] = {}
    for source, fact in happened:
        heard = Heard(source=source, position=0, stream="", version=0, name="", fact=fact, recorded_at=NOW,
                      envelope=Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM))  # fmt: skip
        for key in touched(heard):
            after = evolve(boxes.get(key), heard, key)
            if after is None:
                boxes.pop(key, None)
            else:
                boxes[key] = after
    return {k: replace(b, said="") for k, b in boxes.items()}  # a view never sees what is sealed


@dataclass
class Store:
    """A database with a log, what was heard, and the view's table."""

    database: Database
    pool: asyncpg.Pool
    log: PostgresLog

    def folder(self, view: View[Any] = VIEW) -> Folder[Any]:
        return Folder(view, "plan", self.pool, Decoder(CODECS))

    async def add(self, *facts: Any) -> None:
        """Into our own log, one request."""
        await self.log.append(Append(f"box-{new_id()}", 0, [_stored(f) for f in facts]))

    async def hear(self, *facts: Any) -> None:
        last = await self.pool.fetchval("select coalesce(max(position), 0) from heard")
        for position, fact in enumerate(facts, last + 1):
            e = CODECS["notification"].encode(fact)
            envelope = to_headers(Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM))
            await self.pool.execute(
                "insert into heard values ('notification', $1, null, $2, 1, 's', 1, null, $3, $4, $5)",
                position, e.name, e.open, envelope, NOW,
            )  # fmt: skip

    async def rows(self) -> dict[UUID, Box]:
        return {r["box"]: Box(**dict(r.items())) for r in await self.pool.fetch("select * from views.boxes")}

    async def empty(self) -> None:
        owner = await asyncpg.connect(self.database.owner_url)
        await owner.execute(
            "truncate events, heard, checkpoints, views.boxes; update log_head set position = 0, recorded_at = 'epoch'"
        )
        await owner.close()
        self.log.known = 0
        self.log.remember().forget()


def _stored(fact: Any) -> NewFact:
    e = CODECS["plan"].encode(fact)
    envelope = Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM)
    return NewFact(envelope.event_id, e.name, e.version, e.open, None, to_headers(envelope), e.subject)


async def boxes_schema(database: Database) -> None:
    await core_schema(database)
    role = database.app_url.split("//")[1].split(":")[0]
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(f'{DDL}; alter table views.boxes owner to "{role}"')
    await owner.close()


@pytest.fixture(scope="module")
async def opened(database: Databases) -> AsyncIterator[Store]:
    made = await database("boxes", setup=boxes_schema)
    pool = await asyncpg.create_pool(made.app_url, min_size=2, max_size=8)
    log = PostgresLog(made.app_url, pool, lambda: NOW)
    await log.start()
    yield Store(made, pool, log)
    await log.stop()
    await pool.close()


@pytest.fixture
async def store(opened: Store) -> Store:
    await opened.empty()
    return opened


async def level(folder: Folder[Any]) -> None:
    while await folder.step():
        pass


A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
boxes = st.sampled_from([A, B, C])
own_facts = st.one_of(
    st.builds(Added, box=boxes, n=st.integers(0, 9), said=st.just("Anna")),
    st.builds(Swapped, one=boxes, other=boxes),
)
their_facts = st.builds(Seen, box=boxes, n=st.integers(-1, 9))


@given(
    own=st.lists(own_facts, max_size=12), theirs=st.lists(their_facts, max_size=8),
    order=st.randoms(use_true_random=False), batch=st.integers(1, 5),
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_rows_are_the_same_however_own_and_heard_facts_interleave(
    opened: Store, monkeypatch: pytest.MonkeyPatch, own: list[Any], theirs: list[Any], order: Any, batch: int
) -> None:
    monkeypatch.setattr(follow, "BATCH", batch)
    monkeypatch.setattr(rebuild, "BATCH", batch)
    await opened.empty()
    folder = opened.folder()
    left = {"plan": list(own), "notification": list(theirs), "step": [None] * 4}
    while any(left.values()):
        what = order.choice([k for k, v in left.items() if v])
        fact = left[what].pop(0)
        await (folder.step() if what == "step" else opened.add(fact) if what == "plan" else opened.hear(fact))
    await level(folder)
    wanted = reference(*(("plan", f) for f in own), *(("notification", f) for f in theirs))
    assert await opened.rows() == wanted
    digest = await folder.digest()
    assert await folder.rebuild() == len(own) + len(theirs)
    assert await opened.rows() == wanted
    assert await folder.digest() == digest


async def test_a_row_that_was_deleted_is_gone_and_may_come_back(store: Store) -> None:
    folder = store.folder()
    await store.add(Added(box=A, n=1, said=""), Added(box=B, n=2, said=""))
    await level(folder)
    await store.add(Emptied(box=A), Emptied(box=C))
    await level(folder)
    assert list(await store.rows()) == [B]
    await store.add(Added(box=A, n=5, said=""), Emptied(box=B), Added(box=B, n=7, said=""), Emptied(box=C))
    await level(folder)
    assert {k: b.held for k, b in (await store.rows()).items()} == {A: 5, B: 7}
    digest = await folder.digest()
    await folder.rebuild()
    assert await folder.digest() == digest


async def test_what_was_made_and_deleted_within_a_batch_was_never_there(store: Store) -> None:
    folder = store.folder()
    await store.add(Added(box=A, n=1, said=""), Emptied(box=A))
    await level(folder)
    assert await store.rows() == {}


async def test_a_fact_that_touches_several_rows_changes_each(store: Store) -> None:
    await store.add(Swapped(one=A, other=B))
    await level(store.folder())
    assert {k: b.swaps for k, b in (await store.rows()).items()} == {A: 1, B: 1}


async def test_a_view_sees_nothing_sealed_not_even_of_its_own_service(store: Store) -> None:
    await store.add(Added(box=A, n=1, said="Anna"))
    await level(store.folder())
    assert (await store.rows())[A].said == ""


async def test_types_that_are_not_known_and_facts_without_a_body_are_passed_over(store: Store) -> None:
    await store.hear(Seen(box=A, n=1), Seen(box=A, n=2))
    await store.pool.execute("update heard set type = 'withheld', data = '' where position = 1")
    stranger = structs.replace(_stored(Emptied(box=B)), name="Stranger")
    await store.log.append(Append("s", 0, [stranger]))
    folder = store.folder()
    await level(folder)
    assert (await store.rows())[A].last_seen == 2
    assert folder.at == {"plan": 1, "notification": 2}


async def test_what_others_told_that_this_view_does_not_follow_is_left_alone(store: Store) -> None:
    await store.hear(Seen(box=A, n=1), Seen(box=A, n=2))
    await store.pool.execute(
        "insert into heard select 'else', position + 2, event_id, type, schema_version, stream_id, version, case_id, "
        "'{}', envelope, recorded_at from heard"
    )
    await level(store.folder())
    assert (await store.rows())[A].last_seen == 2


async def test_a_batch_that_fails_leaves_neither_rows_nor_progress(store: Store) -> None:
    class Stumbled(Exception):
        pass

    def stumble(box: Box | None, heard: Heard, key: UUID) -> Box | None:
        if isinstance(heard.fact, Emptied):
            raise Stumbled
        return evolve(box, heard, key)

    folder = store.folder(replace(VIEW, evolve=stumble))
    await store.add(Added(box=A, n=1, said=""), Emptied(box=B))
    with pytest.raises(Stumbled):
        await folder.step()
    assert await store.rows() == {}
    assert folder.at["plan"] == 0
    await level(store.folder())
    assert list(await store.rows()) == [A]


async def test_a_fact_that_makes_a_row_anew_is_folded_without_reading_the_row(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anew(box: Box | None, heard: Heard, key: UUID) -> Box | None:
        return Box(box=key, held=heard.fact.n) if isinstance(heard.fact, Added) else evolve(box, heard, key)

    view = replace(VIEW, evolve=anew, begins=frozenset({"Added"}))
    read: list[UUID] = []
    load = Rows[Any].load

    async def noting(rows: Rows[Any], c: Any, table: str, keys: list[UUID], cache: dict[UUID, Any]) -> None:
        read.extend(keys)
        await load(rows, c, table, keys, cache)

    monkeypatch.setattr(Rows, "load", noting)
    await store.add(Added(box=A, n=5, said=""), Swapped(one=A, other=B))
    await level(store.folder(view))
    assert read == [B]  # A is made before it is swapped
    await store.add(Added(box=A, n=2, said=""))
    await level(store.folder(view))  # another process, which has nothing in memory
    assert read == [B]
    assert (await store.rows())[A] == Box(box=A, held=2)


async def test_what_this_process_wrote_is_folded_from_memory_and_all_else_from_the_database(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "SOON", 60.0)  # however slow the machine is
    folder = Folder(VIEW, "plan", store.pool, Decoder(CODECS), {"plan": store.log.remember()})
    await store.add(Added(box=A, n=1, said=""), Added(box=A, n=1, said=""))
    await level(folder)
    assert (await store.rows())[A].held == 2
    with monkeypatch.context() as patched:
        patched.setattr(fold, "OWN", f"{fold.OWN} offset 1000")
        await store.add(Added(box=A, n=5, said=""))
        assert await folder.step()
        assert not folder.more  # it has all that was written here, and waits for the next beat
    other = PostgresLog(store.database.app_url, store.pool, lambda: NOW)
    await other.start()
    await other.append(Append("box-other", 0, [_stored(Added(box=A, n=7, said=""))]))
    await other.stop()
    assert not await folder.step()  # what others wrote is looked for now and then
    folder.look()
    assert await folder.step()
    assert folder.more  # the database may have more
    assert (await store.rows())[A].held == 14


async def test_a_view_that_is_doubted_while_it_takes_from_memory_passes_nothing_over(store: Store) -> None:
    class Crashing:
        def acquire(self) -> Any:
            folder.doubt()
            return store.pool.acquire()

    folder = Folder(VIEW, "plan", store.pool, Decoder(CODECS), {"plan": store.log.remember()})
    await store.add(Added(box=A, n=1, said=""), Added(box=B, n=1, said=""))
    await level(folder)
    await store.add(Added(box=A, n=5, said=""))
    async with store.pool.acquire() as c, c.transaction():
        await c.execute("update checkpoints set position = 1 where name = 'view:boxes:plan'")
        await c.execute("delete from views.boxes where box = $1", B)
    folder._pool = Crashing()  # type: ignore[assignment]
    await folder.step()
    folder._pool = store.pool
    await level(folder)
    assert {box: row.held for box, row in (await store.rows()).items()} == {A: 6, B: 1}


# --- folded by the statement that hears ---


@dataclass
class Ear:
    """A listener without a broker: what it hears is handed to it. `folder` is kept up to date in the same process."""

    store: Store
    folder: Folder[Any]
    listener: Listener
    recent: Recent

    async def hears(self, *facts: Any, after: int | None = None) -> bool:
        """Was it heard? `after` is where the listener believes its checkpoint to be."""
        at = self.listener.at = self.listener.at if after is None else after
        rows = [self._row(position, fact) for position, fact in enumerate(facts, at + 1)]
        await self.listener._write(rows, at + len(facts))
        return self.listener.at == at + len(facts)

    @staticmethod
    def _row(position: int, fact: Any) -> Sequence[Any]:
        e = CODECS["notification"].encode(fact)
        envelope = to_headers(Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM))
        return ("notification", position, None, e.name, 1, "s", 1, None, e.open, envelope, NOW, None)

    async def heard(self) -> list[int]:
        return [r[0] for r in await self.store.pool.fetch("select position from heard order by position")]


def ear(store: Store, view: View[Any] = VIEW) -> Ear:
    recent = Recent()
    memory = {"plan": store.log.remember(), "notification": recent}
    folder = Folder(view, "plan", store.pool, Decoder(CODECS), memory)
    nowhere: Any = None
    listener = Listener(
        "plan", "notification", store.pool, nowhere, nowhere, Pulse(), recent, Following([folder], Pulse())
    )
    listener._c = store.pool
    return Ear(store, folder, listener, recent)


@pytest.fixture
async def hearing(store: Store) -> Ear:
    """Both have begun: the first fact has been heard and folded."""
    await store.pool.execute("insert into checkpoints(name) values ('hear:notification')")
    made = ear(store)
    assert await made.hears(Seen(box=A, n=1))
    assert made.folder.at["notification"] == 0  # it has not begun, and does so in its own time
    await level(made.folder)
    return made


async def test_a_few_facts_are_folded_as_they_are_heard(hearing: Ear, store: Store) -> None:
    assert await hearing.hears(Seen(box=A, n=2), Seen(box=B, n=3))
    assert hearing.folder.at["notification"] == 3
    await store.add(Added(box=A, n=5, said=""))
    await level(hearing.folder)
    assert await hearing.hears(Seen(box=A, n=4))
    assert {k: (b.held, b.last_seen) for k, b in (await store.rows()).items()} == {A: (5, 4), B: (0, 3)}
    assert await hearing.heard() == [1, 2, 3, 4]


async def test_what_was_heard_apart_is_made_up_for_with_the_next(hearing: Ear, store: Store) -> None:
    following, hearing.listener._following = hearing.listener._following, None
    assert await hearing.hears(Seen(box=A, n=2))
    assert hearing.folder.at["notification"] == 1
    hearing.listener._following = following
    assert await hearing.hears(Seen(box=B, n=3))
    assert hearing.folder.at["notification"] == 3
    assert {k: b.last_seen for k, b in (await store.rows()).items()} == {A: 2, B: 3}


async def test_what_memory_does_not_have_is_not_passed_over(hearing: Ear, store: Store) -> None:
    following, hearing.listener._following = hearing.listener._following, None
    assert await hearing.hears(Seen(box=A, n=2))
    hearing.recent.forget()
    hearing.listener._following = following
    assert await hearing.hears(Seen(box=B, n=3))
    assert hearing.folder.at["notification"] == 1
    await level(hearing.folder)
    assert {k: b.last_seen for k, b in (await store.rows()).items()} == {A: 2, B: 3}


async def test_what_another_process_heard_already_is_neither_heard_nor_folded_again(hearing: Ear, store: Store) -> None:
    assert not await hearing.hears(Seen(box=A, n=9), after=0)
    assert hearing.folder.at["notification"] == 1
    await level(hearing.folder)
    assert (await store.rows())[A].last_seen == 1


async def test_hearing_goes_on_where_a_read_model_was_made_anew_or_folded_by_another_process(
    hearing: Ear, store: Store
) -> None:
    await store.folder().rebuild()
    assert await hearing.hears(Seen(box=A, n=2))
    assert hearing.folder.at["notification"] == 1
    other = store.folder()
    await level(other)
    assert await hearing.hears(Seen(box=A, n=3))
    await level(hearing.folder)
    assert await hearing.heard() == [1, 2, 3]
    assert (await store.rows())[A].last_seen == 3


@pytest.mark.parametrize("wrong", [KeyError("evolve"), 2**40], ids=["folding", "storing"])
async def test_a_read_model_that_fails_does_not_keep_what_was_said_from_being_heard(
    store: Store, wrong: Any, hearing: Ear
) -> None:
    def fails(box: Box | None, heard: Heard, key: UUID) -> Box | None:
        if isinstance(wrong, Exception):
            raise wrong
        return replace(box or Box(box=key), held=wrong)  # more than the column holds

    stuck = ear(store, replace(VIEW, evolve=fails))
    stuck.folder.at, stuck.folder._read = hearing.folder.at, hearing.folder._read
    assert await stuck.hears(Seen(box=A, n=2), after=1)
    assert await stuck.heard() == [1, 2]
    assert stuck.folder.at["notification"] == 1
    hearing.folder.look()
    await level(hearing.folder)
    assert (await store.rows())[A].last_seen == 2


async def test_a_read_model_that_is_busy_or_locked_does_not_hold_up_what_is_heard(
    hearing: Ear, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "WITHIN", 0.1)
    async with hearing.folder.alone:
        assert await hearing.hears(Seen(box=A, n=2))
    assert hearing.folder.at["notification"] == 1
    async with store.pool.acquire() as c, c.transaction():
        await c.execute("lock table views.boxes in share row exclusive mode")
        assert await hearing.hears(Seen(box=A, n=3))
    assert await hearing.heard() == [1, 2, 3]
    hearing.folder.look()
    await level(hearing.folder)
    assert (await store.rows())[A].last_seen == 3


async def test_many_at_once_are_heard_alone(hearing: Ear) -> None:
    assert await hearing.hears(*(Seen(box=A, n=n) for n in range(MANY)))
    assert hearing.folder.at["notification"] == 1
    await level(hearing.folder)
    assert hearing.folder.at["notification"] == MANY + 1


async def test_of_two_processes_that_fold_at_once_none_counts_twice(store: Store) -> None:
    one, two = store.folder(), store.folder()
    for n in range(30):
        await store.add(Added(box=A, n=1, said=""))
        if n % 3 == 0:
            await asyncio.gather(one.step(), two.step())
    await asyncio.gather(level(one), level(two))
    assert (await store.rows())[A].held == 30
    assert one.at == two.at == {"plan": 30, "notification": 0}


async def test_two_processes_that_fold_two_sources_into_one_row_keep_what_both_saw(store: Store) -> None:
    """One is held up after it has read the row and before it writes it; the other comes from the other source."""
    one, two = store.folder(), store.folder(replace(VIEW, sources=("notification", "plan")))
    await store.add(Added(box=A, n=1, said=""))
    await level(one)
    await level(two)
    blocker = await asyncpg.connect(store.database.app_url)
    async with blocker.transaction():
        await blocker.execute("select from views.boxes where box = $1 for update", A)
        await store.add(Added(box=A, n=1, said=""))
        first = asyncio.create_task(one.step())
        await _waiting(blocker, 1)
        await store.hear(Seen(box=A, n=7))
        second = asyncio.create_task(two.step())
        await _waiting(blocker, 2)
    await first
    await second
    await blocker.close()
    assert (await store.rows())[A] == Box(box=A, held=2, last_seen=7, changed=NOW)


async def _waiting(connection: asyncpg.Connection, n: int) -> None:
    """Until `n` others wait for a lock."""
    async with asyncio.timeout(5):
        while n > (await connection.fetchval("select count(distinct pid) from pg_locks where not granted") or 0):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- promise 5 ---


class Load:
    """Writers and listeners at work, and everything they did, until they are stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.own: list[Any] = []
        self.theirs: list[Any] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        self._tasks = [asyncio.create_task(t) for t in (self._write(), self._hear())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop = True
        await asyncio.gather(*self._tasks)

    _stop = False

    async def _write(self) -> None:
        while not self._stop:
            n = len(self.own)
            fact = Emptied(box=UUID(int=n % 7)) if n % 31 == 30 else Added(box=UUID(int=n % 40), n=n, said="")
            self.own.append(fact)
            await self._store.add(fact)

    async def _hear(self) -> None:
        while not self._stop:
            fact = Seen(box=UUID(int=1000 + len(self.theirs) % 9), n=len(self.theirs))
            self.theirs.append(fact)
            await self._store.hear(fact)

    def wanted(self) -> dict[UUID, Box]:
        return reference(*(("plan", f) for f in self.own), *(("notification", f) for f in self.theirs))


@pytest.mark.parametrize("batch", [40, 10_000])
async def test_a_view_rebuilt_while_facts_arrive_is_identical(
    store: Store, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(rebuild, "BATCH", batch)
    monkeypatch.setattr(rebuild, "CACHED_ROWS", 5)
    one, two = store.folder(), store.folder()
    following = asyncio.create_task(Following([one], Pulse()).run(store.log.moved))
    async with Load(store) as load:
        for n in range(4):
            while len(load.own) < (n + 1) * 60:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert await two.rebuild() >= n * 60
    await level(two)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await level(one)
    assert await store.rows() == load.wanted()
    digest = await one.digest()
    assert await two.rebuild() == len(load.own) + len(load.theirs)
    assert await two.digest() == digest != ""


async def test_rows_written_wrongly_are_right_after_a_rebuild(store: Store) -> None:
    folder = store.folder()
    await store.add(Added(box=A, n=1, said=""))
    await level(folder)
    digest = await folder.digest()
    await store.pool.execute("update views.boxes set held = 99")
    await store.pool.execute("insert into views.boxes values ($1, 0, 0, 0, '')", B)
    assert await folder.digest() != digest
    await folder.rebuild()
    assert await folder.digest() == digest


async def test_what_a_follower_remembers_of_a_row_does_not_outlive_a_rebuild(store: Store) -> None:
    following, rebuilding = store.folder(), store.folder()
    await store.add(Added(box=A, n=1, said=""))
    await level(following)
    await store.pool.execute("update views.boxes set held = 99")
    again = store.folder()
    await store.add(Swapped(one=A, other=B))
    await level(again)  # this one has read the wrong row
    assert (await store.rows())[A].held == 99
    await rebuilding.rebuild()
    await store.add(Swapped(one=A, other=B))
    await level(again)
    assert (await store.rows())[A] == Box(box=A, held=1, swaps=2, changed=NOW)


async def test_more_rows_than_are_kept_in_memory_are_read_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "KEPT_ROWS", 4)
    folder = store.folder()
    for n in range(60):
        await store.add(Added(box=UUID(int=n % 9), n=1, said=""))
        await level(folder)
    assert sum(b.held for b in (await store.rows()).values()) == 60


async def test_a_rebuild_and_a_follower_do_not_wait_for_each_other(store: Store) -> None:
    """A follower that writes has the table and waits for the checkpoint; a rebuild that took them the other way round
    would stand still with it until the database ended one of the two."""
    folder = store.folder()
    await store.add(Added(box=A, n=1, said=""))
    await level(folder)
    following = asyncio.create_task(Following([folder], Pulse()).run(store.log.moved))
    async with Load(store) as load:
        async with asyncio.timeout(20):
            for _ in range(15):
                await store.folder().rebuild()
    async with asyncio.timeout(10):
        while folder.at != {"plan": len(load.own) + 1, "notification": len(load.theirs)}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert await store.rows() == reference(
        ("plan", Added(box=A, n=1, said="")), *(("plan", f) for f in load.own),
        *(("notification", f) for f in load.theirs),
    )  # fmt: skip


async def test_a_rebuilt_table_keeps_its_keys_indexes_and_columns(store: Store) -> None:
    async def form() -> list[Any]:
        columns = (
            "select column_name, data_type, is_nullable from information_schema.columns where table_name = 'boxes'"
        )
        indexes = (
            "select indisunique, indisprimary, indkey::text from pg_index where indrelid = 'views.boxes'::regclass"
        )
        return [sorted(map(tuple, await store.pool.fetch(q))) for q in (columns, indexes)]

    before = await form()
    for _ in range(3):
        await store.folder().rebuild()
    assert await form() == before
    assert await store.pool.fetchval("select to_regclass('views.boxes__shadow')") is None


async def test_a_rebuild_reads_the_database_alone_for_memory_may_end_before_what_others_wrote(store: Store) -> None:
    class Unread(Recent):
        def after(self, position: int, limit: int) -> Sequence[Any]:
            raise AssertionError

    await store.add(Added(box=A, n=1, said=""))
    folder = Folder(VIEW, "plan", store.pool, Decoder(CODECS), {"plan": Unread(), "notification": Unread()})
    assert await folder.rebuild() == 1
    assert (await store.rows())[A].held == 1


async def test_a_rebuild_that_was_cut_short_harms_nothing_and_can_be_done_again(store: Store) -> None:
    folder = store.folder()
    await store.add(Added(box=A, n=1, said=""))
    await level(folder)

    def cut(folded: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await folder.rebuild(cut)
    await store.add(Added(box=A, n=1, said=""))
    await level(folder)
    assert (await store.rows())[A].held == 2
    assert await folder.rebuild() == 2
    assert (await store.rows())[A].held == 2


async def test_of_two_rebuilds_of_one_view_at_once_the_second_is_refused(store: Store) -> None:
    folder = store.folder()
    await store.add(*(Added(box=UUID(int=n), n=n, said="") for n in range(50)))
    await level(folder)
    digest = await folder.digest()
    done = await asyncio.gather(folder.rebuild(), store.folder().rebuild(), return_exceptions=True)
    assert [type(d) for d in done if isinstance(d, Exception)] == [RebuildUnderWay]
    assert [d for d in done if isinstance(d, int)] == [50]
    assert await folder.rebuild() == 50  # the first one let go
    assert await folder.digest() == digest


async def test_a_view_that_is_stuck_does_not_hold_up_the_others(store: Store) -> None:
    tried: list[UUID] = []

    def stumble(box: Box | None, heard: Heard, key: UUID) -> Box | None:
        tried.append(key)
        raise ZeroDivisionError

    stuck, well = store.folder(replace(VIEW, name="stuck", evolve=stumble)), store.folder()
    following = asyncio.create_task(Following([stuck, well], Pulse()).run(store.log.moved))
    for n in range(1, 21):
        await store.add(Added(box=UUID(int=n), n=1, said=""))
        async with asyncio.timeout(0.9):  # less than the pause of the one that is stuck
            while well.at["plan"] < n:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert 0 < len(tried) < 20


async def test_a_reader_sees_old_or_new_rows_but_never_none(store: Store) -> None:
    folder = store.folder()
    await store.add(*(Added(box=UUID(int=n), n=n, said="") for n in range(50)))
    await level(folder)
    counts: set[int] = set()
    done = asyncio.Event()

    async def read() -> None:
        while not done.is_set():
            counts.add(await store.pool.fetchval("select count(*) from views.boxes"))

    reading = asyncio.create_task(read())
    for _ in range(5):
        await folder.rebuild()
    done.set()
    await reading
    assert counts == {50}
