"""Does the README say what the code does? Its tables are printed from the rules, its events from the contract."""

from pathlib import Path
from typing import Any

import pytest

from case_service.domain import case, consent, person, referral
from case_service.main import service
from chassis.tables import decision_table

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rules", [case, consent, referral, person], ids=lambda m: m.__name__)
def test_the_readme_holds_the_table_of_the_rules(rules: Any) -> None:
    assert decision_table(rules.decide) in README


def test_the_readme_names_every_event_that_is_told() -> None:
    assert all(f"`{d.name}`" in README for d in service.facts)
