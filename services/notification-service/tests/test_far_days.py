"""No day is sent in to this service. Whatever day the others take, a deadline can be counted from it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from chassis.days import EARLIEST, LATEST, local_day
from notification_service.days import at, end_of, sendable_from, sending_day_by, working_days_after
from notification_service.main import app, rules
from notification_service.rules import Count


def test_no_body_holds_a_day_or_a_moment() -> None:
    bodies = {
        part["schema"]["$ref"].rpartition("/")[2]
        for path in app.openapi()["paths"].values()
        for method in path.values()
        for part in method.get("requestBody", {}).get("content", {}).values()
        if "$ref" in part["schema"]
    }
    schemas = app.openapi()["components"]["schemas"]
    assert bodies
    assert not [name for name in bodies if '"date' in str(schemas[name]).replace("'", '"')]


@pytest.mark.parametrize("day", [EARLIEST, LATEST])
def test_every_rule_can_count_from_the_first_and_the_last_day_that_are_taken(day: date) -> None:
    for rule in (r for book in rules.books for r in book.rules):
        due = rule.duty.due
        last = working_days_after(day, due.number) if due.count is Count.WORKING_DAYS else day + timedelta(due.number)
        escalated = [level.after for level in rule.duty.escalation.levels] if rule.duty.escalation else []
        for after in (*(s.after_due for s in rule.steps), *escalated, 0):
            then = last + timedelta(days=after)
            assert local_day(end_of(then)) == then
            assert sending_day_by(then) <= then
            assert at(then, time(6)).tzinfo is UTC


def test_messages_can_be_sent_on_the_last_day() -> None:
    evening = datetime.combine(LATEST, time(22), UTC)
    assert all(sendable_from(evening, book.sending) > evening for book in rules.books)
