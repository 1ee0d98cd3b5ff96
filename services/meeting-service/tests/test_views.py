"""Read models: they hold one row per meeting and per invitation, and nothing sealed."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.codec import Codec
from chassis.envelope import SYSTEM, Envelope
from chassis.facts import Facts
from chassis.testing_facts import records
from chassis.view import Heard, View
from meeting_service.main import service

SOURCES: tuple[Facts, ...] = (service.facts, *service.hears)
SHARED = frozenset({"case_id", "meeting_id", "consent_id", "referral_id"})
IDS = [UUID(int=n) for n in range(1, 4)]
START = datetime(2026, 3, 2, tzinfo=UTC)


@st.composite
def told_by(draw: st.DrawFn, facts: Facts) -> list[Heard]:
    """What one service tells, in its order, as it is heard: sealed fields blank. Our own facts come whole."""
    codec, told = Codec(facts), list[Heard]()
    for position in range(1, draw(st.integers(0, 8)) + 1):
        declared = draw(st.sampled_from([d for d in facts if d.fact.published or facts is service.facts]))
        fact = draw(records(declared.shape))
        ids = {f.name: draw(st.sampled_from(IDS)) for f in declared.shape.fields if f.name in SHARED}
        encoded = codec.encode(replace(fact, **ids))
        told.append(
            Heard(
                source=facts.service,
                position=position,
                stream=f"{facts.service}-{draw(st.sampled_from(IDS))}",
                version=position,
                name=declared.name,
                fact=codec.decode(encoded.name, encoded.version, encoded.open),
                envelope=Envelope(
                    event_id=UUID(int=position + 1000 * SOURCES.index(facts)),
                    occurred_at=START + timedelta(hours=position),
                    actor=SYSTEM,
                    case_id=draw(st.sampled_from(IDS)),
                ),
                recorded_at=START + timedelta(hours=position),
            )
        )
    return told


def folded(view: View[Any], told: Sequence[Heard]) -> dict[Any, Any]:
    rows: dict[Any, Any] = {}
    for heard in told:
        for key in view.keys(heard) if heard.source in view.sources else ():
            rows[key] = view.evolve(rows.get(key), heard, key)
    return {key: row for key, row in rows.items() if row is not None}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_in_which_order_services_are_heard_changes_no_row(data: st.DataObject) -> None:
    told = [data.draw(told_by(facts)) for facts in SOURCES]
    one_after_another = [heard for part in told for heard in part]
    left, mixed = [list(part) for part in told], list[Heard]()
    while any(left):
        part = data.draw(st.sampled_from([part for part in left if part]))
        mixed.append(part.pop(0))
    for view in service.views:
        assert folded(view, mixed) == folded(view, one_after_another), view.name


def test_every_read_model_follows_services_that_we_hear() -> None:
    for view in service.views:
        assert set(view.sources) <= {f.service for f in SOURCES}


def test_rows_and_tables_have_the_same_columns() -> None:
    for view in service.views:
        assert [f.name for f in fields(view.row)] == [c.name for c in view.table.columns]
