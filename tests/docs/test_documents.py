"""Do the documents tell the truth? Every link, name, path, test, command and address in them is looked up."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.docs.naming import addresses, found
from typer.main import get_command

from chassis.service import Service
from samordna.cli import app as samordna

PACKAGES = "chassis|contracts|case_service|meeting_service|plan_service|notification_service|samordna"
ROOMS = "services|shared|deploy|tests|docs|build"
CODE = re.compile(r"```.*?```", re.DOTALL)
TICKED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def ticked(documents: list[Path], pattern: str) -> Iterator[tuple[str, str]]:
    """Everything between back-ticks that fits `pattern` from end to end, with the file it stands in."""
    for document in documents:
        for text in TICKED.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
            if re.fullmatch(pattern, text):
                yield document.name, text


def in_shell_blocks(document: Path) -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
        yield from (line.partition("#")[0].strip() for line in block.splitlines())


def anchors(document: Path) -> set[str]:
    """The anchors that a forge makes of headings."""
    kept = (re.sub(r"[^\w\- ]", "", h.lower()) for h in HEADING.findall(document.read_text(encoding="utf-8")))
    return {h.strip().replace(" ", "-") for h in kept}


# --- what stands in them ---


def test_every_link_leads_somewhere(root: Path, documents: list[Path]) -> None:
    broken: list[str] = []
    for document in documents:
        for target in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
            if re.match(r"https?:|mailto:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = (document.parent / path).resolve() if path else document
            if not goal.exists() or (anchor and anchor not in anchors(goal)):
                broken.append(f"{document.relative_to(root)}: {target}")
    assert broken == []


def test_every_name_from_the_code_exists(documents: list[Path]) -> None:
    named = set(ticked(documents, rf"({PACKAGES})(\.\w+)+"))
    assert len(named) > 50
    assert sorted((file, name) for file, name in named if not found(name)) == []


def test_every_path_exists(root: Path, documents: list[Path]) -> None:
    named = set(ticked(documents, rf"({ROOMS})(/[\w.*<>-]+)+/?"))
    made = {"build", "deploy/demo"}  # made while running, or by the story
    missing = [
        (file, path) for file, path in named
        if path.partition("/")[0] not in made and "<" not in path and not list(root.glob(path.rstrip("/")))
    ]  # fmt: skip
    assert sorted(missing) == []


def test_every_test_that_is_cited_exists(root: Path, documents: list[Path]) -> None:
    cited = set(ticked(documents, r"[\w/.-]+\.py::test_\w+"))
    assert cited
    for file, test in cited:
        path, _, name = test.partition("::")
        there = root / path
        assert there.exists(), f"{file}: {path}"
        assert re.search(rf"^(async )?def {name}\(", there.read_text(encoding="utf-8"), re.MULTILINE), f"{file}: {test}"


def test_every_import_rule_that_is_cited_exists(root: Path, documents: list[Path]) -> None:
    rules = {
        c["name"] for c in tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    }
    for document in documents:
        for rule in re.findall(r"import rule \"([^\"]+)\"", document.read_text(encoding="utf-8")):
            assert rule in rules, f"{document.name}: {rule}"


def test_every_make_command_exists(root: Path, documents: list[Path]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    given = {(f, c.split()[1]) for f, c in ticked(documents, r"make [a-z-]+( [A-Z]+=\S+)*")}
    given |= {(d.name, line.split()[1]) for d in documents for line in in_shell_blocks(d) if line.startswith("make ")}
    assert given
    assert sorted((f, c) for f, c in given if c not in targets) == []


def test_every_samordna_command_exists(documents: list[Path]) -> None:
    top: Any = get_command(samordna)
    given = {(f, c) for f, c in ticked(documents, r"(\.venv/bin/)?samordna [a-z].*")}
    given |= {(d.name, line) for d in documents for line in in_shell_blocks(d) if "bin/samordna " in line}
    assert given
    for file, line in given:
        words = line.partition("samordna ")[2].split()
        command = top.commands.get(words[0])
        assert command is not None, f"{file}: {line}"
        if hasattr(command, "commands"):
            assert words[1] in command.commands, f"{file}: {line}"
            command = command.commands[words[1]]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert {w for w in words if w.startswith("-")} <= options, f"{file}: {line}"


def test_every_address_is_answered(documents: list[Path]) -> None:
    given = set(ticked(documents, r"(GET|PUT|POST) /\S+"))
    known = addresses()
    asked = {(file, re.sub(r"\{[^}]*\}", "{}", text.partition("?")[0])) for file, text in given}
    assert asked
    assert sorted((file, text) for file, text in asked if text not in known) == []


def test_every_log_line_is_written_somewhere(root: Path, documents: list[Path]) -> None:
    code = "".join(
        f.read_text(encoding="utf-8") for room in ("shared", "services") for f in root.glob(f"{room}/*/src/**/*.py")
    )
    told = {n for d in documents for n in re.findall(r"log lines? ((?:`[a-z_.]+`(?:, | or | and )?)+)", d.read_text())}
    names = {name for group in told for name in TICKED.findall(group)}
    assert names
    written = set(re.findall(r"log_line\.\w+\(\s*\"([a-z_.]+)\"", code))
    assert names <= written, names - written


# --- README.md ---


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_make_command_once_explained(root: Path, readme: str) -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", (root / "Makefile").read_text(), re.MULTILINE))
    table = set(re.findall(r"^\| `make ([a-z-]+)", readme, re.MULTILINE))
    assert table == explained


def test_the_readme_names_every_room_and_every_room_is_there(root: Path, readme: str) -> None:
    named = set(re.findall(r"^\| \[?`([\w./-]+)/`", readme, re.MULTILINE))
    assert all((root / room).is_dir() for room in named)
    there = {
        f"{top}/{d.name}" for top in ("services", "shared") for d in (root / top).iterdir() if (d / "src").exists()
    }
    assert there | {"deploy", "tests", "docs"} <= named


def test_the_readme_has_two_commands_and_one_picture_and_speaks_swedish_first(readme: str) -> None:
    first = re.search(r"```sh\n(.*?)```", readme, re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == ["make demo", "make test"]
    assert readme.count("```mermaid") == 1
    assert 0 < readme.index("Försäkringskassan") < readme.index("Samordna lets")


def test_the_picture_shows_who_hears_whom(readme: str, services: Mapping[str, Service]) -> None:
    arrows = re.findall(r'^ +bus -- "([A-Z]+)" --> (.+)$', readme, re.MULTILINE)
    drawn = {source.lower(): set(hearers.split(" & ")) for source, hearers in arrows}
    heard = {s: {n for n, service in services.items() if s in {f.service for f in service.hears}} for s in services}
    assert drawn == heard


def test_every_services_readme_is_linked_and_says_what_it_owns_hears_and_tells(root: Path, readme: str) -> None:
    for service in root.glob("services/*/README.md"):
        assert f"({service.relative_to(root)})" in readme
        text = service.read_text(encoding="utf-8").lower()
        assert all(re.search(rf"^(\*\*|\| ){word}", text, re.MULTILINE) for word in ("owns", "hears", "tells")), service


def test_the_readme_names_the_rows_that_the_rules_speak_of(root: Path, readme: str) -> None:
    said = re.search(r"rows ([\d, toand]+) of the policy table", readme)
    assert said is not None
    spans = [part.split(" to ") for part in re.split(r", | and ", said[1])]
    rows = {row for span in spans for row in range(int(span[0]), int(span[-1]) + 1)}
    rules = root / "services/notification-service/src/notification_service/rules"
    told = {int(n) for f in rules.glob("*.toml") for n in re.findall(r"^row = (\d+)", f.read_text(), re.MULTILINE)}
    assert rows == told


# --- decisions, runbooks, glossary, changelog ---


def test_decisions_are_numbered_without_a_gap_and_say_what_holds_them(root: Path) -> None:
    records = sorted((root / "docs/decisions").glob("[0-9]*.md"))
    assert [r.name[:4] for r in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    index = (root / "docs/decisions/README.md").read_text(encoding="utf-8")
    for record in records:
        text = record.read_text(encoding="utf-8")
        sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert sections == ["What we do", "Why", "What it costs", "Held by"], record.name
        held = text.partition("## Held by")[2]
        assert re.search(r"\.py::test_|import rule \"", held), f"{record.name}: no test or rule is cited"
        assert f"({record.name})" in index, record.name


def test_runbooks_tell_the_alarm_the_meaning_the_remedy_and_the_end(root: Path) -> None:
    books = sorted((root / "docs/runbooks").glob("[a-z]*.md"))
    assert len(books) >= 5
    for book in books:
        text = book.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Alarm", "What it means", "What to do", "It is over when",
        ], book.name  # fmt: skip
        assert text.splitlines()[2].startswith("**Svenska.** "), book.name


def test_every_document_that_the_code_names_is_there(root: Path) -> None:
    for file in (f for room in ("shared", "services", "deploy") for f in root.glob(f"{room}/**/src/**/*.py")):
        for named in re.findall(r"docs/[\w/-]+\.md", file.read_text(encoding="utf-8")):
            assert (root / named).exists(), f"{file.relative_to(root)}: {named}"


def test_glossary_words_are_the_codes_words_and_the_ones_to_avoid_are_not(root: Path) -> None:
    text = (root / "docs/glossary.md").read_text(encoding="utf-8")
    today = text.partition("## In the code today")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in today.splitlines() if line.startswith("| ")
    ]
    words = {word for row in rows[1:] for word in TICKED.findall(row[1])}
    avoid = {word for row in rows[1:] for word in TICKED.findall(row[3])}
    files = [f for room in ("shared/contracts/src", "services/*/src/*/domain") for f in root.glob(f"{room}/**/*.py")]
    names = {name for f in files for name in defined(ast.parse(f.read_text(encoding="utf-8")))}
    assert words
    assert avoid
    assert words - names == set()
    assert {(w, n) for w in avoid for n in names if w.replace("_", "") in n.replace("_", "").lower()} == set()


def defined(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives to something: classes, functions, parameters, fields, constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_the_changelog_keeps_a_changelog(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", v) for v in versions[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
