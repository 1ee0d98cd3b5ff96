"""Load, decide, append: nobody is refused on a stale copy, nothing is done twice, nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import perform
from chassis.classes import Coded, DataClass
from chassis.codec import Codec, NotACode
from chassis.decider import Aggregate, Decider, NotAnId, Refused, record
from chassis.envelope import Actor, from_headers
from chassis.facts import Fact, Facts
from chassis.keys import MemoryKeys, PersonForgotten
from chassis.log import Append, Conflict, Key, Log, Stored, Verdict
from chassis.memory import MemoryLog
from chassis.perform import Context, KeyReused, Performer, Stale, StillMoving
from chassis.postgres import PostgresLog
from chassis.testing_stack import Databases, core_schema

P, W = DataClass.P, DataClass.W
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WHO = Actor(org_type="FK", org_id="2021005521", role="fk.handler", user_ref="u-1")
CONTEXT = Context(actor=WHO, now=NOW)
ANNA = UUID(int=7)


@record
class Opened:
    by: Annotated[UUID, P]
    said: Annotated[str, W]


@record
class Shut:
    mark: Annotated[str, P, Coded("[a-z]*")]


@record
class Passed:
    n: Annotated[int, P]


FACTS = Facts(
    "plan",
    [Fact("Opened", 1, Opened, person="by"), Fact("Shut", 1, Shut, linked=False), Fact("Passed", 1, Passed)],
)


@record
class Gate:
    open: bool = False
    passed: int = 0
    said: str = ""


@record
class Open:
    said: str = "hello"


@record
class Close:
    mark: str = ""


@record
class Pass:
    pass


@record
class Stumble:
    pass


class GateShut(Refused):
    reason = "The gate is shut."


def decide(command: Any, gate: Gate) -> Sequence[Any]:
    match command:
        case Open():
            return [] if gate.open else [Opened(by=ANNA, said=command.said)]
        case Close():
            return [Shut(mark=command.mark)] if gate.open else []
        case Pass() if gate.open:
            return [Passed(n=gate.passed + 1)]
        case Pass():
            raise GateShut
        case _:
            raise ZeroDivisionError


def evolve(gate: Gate, fact: Any) -> Gate:
    match fact:
        case Opened(said=said):
            return Gate(open=True, passed=gate.passed, said=said)
        case Shut():
            return Gate(open=False, passed=gate.passed, said=gate.said)
        case _:
            return Gate(open=gate.open, passed=gate.passed + 1, said=gate.said)


GATE: Aggregate[Any, Gate, Any] = Aggregate("gate", Decider(initial=Gate(), decide=decide, evolve=evolve))


@pytest.fixture(scope="module")
async def postgres_log(database: Databases) -> AsyncIterator[PostgresLog]:
    made = await database("log", setup=core_schema)
    pool = await asyncpg.create_pool(made.app_url, min_size=1, max_size=4)
    log = PostgresLog(made.app_url, pool, lambda: NOW)
    await log.start()
    yield log
    await log.stop()
    await pool.close()


class Both:
    """Two processes of one service on one log, each with its own cache."""

    def __init__(self, log: Log) -> None:
        self.log, self.keys = log, MemoryKeys()
        self.one, self.two, self.fresh = (Performer(log, Codec(FACTS), self.keys) for _ in range(3))

    async def passed(self, id: UUID) -> int:
        return (await self.fresh.load(GATE, id))[0].passed


@pytest.fixture(params=["memory", "postgres"])
def both(request: pytest.FixtureRequest, postgres_log: PostgresLog) -> Both:
    return Both(MemoryLog(lambda: NOW) if request.param == "memory" else postgres_log)


@pytest.fixture
def id() -> UUID:
    return uuid4()


# --- the copy in memory ---


async def test_nobody_is_refused_on_a_stale_copy(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.one(GATE, id, Close(), CONTEXT)
    await both.two(GATE, id, Open(), CONTEXT)
    done = await both.one(GATE, id, Pass(), CONTEXT)  # one's copy says shut
    assert (done.version, [f.n for f in done.facts]) == (4, [1])


async def test_nothing_is_let_through_on_a_stale_copy(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.two(GATE, id, Close(), CONTEXT)
    with pytest.raises(GateShut):
        await both.one(GATE, id, Pass(), CONTEXT)  # one's copy says open
    assert await both.passed(id) == 0


async def test_nothing_is_taken_for_done_on_a_stale_copy(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.two(GATE, id, Close(), CONTEXT)
    done = await both.one(GATE, id, Open(), CONTEXT)  # one's copy says that it is open already
    assert (done.version, len(done.facts)) == (3, 1)


async def test_a_loaded_state_is_the_newest(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.one(GATE, id, Pass(), CONTEXT)
    await both.two(GATE, id, Pass(), CONTEXT)
    state, version = await both.one.load(GATE, id)
    assert (state, version) == (Gate(open=True, passed=2, said="hello"), 3)
    assert await both.one.load(GATE, uuid4()) == (Gate(), 0)


async def test_a_command_whose_stream_moved_on_is_decided_anew(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    done = await asyncio.gather(*(p(GATE, id, Pass(), CONTEXT) for p in (both.one, both.two) for _ in range(3)))
    assert sorted(f.n for d in done for f in d.facts) == [1, 2, 3, 4, 5, 6]
    assert await both.passed(id) == 6


async def test_a_stream_that_never_rests_is_given_up_in_words(both: Both, id: UUID) -> None:
    class Moving(MemoryLog):
        asked = 0

        async def append(self, request: Append) -> Verdict:
            self.asked += 1
            return Conflict(request.stream, request.expected + 1)

    log = Moving()
    with pytest.raises(StillMoving):
        await Performer(log, Codec(FACTS), MemoryKeys())(GATE, id, Open(), CONTEXT)
    assert log.asked == perform.TRIES


async def test_memory_is_bounded_and_can_be_emptied(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "CACHED", 3)
    ids = [uuid4() for _ in range(6)]
    for id in ids:
        await both.one(GATE, id, Open(), CONTEXT)
    await both.one(GATE, ids[3], Pass(), CONTEXT)  # used just now, so it stays longest
    await both.one(GATE, uuid4(), Open(), CONTEXT)
    assert list(both.one._cache)[:2] == [f"gate-{i}" for i in (ids[5], ids[3])]
    await both.one(GATE, ids[0], Pass(), CONTEXT)
    assert await both.passed(ids[0]) == 1
    both.one.forget_states()
    assert not both.one._cache


async def test_a_stream_made_just_now_is_not_read(id: UUID) -> None:
    class Unread(MemoryLog):
        async def stream(self, stream: str, after: int = 0) -> Sequence[Stored]:
            raise AssertionError(stream)

    done = await Performer(Unread(), Codec(FACTS), MemoryKeys())(GATE, id, Open(), CONTEXT, new=True)
    assert done.version == 1


# --- keys ---


def key(body: bytes = b"body", answer: bytes = b'{"id":"1"}', id: UUID | None = None) -> Key:
    return Key(id or uuid4(), body, answer)


async def test_the_same_command_gets_its_first_answer_and_adds_nothing(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    first = await both.one(GATE, id, Pass(), CONTEXT, key=k)
    await both.one(GATE, id, Pass(), CONTEXT)
    for p in (both.one, both.two):
        again = await p(GATE, id, Pass(), CONTEXT, key=key(answer=b'{"id":"2"}', id=k.id))
        assert (again.answer, again.version, again.position) == ({"id": "1"}, first.version, first.position)
        assert (again.repeated, first.repeated) == (True, False)
    assert await both.passed(id) == 2


async def test_the_first_answer_comes_also_when_the_rules_would_refuse_today(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    await both.one(GATE, id, Pass(), CONTEXT, key=k)
    await both.one(GATE, id, Close(), CONTEXT)
    for p in (both.one, both.two):
        again = await p(GATE, id, Pass(), CONTEXT, key=k)
        assert (again.answer, again.version, again.repeated) == ({"id": "1"}, 2, True)
        with pytest.raises(GateShut):
            await p(GATE, id, Pass(), CONTEXT, key=key())


async def test_a_key_is_not_lent_to_another_request(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    await both.one(GATE, id, Pass(), CONTEXT, key=k)
    for command in (Pass(), Open(), Close()):
        with pytest.raises(KeyReused):
            await both.two(GATE, id, command, CONTEXT, key=key(b"other", id=k.id))
    await both.one(GATE, id, Close(), CONTEXT)
    with pytest.raises(KeyReused):  # also where the rules refuse
        await both.two(GATE, id, Pass(), CONTEXT, key=key(b"other", id=k.id))
    with pytest.raises(KeyReused):  # also on another stream
        await both.two(GATE, uuid4(), Open(), CONTEXT, key=key(b"other", id=k.id))


async def test_a_command_of_the_service_itself_is_not_compared_by_body(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = uuid4()
    await both.one(GATE, id, Pass(), CONTEXT, key=Key(k))
    assert (await both.two(GATE, id, Pass(), CONTEXT, key=Key(k))).repeated
    assert await both.passed(id) == 1


async def test_a_refusal_is_not_kept(both: Both, id: UUID) -> None:
    k = key()
    with pytest.raises(GateShut):
        await both.one(GATE, id, Pass(), CONTEXT, key=k)
    await both.two(GATE, id, Open(), CONTEXT)
    done = await both.one(GATE, id, Pass(), CONTEXT, key=k)
    assert (done.repeated, done.answer, len(done.facts)) == (False, {"id": "1"}, 1)


async def test_that_nothing_had_to_be_done_is_kept_too(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    first = await both.one(GATE, id, Open(), CONTEXT, key=k)
    assert (first.version, first.repeated, first.facts) == (1, False, [])
    await both.one(GATE, id, Close(), CONTEXT)
    again = await both.two(GATE, id, Open(), CONTEXT, key=k)
    assert (again.repeated, again.answer, again.version) == (True, {"id": "1"}, 1)
    assert (await both.fresh.load(GATE, id))[0].open is False


async def test_the_same_command_twice_at_once_is_done_once(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    done = await asyncio.gather(*(p(GATE, id, Pass(), CONTEXT, key=k) for p in (both.one, both.two) for _ in range(4)))
    assert sorted(d.repeated for d in done) == [False, *[True] * 7]
    assert {d.version for d in done} == {2}
    assert await both.passed(id) == 1


async def test_a_repeated_command_for_a_new_stream_answers_with_the_first_stream(both: Both) -> None:
    k, first, second = uuid4(), uuid4(), uuid4()
    await both.one(GATE, first, Open(), CONTEXT, key=key(answer=b'{"gate":"first"}', id=k), new=True)
    again = await both.one(GATE, second, Open(), CONTEXT, key=key(answer=b'{"gate":"second"}', id=k), new=True)
    assert again.answer == {"gate": "first"}
    assert await both.fresh.load(GATE, second) == (Gate(), 0)


# --- versions ---


async def test_a_change_of_what_was_seen_is_done(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.two(GATE, id, Pass(), CONTEXT)
    assert (await both.one(GATE, id, Pass(), CONTEXT, if_match=2)).version == 3  # one's copy is at 1


async def test_a_change_of_what_has_changed_meanwhile_is_not(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.two(GATE, id, Pass(), CONTEXT)
    for p in (both.one, both.two):
        for seen in (0, 1, 3):
            with pytest.raises(Stale):
                await p(GATE, id, Pass(), CONTEXT, if_match=seen)
    assert await both.passed(id) == 1


async def test_of_two_who_saw_the_same_one_is_too_late(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    await both.two.load(GATE, id)
    done = await asyncio.gather(
        *(p(GATE, id, Pass(), CONTEXT, if_match=1) for p in (both.one, both.two)), return_exceptions=True
    )
    assert sorted(type(d).__name__ for d in done) == ["Done", "Stale"]


async def test_a_repeated_change_gets_its_first_answer_though_its_version_is_old(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    k = key()
    await both.one(GATE, id, Pass(), CONTEXT, key=k, if_match=1)
    for p in (both.one, both.two):
        assert (await p(GATE, id, Pass(), CONTEXT, key=k, if_match=1)).repeated


async def test_a_guard_that_no_longer_holds_is_a_refusal_and_adds_nothing(both: Both, id: UUID) -> None:
    other = uuid4()
    await both.one(GATE, other, Open(), CONTEXT)
    with pytest.raises(StillMoving):
        await both.one(GATE, id, Open(), CONTEXT, guards=[(GATE.stream(other), 0)])
    assert await both.fresh.load(GATE, id) == (Gate(), 0)
    assert (await both.one(GATE, id, Open(), CONTEXT, guards=[(GATE.stream(other), 1)])).version == 1


# --- what is stored ---


async def test_a_fact_says_who_did_it_when_and_because_of_what(both: Both, id: UUID) -> None:
    context = Context(actor=WHO, now=NOW, case_id=uuid4(), correlation_id=uuid4(), causation_id=uuid4(),
                      legal_basis="SFB 30:6", consent_ids=(uuid4(), uuid4()))  # fmt: skip
    await both.one(GATE, id, Open(), context)
    ((stored, fact),) = await both.one.facts(GATE, id)
    e = from_headers(stored.envelope)
    assert fact == Opened(by=ANNA, said="hello")
    assert (e.event_id, e.occurred_at, e.actor) == (stored.event_id, NOW, WHO)
    for name in ("case_id", "correlation_id", "causation_id", "legal_basis", "consent_ids"):
        assert getattr(e, name) == getattr(context, name)


async def test_a_fact_that_must_not_lead_anywhere_keeps_no_link(
    both: Both, id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perform, "current_traceparent", lambda: f"00-{'a' * 32}-{'b' * 16}-01")
    context = Context(actor=WHO, now=NOW, case_id=uuid4(), correlation_id=uuid4(), causation_id=uuid4(),
                      legal_basis="SFB 30:6", consent_ids=(uuid4(),))  # fmt: skip
    await both.one(GATE, id, Open(), context)
    await both.one(GATE, id, Close(), context)
    opened, shut = [from_headers(stored.envelope) for stored, _ in await both.one.facts(GATE, id)]
    assert opened.traceparent is not None
    assert (shut.case_id, shut.correlation_id, shut.causation_id, shut.traceparent) == (None, None, None, None)
    assert (shut.consent_ids, shut.legal_basis, shut.actor, shut.occurred_at) == ((), "SFB 30:6", WHO, NOW)


async def test_text_is_sealed_under_the_persons_key_in_its_place(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(said="Anna is ill"), CONTEXT)
    (stored,) = await both.log.stream(GATE.stream(id))
    assert stored.subject == ANNA
    assert stored.sealed is not None
    assert b"Anna" not in stored.data + stored.sealed + stored.envelope
    assert await both.keys.open(ANNA, stored.event_id.bytes, stored.sealed) == b'{"said":"Anna is ill"}'


async def test_what_was_sealed_is_blank_once_the_person_is_forgotten(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(said="Anna is ill"), CONTEXT)
    await both.keys.forget(ANNA)
    assert await both.fresh.load(GATE, id) == (Gate(open=True, said=""), 1)
    await both.fresh(GATE, id, Pass(), CONTEXT)  # what needs no seal goes on
    await both.fresh(GATE, id, Close(), CONTEXT)
    with pytest.raises(PersonForgotten):
        await both.fresh(GATE, id, Open(), CONTEXT)


async def test_prose_where_a_code_belongs_is_not_stored(both: Both, id: UUID) -> None:
    await both.one(GATE, id, Open(), CONTEXT)
    with pytest.raises(NotACode):
        await both.one(GATE, id, Close(mark="Anna is ill"), CONTEXT)
    assert (await both.fresh.load(GATE, id))[1] == 1


async def test_an_error_in_the_rules_stores_nothing(both: Both, id: UUID) -> None:
    head = await both.log.head()
    with pytest.raises(ZeroDivisionError):
        await both.one(GATE, id, Stumble(), CONTEXT, key=key())
    assert await both.log.head() == head


@pytest.mark.parametrize("wrong", ["", "a b", "a\r\nce-type: Forged", "a\x00", "å", "x" * 201, "a\u2028b"])
async def test_an_id_that_could_break_a_header_is_refused(both: Both, wrong: str) -> None:
    for attempt in (both.one(GATE, wrong, Open(), CONTEXT), both.one.load(GATE, wrong)):
        with pytest.raises(NotAnId) as refusal:
            await attempt
        assert not wrong or wrong not in str(refusal.value)
