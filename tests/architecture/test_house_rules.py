"""Does the house keep its own rules? Rooms are called after what they know, the chassis knows no business, every module
says which question it answers."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAYS = ("shared", "services", "deploy", "tests")
VAGUE = {"utils", "helpers", "common", "models", "managers"}
NOUNS_OF = {
    "plan-service": r"employment|employer|plan_|activit|supervision|\btip",
    "notification-service": r"deadline|reminder|escalat|agenda",
    "case-service": r"sick|spell|rehab|referral|certificate|koordinering|milestone|incapacit|insured|consent"
    r"|case_?(?:opened|closed|reopened|assigned|extended|service)",
    "meeting-service": r"meeting|participant|invit|attend|joint_?assess|agreement|proposal|minutes_",
}
NOUNS = re.compile("|".join(NOUNS_OF.values()), re.IGNORECASE)
NOT_BUSINESS = re.compile(r"\bplan_cache_mode\b|consent_?ids|\bconsents\b", re.IGNORECASE)
"""PostgreSQL's own setting for query plans; the envelope's header that says on which consents a fact rests."""


def _below(*patterns: str) -> list[Path]:
    found = (path for way in WAYS for pattern in patterns for path in (ROOT / way).rglob(pattern))
    return sorted({p for p in found if not {"__pycache__", "node_modules", ".venv"} & set(p.parts)})


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


MODULES = [p for p in _below("*.py") if "src" in p.relative_to(ROOT).parts]
ROOMS = sorted({p for m in _below("*.py") for p in (m, *m.parents) if ROOT in p.parents})
TESTS = sorted({p for p in _below("tests", "tests/**/*") if p.is_dir()} | {ROOT / "tests"})
CHASSIS = [m for m in MODULES if "chassis" in m.parts and not m.name.startswith("testing_")]


def without_prose(source: str) -> Iterator[tuple[int, str]]:
    """Every token that is neither a comment nor a docstring, with its line; a string's own text included."""
    prose = {
        (node.value.lineno, node.value.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT and token.start not in prose:
            yield token.start[0], token.string


def business(source: str) -> list[str]:
    """The business nouns in the code of a module, each with its line."""
    found = ((line, NOUNS.search(NOT_BUSINESS.sub("", text))) for line, text in without_prose(source))
    return [f"line {line}: {match.group()}" for line, match in found if match]


def test_every_service_has_its_nouns_here() -> None:
    assert NOUNS_OF.keys() == {p.parents[2].name for p in ROOT.glob("services/*/src/*/main.py")}


def test_there_is_a_house_to_look_at() -> None:
    assert len(MODULES) > 50
    assert len(CHASSIS) > 20
    assert {"tests", "services/plan-service/tests"} <= {name(t) for t in TESTS}


@pytest.mark.parametrize("room", ROOMS, ids=name)
def test_a_room_is_called_after_what_it_knows(room: Path) -> None:
    assert room.stem not in VAGUE, (
        f"{name(room)}: a room called {', '.join(sorted(VAGUE))} takes in anything. Call it after the question it "
        "answers, or put what it holds where it is used."
    )


@pytest.mark.parametrize("folder", TESTS, ids=name)
def test_a_tests_folder_is_no_package(folder: Path) -> None:
    assert not (folder / "__init__.py").exists(), (
        f"{name(folder)}: no __init__.py in a tests folder; tests are collected in importlib mode, and as packages two "
        "folders called `tests` would be taken for each other."
    )


@pytest.mark.parametrize("module", CHASSIS, ids=name)
def test_the_chassis_knows_no_business(module: Path) -> None:
    assert business(module.read_text(encoding="utf-8")) == [], (
        f"{name(module)}: the chassis carries any service and names nothing of what they are about. What knows the "
        "business belongs in a service or in contracts; the chassis is handed it."
    )


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_says_what_it_answers(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))), (
        f"{name(module)}: the first thing in a module is a docstring with the question that the file answers."
    )


@pytest.mark.parametrize(
    "source",
    ["def deadline(): ...", "x = 'employment-1'", "class SickSpell: ...", 'x = f"{a} Rehab"', "import plan_service",
     'call("""\nemployer\n""")', "import case_service", "if name == 'CaseClosed': ...", "consent_withdrawn = True",
     "def referral(): ...", "x = 'certificates'", "class Participant: ...", "minutes_approved = 1"],
)  # fmt: skip
def test_business_in_code_is_found(source: str) -> None:
    assert business(source)


@pytest.mark.parametrize(
    "source",
    ['"""For example an employment."""', "x = 1  # as plan_service does", "x = 'set plan_cache_mode = a'",
     'def f():\n    """The deadline, say."""\n', "planet = explain",
     "consent_ids = case_id", "timedelta(minutes=5)", "match a:\n    case 1: ..."],
)  # fmt: skip
def test_prose_and_other_words_pass(source: str) -> None:
    assert business(source) == []
