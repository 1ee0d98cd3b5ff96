"""What the read models of cases, tips and happenings say, and that they rest on their facts alone."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.envelope import SYSTEM, Envelope
from chassis.testing_facts import records
from chassis.view import Heard
from contracts.case import CASE, CaseClosed, CaseExtended, CaseReopened, Outcome, ReopenReason
from contracts.plan import PLAN
from plan_service.main import service
from plan_service.views import cases
from plan_service.views.timeline import TOLD

NOW = datetime(2026, 4, 1, tzinfo=UTC)
A_CASE = UUID(int=4)


def heard(source: str, position: int, fact: Any) -> Heard:
    return Heard(
        source=source,
        position=position,
        stream="any-1",
        version=position,
        name=type(fact).__name__,
        fact=fact,
        envelope=Envelope(event_id=UUID(int=position), occurred_at=NOW, actor=SYSTEM, case_id=A_CASE),
        recorded_at=NOW,
    )


def test_a_case_lasts_as_long_as_was_told_last_and_ends_and_goes_on() -> None:
    row = None
    seen: list[tuple[int | None, bool]] = []
    for n, fact in enumerate(
        [
            CaseExtended(
                case_id=A_CASE,
                new_expected_end=date(2026, 8, 1),
                expected_days=153,
                certificate_id=None,
                employment_ids=(),
            ),
            CaseClosed(case_id=A_CASE, closed_at=NOW, outcome=Outcome.OTHER, spell_days=30, chain_days=30),
            CaseReopened(
                case_id=A_CASE,
                opening=2,
                spell_start=date(2026, 3, 2),
                chain_start=date(2026, 3, 2),
                opened_on=date(2026, 3, 21),
                reopened_at=NOW,
                reason=ReopenReason.RELAPSE,
            ),
        ],
        1,
    ):
        (key,) = cases.keys(heard("case", n, fact))
        row = cases.evolve(row, heard("case", n, fact), key)
        assert row is not None
        seen.append((row.expected_days, row.ended))
    assert seen == [(153, False), (153, True), (153, False)]


@pytest.mark.parametrize("facts", [PLAN, CASE], ids=lambda f: f.service)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_fact_can_be_looked_at_by_every_view(facts: Any, data: st.DataObject) -> None:
    """Which rows a fact touches can be told of every fact that may come, also of those that lead to no employment."""
    for declared in facts:
        told = heard(facts.service, 1, data.draw(records(declared.shape)))
        for view in service.views:
            if facts.service in view.sources:
                assert len(view.keys(told)) <= 1


def test_the_timeline_tells_every_published_fact_about_an_employment_by_its_open_fields() -> None:
    about_employments = {d.name for d in PLAN if any(f.name == "employment_id" for f in d.shape.fields)}
    assert set(TOLD) == about_employments - {"ExpectedDaysChanged"}  # an employer is not told what FK assumes
    for name, names in TOLD.items():
        shown = {f.name: f for f in PLAN.by_name[name].shape.fields}
        assert not any(shown[n].sealed for n in names)


def test_rows_and_tables_have_the_same_columns() -> None:
    for view in service.views:
        assert [f.name for f in fields(view.row)] == [c.name for c in view.table.columns]
