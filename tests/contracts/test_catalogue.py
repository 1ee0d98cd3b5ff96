"""Is every event that a service declares in the catalogue, or among our additions, under that service?"""

import csv
from collections.abc import Iterator
from importlib.resources import files

import pytest
from tests.contracts.golden import CONTRACTS

COLUMNS = ["event", "service", "added_by", "known_to"]
DECLARED = [(d.name, facts.service, d.fact.published) for facts in CONTRACTS for d in facts]


def rows(name: str) -> Iterator[dict[str, str]]:
    with (files("contracts") / name).open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == COLUMNS
        yield from reader


CATALOGUE = {row["event"]: row for row in rows("catalogue.csv")}
ADDITIONS = {row["event"]: row for row in rows("additions.csv")}


@pytest.mark.parametrize(("event", "service", "published"), DECLARED, ids=str)
def test_a_declared_event_is_listed_under_its_service(event: str, service: str, published: bool) -> None:
    row = CATALOGUE.get(event) or ADDITIONS.get(event)
    assert row is not None, f"{event}: add a row to additions.csv that says who adds it and who may know of it."
    assert row["service"] in (service, "any"), f"{event} belongs to {row['service']}-service."
    assert (row["known_to"] == "system") is not published, f"{event}: known to `system` alone means not published."


def test_what_we_add_is_declared_and_nowhere_else() -> None:
    assert ADDITIONS.keys() <= {event for event, _, _ in DECLARED}
    assert ADDITIONS.keys().isdisjoint(CATALOGUE)
    assert all(all(row.values()) for row in ADDITIONS.values())
