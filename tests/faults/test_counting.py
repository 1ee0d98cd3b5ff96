"""Does the comparison at the end of a run see every kind of fault? One fault is put in at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.faults.check import Evidence, Mark, Noted, Told, compare
from tests.faults.ledger import Account, Ledger, read
from tests.faults.services import AT_ONCE, RUNG, SEVERAL, linked
from tests.faults.strikes import KINDS, plan

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RINGS = (RUNG, 2 * RUNG)
"""Two commands whose facts ask for a reaction; the next one adds several facts."""
NUMBERS = (1, RINGS[0], 2, 5, RINGS[1], SEVERAL, SEVERAL, SEVERAL)


def told(position: int, n: int) -> Told:
    name = "Rung" if n in RINGS else "Counted"
    part = (position - NUMBERS.index(n) - 1) if n == SEVERAL else 0
    return Told(position=position, stream="sheet-1", event_id=UUID(int=position), name=name, n=n, part=part,
                recorded_at=NOW + timedelta(seconds=position))  # fmt: skip


LOG = [told(position, n) for position, n in enumerate(NUMBERS, 1)]
ASKED = [t.position for t in LOG if t.name == "Rung"]
COPY = [(t.position, str(t.event_id)) for t in LOG]
ACKNOWLEDGED = {t.n: t.position for t in LOG}


def chain(log: list[Told]) -> str:
    value = ""
    for t in log:
        value = linked(value, t.event_id)
    return value


RIGHT = Evidence(
    accounts=[Account(asked=dict.fromkeys(ACKNOWLEDGED, 1), acknowledged=ACKNOWLEDGED)],
    log=LOG, head=len(LOG), stream=COPY, heard=COPY,
    noted=[Noted(stream="book-1", position=p) for p in ASKED],
    chains={"sheet-1": chain(LOG)}, marks=[Mark(moment=NOW + timedelta(seconds=3.5), position=3)],
)  # fmt: skip


def found(**wrong: object) -> dict[str, int]:
    return {what: n for what, n in compare(replace(RIGHT, **wrong)).counts.items() if n}  # type: ignore[arg-type]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert len(LOG) == 5 + AT_ONCE
    assert found() == {}


def test_what_was_acknowledged_and_is_not_in_the_log_is_lost() -> None:
    assert found(accounts=[Account(acknowledged={**ACKNOWLEDGED, 77: 6})]) == {"lost": 1}


def test_an_acknowledgement_that_names_another_position_is_a_gap() -> None:
    assert found(accounts=[Account(acknowledged={1: 2})]) == {"gaps": 1}


def test_a_command_that_was_done_twice_is_doubled() -> None:
    again = [*LOG, replace(told(9, 1), part=0)]
    copy = [*COPY, (9, str(UUID(int=9)))]
    seen = found(log=again, head=9, stream=copy, heard=copy, chains={"sheet-1": chain(again)}, accounts=[])
    assert seen == {"doubled": 1, "reordered": 1}


def test_a_position_without_a_fact_is_a_gap_and_so_is_a_head_beyond_the_last() -> None:
    assert found(head=9)["gaps"] == 1
    assert found(log=LOG[:2] + LOG[3:], accounts=[])["gaps"] >= 1


def test_a_recorded_time_that_goes_back_is_out_of_order() -> None:
    assert found(log=[*LOG[:3], replace(LOG[3], recorded_at=NOW), *LOG[4:]], marks=[]) == {"reordered": 1}


@pytest.mark.parametrize("copy", ["stream", "heard"])
def test_a_copy_that_misses_doubles_or_swaps_is_noticed(copy: str) -> None:
    first, second, *rest = COPY
    assert found(**{copy: [first, *rest]}) == {"lost": 1}
    assert found(**{copy: [*COPY, (9, first[1])]}) == {"doubled": 1, "reordered": 1, "gaps": 1}
    swapped = [(first[0], second[1]), (second[0], first[1]), *rest]
    assert found(**{copy: swapped}) == {"reordered": 1, "gaps": 2}


def test_a_reaction_that_is_missing_doubled_or_out_of_order_is_noticed() -> None:
    one, other = RIGHT.noted
    assert found(noted=[one]) == {"lost": 1}
    assert found(noted=[one, other, other]) == {"doubled": 1}
    assert found(noted=[other, one]) == {"reordered": 1}
    assert found(noted=[one, other, Noted(stream="book-1", position=8)]) == {"gaps": 1}


def test_a_read_model_that_differs_from_a_fold_of_the_log_is_noticed() -> None:
    assert found(chains={"sheet-1": chain(LOG[:-1])}) == {"gaps": 1}
    assert found(chains={}) == {"gaps": 1}


def test_a_moment_that_was_called_complete_too_early_is_noticed() -> None:
    assert found(marks=[Mark(moment=NOW + timedelta(seconds=4.5), position=3)]) == {"reordered": 1}


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


def test_the_document_names_every_kind_of_strike() -> None:
    text = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert set(KINDS) <= set(rows)
