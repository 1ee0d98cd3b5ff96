"""docs/benchmarks.md may not promise what the bench does not measure, nor the other way round."""

import json
import re
from pathlib import Path

import pytest
from tests.bench.document import PAGE, SEEN, block
from tests.bench.figures import BY_NAME, FIGURES, Figure
from tests.bench.pairs import PAIRS
from tests.bench.run import ROUNDS

ROOT = Path(__file__).parents[2]
DOCUMENT = PAGE.read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([<>]= [\d.]+) \| ([\d.]+|–) \| ([\d.,]+) \|", re.MULTILINE)
ROWS = {name: (threshold, goal, seen) for name, threshold, goal, seen in ROW.findall(DOCUMENT)}
FILES = re.findall(r"\]\(\.\./(tests/bench/[\w/.]+)\)", DOCUMENT)


def test_the_document_names_every_figure_and_no_other() -> None:
    assert list(ROWS) == list(BY_NAME)


def test_the_bench_measures_every_figure_once() -> None:
    assert [pair.figure for pair in PAIRS] == list(BY_NAME)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)
def test_thresholds_and_goals_are_those_of_the_code(figure: Figure) -> None:
    goal = "–" if figure.goal is None else f"{figure.goal:g}"
    assert ROWS[figure.name][:2] == (figure.threshold, goal)


def test_the_number_of_rounds_is_that_of_the_code() -> None:
    words = {3: "three", 5: "five", 7: "seven"}
    assert f"median of {words[ROUNDS]} alternating rounds" in " ".join(DOCUMENT.split())


def test_every_rival_is_shown_and_every_file_named_exists() -> None:
    halves = [half for pair in PAIRS for half in (pair.rival, pair.ours) if half]
    wanted = {f"tests/bench/{half.module.replace('.', '/')}.py" for half in halves}
    assert wanted <= set(FILES)
    assert [f for f in FILES if not (ROOT / f).exists()] == []


def test_numbers_shown_are_those_of_the_run_that_is_kept() -> None:
    seen = json.loads(SEEN.read_text())
    assert block(seen) in DOCUMENT
