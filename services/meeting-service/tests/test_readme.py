"""Does the README say what the code does? Its tables are printed from the rules, its events from the contract."""

from pathlib import Path
from typing import Any

import pytest

from chassis.tables import decision_table
from meeting_service.domain import assessment, meeting
from meeting_service.domain.parties import SEATS, scope_for
from meeting_service.main import service

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rules", [meeting, assessment], ids=lambda m: m.__name__)
def test_the_readme_holds_the_table_of_the_rules(rules: Any) -> None:
    assert decision_table(rules.decide) in README


def test_the_readme_names_every_event_that_is_told_or_noted() -> None:
    assert all(f"`{d.name}`" in README for d in service.facts)


def test_the_readme_says_who_belongs_to_which_meeting() -> None:
    for kind, seats in SEATS.items():
        needed = ", ".join(sorted(seats.needed))
        scopes = ", ".join(f"{p}: {s}" for p in sorted(seats.needed) if (s := scope_for(kind, p)) is not None)
        row = f"| {kind} | {needed} | {seats.least} | {', '.join(sorted(seats.callers))} | {scopes} |"
        assert row in README, row
