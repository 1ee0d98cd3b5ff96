"""The rule file: what ships is whole, and every mistake in it is told with its file, its rule and its field."""

from pathlib import Path
from typing import Any

import pytest

from notification_service.checks import check
from notification_service.loading import load, shipped
from notification_service.reading import RuleError
from notification_service.rules import Rulebook
from notification_service.versions import HEARD

GOOD = """
version = "2026-02"
valid_from = 2026-02-01
[hours]
work = 06:00:00
messages = 09:00:00
sending_ends = 20:00:00
[[escalation]]
id = "up"
row = 38
source = "[A]"
missed_after = 1
levels = [{ after = 7, to = "fk.unit_manager" }]
[[rule]]
id = "one"
row = 9
source = "[A]"
says = "Something."
on = ["PlanSubmitted"]
kind = "KIND"
about = ["plan_id"]
due = { from = "submitted_at", working_days = 5 }
owner = "fk.handler"
escalation = "up"
met_by = [{ event = "PlanAssessed", same = ["plan_id"] }]
[[rule.step]]
does = "REMIND"
after_due = -1
template = "plan-duty"
channels = ["EMAIL"]
"""


def read(tmp_path: Path, text: str) -> Rulebook:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return check(load(file), HEARD)


def test_the_shipped_rules_express_their_rows_and_name_a_source_for_each() -> None:
    (book,) = [check(load(f), HEARD) for f in shipped()]
    rows = {r.row for r in book.rules} | {s.row for r in book.rules for s in r.steps}
    rows |= {e.row for e in (*book.escalations, *book.endings)}
    assert rows == {1, 5, 6, 7, 8, 9, 12, 13, 14, 16, 17, 18, 21, 23, 24, 25, 26, 38, 39, 46}
    named: list[Any] = [*book.rules, *book.escalations, *book.endings, *(s for r in book.rules for s in r.steps)]
    assert all(n.source for n in named)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    book = read(tmp_path, GOOD)
    assert (book.version, book.rules[0].duty.due.number, book.rules[0].steps[0].after_due) == ("2026-02", 5, -1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('version = "2026-02"', ""), ["mine.toml", "'version'", "missing"]),
        (('id = "one"', 'id = "one"\ncolour = "red"'), ["rule 'one'", "'colour'", "not known"]),
        (('kind = "KIND"', "kind = 7"), ["rule 'one'", "'kind'", "text"]),
        (('kind = "KIND"', 'kind = "no prose"'), ["rule 'one'", "'kind'", "match"]),
        (('owner = "fk.handler"', 'owner = "fk.nobody"'), ["rule 'one'", "'owner'", "fk.nobody"]),
        (('escalation = "up"', 'escalation = "down"'), ["rule 'one'", "'escalation'", "down"]),
        (('on = ["PlanSubmitted"]', 'on = ["PlanEaten"]'), ["rule 'one'", "'on'", "PlanEaten"]),
        (('about = ["plan_id"]', 'about = ["version"]'), ["rule 'one'", "'about'", "version"]),
        (('about = ["plan_id"]', 'about = ["plan"]'), ["rule 'one'", "'about'", "PlanSubmitted has no field 'plan'"]),
        (('from = "submitted_at"', 'from = "channel"'), ["rule 'one'", "'due'", "channel"]),
        (("working_days = 5", "working_days = 5, days = 2"), ["rule 'one'", "'due'", "exactly one"]),
        (("working_days = 5", "working_days = -5"), ["rule 'one'", "'due'", "negative"]),
        (('same = ["plan_id"]', 'same = ["org_nr"]'), ["rule 'one'", "'met_by'", "PlanAssessed has no field 'org_nr'"]),
        (('event = "PlanAssessed", same = ["plan_id"]', 'event = "PlanAssessed"'), ["rule 'one'", "'same' is missing"]),
        (('template = "plan-duty"', 'template = "poem"'), ["rule 'one', step 1", "'template'", "poem"]),
        (('channels = ["EMAIL"]', 'channels = ["PIGEON"]'), ["rule 'one', step 1", "'channels'", "PIGEON"]),
        (("after_due = -1", "spell_day = 3"), ["rule 'one', step 1", "'spell_day'"]),
        (("after_due = -1", ""), ["rule 'one', step 1", "'after_due'"]),
        (("missed_after = 1", "missed_after = 0"), ["escalation 'up'", "'missed_after'"]),
        (("after = 7", "after = 1"), ["escalation 'up'", "'levels'"]),
        (('owner = "fk.handler"', 'owner = "emp.hr"\nowner_ref = "{org}"'), ["rule 'one'", "'owner_ref'", "org"]),
        (("work = 06:00:00", 'work = "early"'), ["mine.toml, hours", "'work'", "time of day"]),
        (("[hours]", "[hours"), ["mine.toml", "TOML"]),
    ],
    ids=lambda v: v[1][:40] if isinstance(v, tuple) else "",
)
def test_a_mistake_is_told_where_it_is(tmp_path: Path, change: tuple[str, str], told: list[str]) -> None:
    broken = GOOD.replace(*change)
    assert broken != GOOD
    with pytest.raises(RuleError) as error:
        read(tmp_path, broken)
    for part in told:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ('{ field = "channel", one_of = ["PIGEON"] }', "PIGEON"),
        ('{ field = "channel", at_least = 3 }', "not a number"),
        ('{ field = "not_consulted_reason", one_of = ["X"] }', "not always there"),
        ('{ field = "version" }', "at_least or one_of"),
    ],
)
def test_a_condition_that_can_never_hold_is_told(tmp_path: Path, condition: str, told: str) -> None:
    with pytest.raises(RuleError, match=told):
        read(tmp_path, GOOD.replace('kind = "KIND"', f'kind = "KIND"\nwhere = [{condition}]'))


def test_two_rules_of_one_name_are_told(tmp_path: Path) -> None:
    rule = GOOD[GOOD.index("[[rule]]") :]
    with pytest.raises(RuleError, match="'one' is there twice"):
        read(tmp_path, GOOD + rule)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        load(tmp_path / "nothing.toml")
