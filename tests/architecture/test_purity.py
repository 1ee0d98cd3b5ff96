"""Do the rules depend on nothing but what they are given? They read no clock, draw no lots, open nothing, and import
only what is listed here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STANDARD = {"collections.abc", "dataclasses", "datetime", "enum", "itertools", "re", "typing", "unicodedata", "uuid"}
OURS = {"chassis.classes", "chassis.decider", "chassis.facts"}
FORBIDDEN_CALLS = {"now", "today", "utcnow", "uuid4", "uuid1", "random", "open"}
FORBIDDEN_NAMES = {"utcnow", "uuid4", "uuid1", "__import__"}
"""Not even handed on to be called by another, as a default factory is."""

ROOMS = sorted([*ROOT.glob("services/*/src/*/domain/**/*.py"), *ROOT.glob("shared/contracts/src/contracts/**/*.py")])


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module that is imported, at any depth of the file, with its line. A relative import keeps its dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def called(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The last name of everything that is called, and every forbidden name that is only mentioned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            yield node.lineno, _last(node.func)
        elif isinstance(node, ast.Attribute | ast.Name) and _last(node) in FORBIDDEN_NAMES:
            yield node.lineno, _last(node)


def _last(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def impure_imports(source: str, package: str) -> list[str]:
    own = {f"{package}.domain", "contracts"}
    return [
        f"line {line}: {module}"
        for line, module in imported(ast.parse(source))
        if module not in STANDARD | OURS | own and not module.startswith(tuple(f"{o}." for o in own))
    ]


def impure_calls(source: str) -> list[str]:
    forbidden = FORBIDDEN_CALLS | FORBIDDEN_NAMES
    return sorted({f"line {line}: {name}" for line, name in called(ast.parse(source)) if name in forbidden})


def test_there_are_rules_to_look_at() -> None:
    found = {room.relative_to(ROOT).parts[1] for room in ROOMS}
    assert {"contracts", "plan-service", "notification-service"} <= found


@pytest.mark.parametrize("room", ROOMS, ids=lambda r: str(r.relative_to(ROOT)))
def test_it_imports_only_what_is_pure(room: Path) -> None:
    package = room.relative_to(ROOT).parts[3]
    assert impure_imports(room.read_text(encoding="utf-8"), package) == [], (
        f"{room.relative_to(ROOT)}: domain and contracts import only {', '.join(sorted(STANDARD | OURS))}, contracts "
        "and their own domain. What needs more belongs outside, and is handed in with the command."
    )


@pytest.mark.parametrize("room", ROOMS, ids=lambda r: str(r.relative_to(ROOT)))
def test_it_reads_no_clock_and_draws_no_lots(room: Path) -> None:
    assert impure_calls(room.read_text(encoding="utf-8")) == [], (
        f"{room.relative_to(ROOT)}: a rule gives the same answer whenever it is asked. The time and new ids come with "
        "the command, from the edge (`act.now`, `act.new_id()`)."
    )


@pytest.mark.parametrize(
    "source",
    ["import os", "from random import choice", "from chassis.log import Log", "def f():\n    import time",
     "from plan_service.api import fields", "from . import sibling", "from notification_service.domain import agenda",
     "import uuid, socket"],
)  # fmt: skip
def test_an_impure_import_is_found(source: str) -> None:
    assert impure_imports(source, "plan_service")


@pytest.mark.parametrize(
    "source",
    ["datetime.now()", "date.today()", "datetime.utcnow()", "uuid4()", "uuid.uuid1()", "random.random()", "open('a')",
     "field(default_factory=uuid4)", "__import__('os').getpid()"],
)  # fmt: skip
def test_an_impure_call_is_found(source: str) -> None:
    assert impure_calls(source)


def test_what_is_pure_passes() -> None:
    source = "from uuid import uuid5\nfrom contracts.values import Ref\nfrom plan_service.domain.plan import Plan\n"
    assert impure_imports(source, "plan_service") == []
    assert impure_calls(source + "def decide(now, state):\n    return state.open, now, uuid5(now, 'a')") == []
