"""The service's README tells what the rules and the code say."""

from pathlib import Path

import pytest

from chassis.tables import decision_table
from contracts.notification import NOTIFICATION
from notification_service.domain.answers import on_deadline
from notification_service.domain.message import on_message
from notification_service.printing import rule_table
from notification_service.settings import NotificationSettings
from notification_service.versions import Rules

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def printed(rules: Rules) -> dict[str, str]:
    return {
        "rules": "".join(rule_table(b) for b in rules.books),
        "deadlines": decision_table(on_deadline),
        "messages": decision_table(on_message),
    }


@pytest.mark.parametrize("part", ["rules", "deadlines", "messages"])
def test_the_tables_are_those_in_force(rules: Rules, part: str) -> None:
    """When this fails: replace what stands between the marks by what is printed."""
    told = README.partition(f"<!-- {part} -->\n")[2].partition(f"<!-- /{part} -->")[0]
    assert told == printed(rules)[part]


def test_every_event_and_every_setting_is_named(rules: Rules) -> None:
    assert all(f"`{declared.name}`" in README for declared in NOTIFICATION)
    assert all(f"`{event}`" in README for event in rules.speaks_of())
    assert all(f"`SAMORDNA_{name.upper()}`" in README for name in NotificationSettings.model_fields)
