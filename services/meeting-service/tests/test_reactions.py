"""What the meeting service does about what case-service tells."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.envelope import SYSTEM, Envelope
from chassis.testing_facts import records
from chassis.view import Heard
from contracts.case import (
    CASE,
    CaseClosed,
    CaseEmployment,
    ConsentExpired,
    ConsentWithdrawn,
    EmployerSickNoticeReceived,
    Outcome,
    ReferralAccepted,
    Scope,
)
from contracts.meeting import ReferralStanding
from contracts.values import EmploymentKind
from meeting_service.domain.heard import (
    NoteCaseClosed,
    NoteConsentEnded,
    NoteEmployer,
    NoteReferral,
)
from meeting_service.domain.meetings import decider
from meeting_service.main import service
from meeting_service.reactions import HEARD, told

CASE_ID, NOON = UUID(int=4), datetime(2026, 4, 1, 10, tzinfo=UTC)


def heard(fact: Any) -> Heard:
    return Heard(
        source="case",
        position=1,
        stream="case-4",
        version=1,
        name=type(fact).__name__,
        fact=fact,
        envelope=Envelope(event_id=UUID(int=3), occurred_at=NOON, actor=SYSTEM, case_id=CASE_ID),
        recorded_at=NOON,
    )


@pytest.mark.parametrize("kind", [ConsentWithdrawn, ConsentExpired])
def test_a_consent_that_ends_is_noted_beside_the_meetings_of_its_case(kind: Any) -> None:
    fact = kind(
        consent_id=UUID(int=9), giving=2, case_id=CASE_ID, scope=Scope.EMP, counterparty="5560360793", effective_at=NOON
    )
    (ask,) = told(heard(fact), NOON)
    assert (ask.aggregate.stream(ask.id), ask.case_id) == (f"meetings-{CASE_ID}", CASE_ID)
    assert ask.command == NoteConsentEnded(consent_id=UUID(int=9), giving=2, at=NOON)


def test_the_end_of_a_case_is_noted_with_its_time() -> None:
    fact = CaseClosed(case_id=CASE_ID, closed_at=NOON, outcome=Outcome.OTHER, spell_days=1, chain_days=1)
    (ask,) = told(heard(fact), NOON)
    assert ask.command == NoteCaseClosed(at=NOON)


def test_af_s_answer_is_noted() -> None:
    fact = ReferralAccepted(referral_id=UUID(int=7), case_id=CASE_ID, officer_ref="o", at=NOON)
    (ask,) = told(heard(fact), NOON)
    assert ask.command == NoteReferral(
        case_id=CASE_ID, referral_id=UUID(int=7), sent_to=None, standing=ReferralStanding.ACCEPTED
    )


def test_an_employer_joins_by_its_notice_and_the_self_employed_does_not() -> None:
    def notice(org_nr: str | None) -> EmployerSickNoticeReceived:
        job = CaseEmployment(
            employment_id=UUID(int=6), org_nr=org_nr, employment_kind=EmploymentKind.ORDINARY, workplace=""
        )
        day = date(2026, 3, 2)
        return EmployerSickNoticeReceived(
            case_id=CASE_ID, person_ref=UUID(int=5), employment=job, spell_start=day, last_sick_pay_day=day
        )

    (ask,) = told(heard(notice("5560360793")), NOON)
    assert ask.command == NoteEmployer(org_nr="5560360793")
    assert told(heard(notice(None)), NOON) == ()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_heard_is_noted_and_heard_twice_is_noted_once(data: st.DataObject) -> None:
    facts: list[Any] = []
    shapes = [CASE.by_class[kind].shape for kind in HEARD]
    for fact in data.draw(st.lists(st.one_of(*map(records, shapes)), max_size=8)):
        for ask in told(heard(fact), NOON):
            facts += decider.decide(ask.command, decider.fold(facts))
            assert decider.decide(ask.command, decider.fold(facts)) == []


def test_every_reaction_is_to_an_event_that_we_hear() -> None:
    declared = {(f.service, d.name) for f in service.hears for d in f}
    assert set(service.reactions) <= declared
