"""What an event makes this service ask of itself, under which version of the rules."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.envelope import SYSTEM, Envelope
from chassis.view import Heard
from contracts.plan import EmployerPlanRequested
from notification_service.domain.commands import SetDeadline, SettleMatter
from notification_service.reactions import CaseMissing, answer, reactions
from notification_service.versions import Rules

Day = Callable[..., datetime]
ID = UUID("00000000-0000-0000-0000-000000000001")


def requested(at: datetime, case_id: UUID | None = ID) -> Heard:
    fact = EmployerPlanRequested(request_id=ID, employment_id=ID, org_nr="5560125790", due=date(2026, 4, 1))
    return Heard(
        source="plan",
        position=1,
        stream="employment-1",
        version=1,
        name="EmployerPlanRequested",
        fact=fact,
        envelope=Envelope(event_id=ID, occurred_at=at, actor=SYSTEM, case_id=case_id),
        recorded_at=at,
    )


def test_first_it_is_asked_what_the_event_settles_and_then_what_has_to_happen_next(rules: Rules, day: Day) -> None:
    asks = answer(rules, requested(day(20)))
    assert [(a.rule, type(a.command)) for a in asks] == [("settle", SettleMatter), ("requested-plan", SetDeadline)]
    assert {(a.id, a.case_id) for a in asks} == {(ID, ID)}


def test_every_heard_event_that_some_rule_speaks_of_has_a_reaction(rules: Rules) -> None:
    assert {name for _, name in reactions(rules)} == rules.speaks_of()


def test_an_event_without_a_case_is_set_aside_with_a_reason(rules: Rules, day: Day) -> None:
    with pytest.raises(CaseMissing):
        answer(rules, requested(day(20), case_id=None))


def test_an_event_is_answered_by_the_rules_in_force_when_it_happened(rules: Rules, day: Day) -> None:
    (now,) = rules.books
    later = replace(now, version="2027-01", valid_from=date(2027, 1, 1))
    both = Rules([later, now])
    commands: list[Any] = [answer(both, requested(day(n)))[1].command for n in (20, 400)]
    assert [c.rule_version for c in commands] == ["2026-01", "2027-01"]


def test_without_a_rule_file_the_service_says_so() -> None:
    with pytest.raises(ValueError, match="No rule file"):
        Rules([])
