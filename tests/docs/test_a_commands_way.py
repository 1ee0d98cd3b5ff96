"""Does the page about a command's way name only what there is? Every word in back-ticks is looked up, whatever kind it
is of, and a word of no known kind is as wrong as one that is not found."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.docs.naming import addresses, found

from chassis import schema
from chassis.schemas import subject
from chassis.service import Service
from chassis.view import View

SERVICES = ("case", "plan", "meeting", "notification")
PAGE = "docs/a-commands-way.md"
CODE = re.compile(r"```.*?```", re.DOTALL)


def words(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", CODE.sub("", text))


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kinds(root: Path, services: Mapping[str, Service]) -> Mapping[str, Callable[[str], bool]]:
    """How a word of each kind is looked up. The first whose pattern fits decides."""
    core = set(re.findall(r"create table (\w+)", schema.LOG + schema.NOTES))
    views = [v for s in services.values() for v in s.views]
    written = "".join(f.read_text(encoding="utf-8") for f in root.glob("services/*/migrations/**/*.py"))
    sources = "".join(f.read_text(encoding="utf-8") for f in root.glob("shared/chassis/src/**/*.py"))
    rules = [tomllib.loads(f.read_text(encoding="utf-8")) for f in root.glob("services/*/src/*/rules/*.toml")]
    spoken = {r["id"] for book in rules for r in book["rule"]} | {
        step["template"] for book in rules for r in book["rule"] for step in r.get("step", []) if "template" in step
    }
    subjects = {subject(s.name, declared) for s in services.values() for declared in s.facts if declared.fact.published}
    withheld = {f"{s.name}.0.Withheld.v1" for s in services.values() if any(not d.fact.published for d in s.facts)}
    categories = {a.category for s in services.values() for a in s.aggregates}
    known_addresses = addresses()
    return {
        r"[\w/.-]+\.py::test_\w+": lambda w: _cited(root, *w.split("::")),
        r"(GET|PUT|POST) /\S+": lambda w: re.sub(r"\{[^}]*\}", "{}", w) in known_addresses,
        r"\w+\.0\.\w+\.v\d+": lambda w: w in subjects | withheld,
        r"(level|head)\.\w+": lambda w: w.split(".")[1] in services and f'"{w.split(".")[0]}.{{' in sources,
        r"views\.\w+": lambda w: any(w == f"views.{_table(v)}" for v in views),
        r"\w+-<\w+>": lambda w: w.partition("-")[0] in categories,
        r"\w+(\.\w+)+": found,
        r"[A-Z]+": lambda w: w.lower() in services,
        r"append_facts": lambda w: f"create function {w}(" in schema.APPEND,
        r"ETag|Samordna-[A-Z]\w+|traceparent|ce-\w+": lambda w: f'"{w}' in sources or f"{w}: " in sources,
        r"201": lambda w: True,
        r"[a-z_]+": lambda w: w in core or f"create table {w}" in written or f"public.{w}" in written or w in spoken,
        r"[a-z0-9-]+": lambda w: w in spoken,
    }


def _cited(root: Path, path: str, test: str) -> bool:
    return (root / path).exists() and f"def {test}(" in (root / path).read_text(encoding="utf-8")


def _table(view: View[object]) -> str:
    return view.table.name


def unknown(text: str, kinds: Mapping[str, Callable[[str], bool]]) -> list[str]:
    """Every word that is of no kind, or is not there."""
    return [w for w in dict.fromkeys(words(text)) if not _there(w, kinds)]


def _there(word: str, kinds: Mapping[str, Callable[[str], bool]]) -> bool:
    return next((look(word) for pattern, look in kinds.items() if re.fullmatch(pattern, word)), False)


def test_every_word_in_back_ticks_is_found_in_the_code(page: str, kinds: Mapping[str, Callable[[str], bool]]) -> None:
    assert len(words(page)) > 80
    assert unknown(page, kinds) == []


@pytest.mark.parametrize(
    "wrong",
    ["case_service.domain.case.decides", "case_service.api.nowhere.open_", "contracts.case.CaseBegun", "POST /v1/kases",
     "GET /v1/cases/{caseId}/weather", "case.0.CaseOpened.v9", "case.0.PersonRegistered.v1", "level.weather", "CASES",
     "views.weather", "casus-<id>", "heards", "plan-by-day-31", "ce-causeid", "append_fact", "Some words"],
)  # fmt: skip
def test_a_wrong_word_is_noticed(wrong: str, kinds: Mapping[str, Callable[[str], bool]]) -> None:
    assert unknown(f"It goes through `{wrong}`.", kinds) == [wrong]


def test_the_page_goes_through_all_four_services_and_every_station(page: str) -> None:
    packages = {f"{name}_service" for name in SERVICES}
    assert packages <= {w.partition(".")[0] for w in words(page)}
    stations = ("edge.Edge", "domain.case.decide", "perform.Guarded", "PostgresLog.append", "relay.Relay",
                "listen.Listener", "react.Reactor", "firing.worker", "delivery.worker", "follow.Folder")  # fmt: skip
    places = [page.find(station) for station in stations]
    assert -1 not in places
    assert places == sorted(places), "The stations come in the order in which the command passes them."


def test_the_reactions_in_the_table_are_those_of_the_manifests(page: str, services: Mapping[str, Service]) -> None:
    """Who reacts to CaseOpened, and that nobody else does."""
    told = dict(re.findall(r"^\| (\w+)-service \| `(\w+_service\.reactions\.\w+)`", page, re.MULTILINE))
    reacting = {name for name, s in services.items() if ("case", "CaseOpened") in s.reactions}
    assert set(told) == reacting
    assert any(d.name == "EmploymentRegistered" for d in services["plan"].facts)
    assert ("plan", "EmploymentRegistered") in services["notification"].reactions
    assert ("plan", "EmploymentRegistered") not in services["case"].reactions
    assert ("notification", "TimerElapsed") in services["case"].reactions


def test_the_page_is_linked_from_the_readme_and_from_the_architecture(root: Path) -> None:
    assert "(docs/a-commands-way.md)" in (root / "README.md").read_text(encoding="utf-8")
    assert "(a-commands-way.md)" in (root / "docs/architecture.md").read_text(encoding="utf-8")
