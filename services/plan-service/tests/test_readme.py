"""The service's README tells what the code does."""

from pathlib import Path

from chassis.tables import decision_table
from contracts.plan import PLAN
from plan_service.domain.employment import decide
from plan_service.views.employments import PlanStatus

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_decision_table_is_the_one_in_force() -> None:
    """When this fails: replace the table by what `decision_table(decide)` prints."""
    assert README.partition("<!-- decisions -->\n")[2].partition("<!-- /decisions -->")[0] == decision_table(decide)


def test_every_event_and_every_status_is_named() -> None:
    assert all(f"`{declared.name}`" in README for declared in PLAN)
    assert all(f"| {status} |" in README for status in PlanStatus)
