"""Is a row after a fact that a view says begins it really what that fact makes it, whatever stood there?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.contracts.golden import example

from case_service import main as case_main
from chassis.clock import new_id
from chassis.envelope import SYSTEM, Envelope
from chassis.facts import Declared
from chassis.service import Service
from chassis.view import Heard, View
from meeting_service import main as meeting_main
from notification_service import main as notification_main
from plan_service import main as plan_main

SERVICES = [m.service for m in (case_main, meeting_main, notification_main, plan_main)]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
BEGUN = [(s, v, name) for s in SERVICES for v in s.views for name in sorted(v.begins)]


def declarations(service: Service, name: str) -> list[tuple[str, Declared]]:
    return [(f.service, d) for f in (service.facts, *service.hears) for d in f if d.name == name]


def test_some_view_says_what_begins_its_rows() -> None:
    assert BEGUN


@pytest.mark.parametrize(("service", "view", "name"), BEGUN, ids=lambda x: x if isinstance(x, str) else "")
def test_what_stood_in_a_row_does_not_matter_to_a_fact_that_begins_it(
    service: Service, view: View[Any], name: str
) -> None:
    told = [(source, d) for source, d in declarations(service, name) if source in view.sources]
    assert told, "a view can only be begun by what it follows"
    for source, declared in told:
        envelope = Envelope(event_id=new_id(), occurred_at=NOW, actor=SYSTEM)
        fact = example(declared.shape)
        heard = Heard(
            source=source, position=2, stream="a-1", version=1, name=name, fact=fact, envelope=envelope, recorded_at=NOW
        )
        later = replace(heard, position=9, version=4, recorded_at=NOW + timedelta(days=1))
        keys = view.keys(heard)
        assert keys
        for key in keys:
            made, other = view.evolve(None, heard, key), view.evolve(None, later, key)
            assert made is not None
            assert other != made
            assert view.evolve(other, heard, key) == made
