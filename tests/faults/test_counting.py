"""Does the comparison at the end of a run see every kind of fault? One fault is put in at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.faults.check import Ask, Copied, Evidence, Mark, Told, Written, compare
from tests.faults.ledger import Account, Ledger, read
from tests.faults.played import BROKEN
from tests.faults.run import Options, passes
from tests.faults.services import (
    CASES,
    IN_ORDER,
    PER_WRITER,
    SERVICES,
    WRITTEN,
    asked,
    case_of,
    command_id,
    first_of,
    person_of,
)
from tests.faults.strikes import KINDS, plan

from chassis.decider import Aggregate
from meeting_service.domain.heard import NoteCase
from meeting_service.domain.meetings import meetings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEVERAL = 4
"""The command that adds several facts."""
NUMBERS = (1, 2, 3, SEVERAL, SEVERAL, SEVERAL, 5)
"""Which command each fact of the source's log came of."""
RUNG = (2, 5)
"""Commands to whose fact the hearer reacts, the first time with two commands."""


def event(position: int) -> UUID:
    return UUID(int=position)


def told(position: int, n: int) -> Told:
    return Told(position=position, stream="case-1", version=position, event_id=event(position),
                correlation=command_id("case", n), causation=None,
                recorded_at=NOW + timedelta(seconds=position))  # fmt: skip


LOG = [told(position, n) for position, n in enumerate(NUMBERS, 1)]
COPY = [(t.position, str(t.event_id)) for t in LOG]
ACKNOWLEDGED = {n: max(i for i, m in enumerate(NUMBERS, 1) if m == n) for n in dict.fromkeys(NUMBERS)}
FACTS = {n: NUMBERS.count(n) for n in ACKNOWLEDGED}


def answered(position: int, because_of: int) -> Told:
    """A fact of the hearer, added because of the source's fact at `because_of`."""
    return Told(position=position, stream="book-1", version=position, event_id=event(1000 + position),
                correlation=command_id("case", NUMBERS[because_of - 1]), causation=event(because_of),
                recorded_at=NOW + timedelta(seconds=100 + position))  # fmt: skip


ANSWERS = [answered(1, 2), answered(2, 2), answered(3, 2), answered(4, 7)]
"""One command added the first fact, another two more, a third the last."""
ASKS = [Ask(command_id=event(2000 + n), stream="book-1") for n in range(4)]
DONE = {ASKS[0].command_id: (1, 1), ASKS[1].command_id: (3, 3), ASKS[2].command_id: (4, 4), ASKS[3].command_id: (4, 4)}
"""The last of them changed nothing."""


def copy_of(log: Sequence[Told]) -> list[tuple[int, str]]:
    return [(t.position, str(t.event_id)) for t in log]


SOURCE = Written(
    service="case", accounts=[Account(asked=FACTS, acknowledged=ACKNOWLEDGED)], log=LOG, head=len(LOG), commands={},
    stream=COPY, stale=(), set_aside=0,
)  # fmt: skip
HEARER = Written(
    service="plan", accounts=[], log=ANSWERS, head=len(ANSWERS), commands=DONE, stream=copy_of(ANSWERS), stale=(),
    set_aside=0,
)  # fmt: skip
COPIED = Copied(
    hearer="plan", source="case", heard=COPY, asks=ASKS, marks=[Mark(moment=NOW + timedelta(seconds=3.5), position=3)]
)


def counted(source: Written = SOURCE, hearer: Written = HEARER, copied: Copied = COPIED) -> dict[str, int]:
    evidence = Evidence(written={"case": source, "plan": hearer}, copied=[copied])
    return {what: n for what, n in compare(evidence).counts.items() if n}


def in_source(**wrong: object) -> dict[str, int]:
    return counted(source=replace(SOURCE, **wrong))  # type: ignore[arg-type]


def in_hearer(**wrong: object) -> dict[str, int]:
    return counted(hearer=replace(HEARER, **wrong))  # type: ignore[arg-type]


def in_copy(**wrong: object) -> dict[str, int]:
    return counted(copied=replace(COPIED, **wrong))  # type: ignore[arg-type]


def with_answers(*log: Told) -> dict[str, int]:
    return in_hearer(log=log, head=len(log), stream=copy_of(log))


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert len(LOG) == len(ACKNOWLEDGED) + 2
    assert counted() == {}


def test_what_was_acknowledged_and_is_not_in_the_log_is_lost() -> None:
    account = Account(asked={**FACTS, 77: 3}, acknowledged={**ACKNOWLEDGED, 77: 6})
    assert in_source(accounts=[account]) == {"lost": 3}


def test_an_acknowledgement_that_names_another_position_is_a_gap() -> None:
    assert in_source(accounts=[Account(asked={1: 1}, acknowledged={1: 2})]) == {"gaps": 1}


def test_a_command_that_was_done_twice_is_doubled_and_one_done_by_half_is_lost() -> None:
    again = [*LOG, told(8, 1)]
    more = counted(source=replace(SOURCE, log=again, head=8, stream=copy_of(again)),
                   copied=replace(COPIED, heard=copy_of(again)))  # fmt: skip
    assert more == {"doubled": 1, "reordered": 1, "gaps": 1}
    half = Account(asked={**FACTS, SEVERAL: 4}, acknowledged=ACKNOWLEDGED)
    assert in_source(accounts=[half]) == {"lost": 1}


def test_a_position_without_a_fact_is_a_gap_and_so_is_a_head_beyond_the_last() -> None:
    assert in_source(head=8) == {"gaps": 1}
    assert in_source(log=LOG[:2] + LOG[3:], accounts=[])["gaps"] >= 1


def test_versions_of_a_stream_that_leave_one_out_are_a_gap() -> None:
    assert in_source(log=[*LOG[:-1], replace(LOG[-1], version=9)]) == {"gaps": 1}


def test_a_recorded_time_that_goes_back_is_out_of_order() -> None:
    back = [*LOG[:3], replace(LOG[3], recorded_at=NOW), *LOG[4:]]
    assert counted(replace(SOURCE, log=back), copied=replace(COPIED, marks=[])) == {"reordered": 1}


@pytest.mark.parametrize("broken", [lambda c: in_source(stream=c), lambda c: in_copy(heard=c)], ids=["stream", "heard"])
def test_a_copy_that_misses_doubles_or_swaps_is_noticed(broken: Callable[[object], dict[str, int]]) -> None:
    first, second, *rest = COPY
    assert broken([first, *rest]) == {"lost": 1}
    assert broken([*COPY, (8, first[1])]) == {"doubled": 1, "reordered": 1, "gaps": 1}
    assert broken([(first[0], second[1]), (second[0], first[1]), *rest]) == {"reordered": 1, "gaps": 2}


def test_a_reaction_that_was_not_done_is_lost_and_so_is_a_message_that_was_set_aside() -> None:
    assert in_hearer(commands={k: v for k, v in DONE.items() if k != ASKS[3].command_id}) == {"lost": 1}
    assert in_hearer(set_aside=2) == {"lost": 2}


def test_a_reaction_that_was_done_again_is_doubled() -> None:
    assert with_answers(*ANSWERS, answered(5, 7)) == {"doubled": 1}
    later = [*ANSWERS[:3], answered(4, 7), answered(5, 2)]
    assert with_answers(*later) == {"doubled": 1, "reordered": 1}


def test_reactions_on_a_stream_in_another_order_than_what_was_told_are_noticed() -> None:
    turned = [answered(1, 7), answered(2, 2), answered(3, 2), answered(4, 2)]
    done = dict(zip(DONE, [(2, 2), (4, 4), (1, 1), (1, 1)], strict=True))
    seen = counted(hearer=replace(HEARER, log=turned, stream=copy_of(turned), commands=done))
    assert seen == {"reordered": 3}


def test_a_read_model_that_differs_from_a_fold_of_the_log_is_noticed() -> None:
    assert in_hearer(stale=["employments"]) == {"gaps": 1}


def test_a_moment_that_was_called_complete_too_early_is_noticed() -> None:
    assert in_copy(marks=[Mark(moment=NOW + timedelta(seconds=4.5), position=3)]) == {"reordered": 1}


# --- what the writers ask ---


@pytest.mark.parametrize("service", WRITTEN)
def test_every_command_adds_the_facts_it_says_whichever_was_before(service: str) -> None:
    """Rules alone, without a log: all that must come first, then two writers one after the other."""
    states: dict[str, Any] = {}
    for k in range(CASES if service == "meeting" else 0):
        noted = NoteCase(case_id=case_of(k), person_ref=person_of(k), employers=())
        assert added(states, meetings, case_of(k), noted) == 1
    numbers = [*first_of(service), *(PER_WRITER + i for i in range(600)), *(2 * PER_WRITER + i for i in range(600))]
    for n in numbers:
        what = asked(service, n, NOW)
        assert added(states, what.aggregate, what.id, what.command) == what.facts, n


def added(states: dict[str, Any], aggregate: Aggregate[Any, Any, Any], id: UUID, command: Any) -> int:
    stream = aggregate.stream(id)
    state = states.get(stream, aggregate.decider.initial)
    facts = aggregate.decider.decide(command, state)
    states[stream] = aggregate.decider.fold(facts, state)
    return len(facts)


def test_commands_of_one_turn_are_about_one_case() -> None:
    for service in WRITTEN:
        turn = [asked(service, PER_WRITER + n, NOW) for n in range(IN_ORDER)]
        assert len({what.case_id for what in turn}) == 1


def test_a_ledger_forgets_nothing_but_a_line_that_was_cut_off(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.ask(1, 7)
    ledger.acknowledge(1, 40)
    ledger.ask(2, 8)
    with (tmp_path / "ledger").open("ab") as file:
        file.write(b"= 2 4")
    later = Ledger(tmp_path / "ledger")
    assert later.account == Account(asked={1: 7, 2: 8}, acknowledged={1: 40})
    assert later.account.open() == {2: 8}
    later.acknowledge(2, 41)
    assert read(tmp_path / "ledger").open() == {}


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_follows_from_its_seed_and_has_every_kind(seed: int) -> None:
    one = plan(seed, 2)
    assert one == plan(seed, 2)
    kinds = [s.kind for s in one]
    assert len(kinds) == len(KINDS) + 2
    assert set(kinds) == set(KINDS)
    assert kinds.index("nats") < kinds.index("store_rolled_back")


GOOD: dict[str, Any] = {
    "acknowledged": 5000, "kills": dict.fromkeys(KINDS, 5), **dict.fromkeys(BROKEN, 0), "unfinished": 0,
}  # fmt: skip
"""What 25 runs tell that show what they have to."""

WORSE: list[dict[str, Any]] = [
    {"acknowledged": 4999}, {"kills": {**GOOD["kills"], "postgres": 4}}, {"unfinished": 1},
    *({what: 1} for what in BROKEN),
]  # fmt: skip


@pytest.mark.parametrize("worse", WORSE, ids=lambda w: next(iter(w)))
def test_runs_pass_only_when_enough_was_struck_and_all_got_to_the_end(worse: dict[str, Any], tmp_path: Path) -> None:
    options = Options(25, 1, 5000, (), KINDS, tmp_path, False)
    assert passes(options, GOOD)
    assert not passes(options, GOOD | worse)


def test_every_service_has_its_parts_struck() -> None:
    parts = {kind.rpartition("_") for kind in KINDS if kind.partition("_")[0] in SERVICES}
    assert {service for service, _, role in parts if role == "relay"} == set(SERVICES)
    assert {service for service, _, role in parts if role == "listener"} == set(SERVICES)
    assert {service for service, _, role in parts if role == "writer"} == set(WRITTEN)


def test_the_document_names_every_kind_of_strike() -> None:
    text = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    assert set(KINDS) <= {kind.strip() for row in rows for kind in row.split(",")}
