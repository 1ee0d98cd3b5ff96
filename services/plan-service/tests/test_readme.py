"""The service's README tells what the code does."""

from pathlib import Path
from typing import Any

import pytest

from chassis.tables import decision_table
from contracts.plan import PLAN
from plan_service.domain import case_end, employment, tip
from plan_service.views.employments import PlanStatus

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "rules"), [("decisions", employment), ("tip-decisions", tip), ("case-end-decisions", case_end)]
)
def test_the_decision_tables_are_those_in_force(part: str, rules: Any) -> None:
    """When this fails: replace the table by what `decision_table(decide)` prints."""
    told = README.partition(f"<!-- {part} -->\n")[2].partition(f"<!-- /{part} -->")[0]
    assert told == decision_table(rules.decide)


def test_every_event_and_every_status_is_named() -> None:
    assert all(f"`{declared.name}`" in README for declared in PLAN)
    assert all(f"| {status} |" in README for status in PlanStatus)
