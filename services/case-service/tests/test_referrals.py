"""What is answered to each thing that may be asked about a referral to Arbetsförmedlingen."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from case_service.domain.commands import CaseIsClosed
from case_service.domain.consent import ConsentMissing
from case_service.domain.referral import (
    AcceptReferral,
    AlreadyAnswered,
    ConsentTooNarrow,
    DeclineReferral,
    NeedNotDecided,
    NoNeed,
    ReassignReferral,
    ReferralUnknown,
    ReferToAF,
    WishedByPassed,
    decider,
)
from chassis.decider import MissingPredecessor
from chassis.testing import scenarios
from contracts.case import (
    ConsentForm,
    ConsentGiven,
    Covered,
    DeclineReason,
    EmploymentStatus,
    NeedType,
    Purpose,
    ReferralAccepted,
    ReferralEvent,
    ReferralPurpose,
    ReferralToAF,
    RehabNeedDecided,
    Scope,
)

given = scenarios(decider)

TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
CASE, PERSON, AF = UUID(int=1), UUID(int=2), "2021002114"
DECISION = RehabNeedDecided(
    case_id=CASE,
    person_ref=PERSON,
    decision_id=UUID(int=5),
    need=True,
    types=(NeedType.OCCUPATIONAL,),
    responsible=(),
    consulted_at=None,
    person_view="",
    decided_at=NOON,
)
CONSENT = ConsentGiven(
    consent_id=UUID(int=3),
    giving=1,
    case_id=CASE,
    opening=1,
    person_ref=PERSON,
    scope=Scope.AF,
    counterparty=AF,
    purpose=Purpose.JOINT_ASSESSMENT,
    data_classes=(Covered.I, Covered.D, Covered.W, Covered.M2, Covered.L),
    valid_from=TODAY,
    valid_to=TODAY + timedelta(days=365),
    form=ConsentForm.WRITTEN,
    evidence_ref=UUID(int=4),
)
REFER = ReferToAF(
    referral_id=UUID(int=9),
    case_id=CASE,
    person_ref=PERSON,
    person_id="640823-3234",
    sent_to=AF,
    case_open=True,
    decision=DECISION,
    consent=CONSENT,
    purpose=ReferralPurpose.JOINT_ASSESSMENT,
    employment_status=EmploymentStatus.EMPLOYED,
    incapacity_pct=50,
    function_summary="Kan sitta, inte lyfta",
    wished_by=TODAY + timedelta(days=28),
    today=TODAY,
    at=NOON,
)
ACCEPT = AcceptReferral(officer_ref="officer-1", consent=CONSENT, at=NOON)
DECLINE = DeclineReferral(reason=DeclineReason.NO_CAPACITY, at=NOON)
MOVE = ReassignReferral(office="umea", officer_ref="officer-2", at=NOON)


def after(*commands: Any) -> list[ReferralEvent]:
    facts: list[ReferralEvent] = []
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


def test_a_person_is_referred_under_consent_once_the_need_is_decided() -> None:
    (sent,) = given().when(REFER).facts()
    assert isinstance(sent, ReferralToAF)
    assert (sent.consent_id, sent.need_types) == (CONSENT.consent_id, (NeedType.OCCUPATIONAL,))
    given(*after(REFER)).when(REFER).nothing_happens()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"case_open": False}, CaseIsClosed),
        ({"decision": None}, NeedNotDecided),
        ({"decision": None, "consent": None}, NeedNotDecided),
        ({"decision": replace(DECISION, need=False, types=())}, NoNeed),
        ({"consent": None}, ConsentMissing),
        ({"consent": replace(CONSENT, scope=Scope.CARE)}, ConsentMissing),
        ({"consent": replace(CONSENT, counterparty="2321000016")}, ConsentMissing),
        ({"consent": replace(CONSENT, case_id=UUID(int=77))}, ConsentMissing),
        ({"consent": replace(CONSENT, data_classes=(Covered.D,))}, ConsentTooNarrow),
        ({"wished_by": TODAY - timedelta(days=1)}, WishedByPassed),
    ],
)
def test_a_referral_that_may_not_be_sent(change: dict[str, Any], why: Any) -> None:
    given().when(replace(REFER, **change)).refused(why)


def test_a_referral_before_the_decision_is_one_that_came_too_early() -> None:
    assert issubclass(NeedNotDecided, MissingPredecessor)


def test_af_accepts_once_and_keeps_to_it() -> None:
    given(*after(REFER)).when(ACCEPT).then(
        ReferralAccepted(referral_id=REFER.referral_id, case_id=CASE, officer_ref="officer-1", at=NOON)
    )
    accepted = after(REFER, ACCEPT)
    given(*accepted).when(ACCEPT).nothing_happens()
    given(*accepted).when(replace(ACCEPT, officer_ref="officer-3")).refused(AlreadyAnswered)
    given(*accepted).when(DECLINE).refused(AlreadyAnswered)


def test_af_declines_once_and_keeps_to_it() -> None:
    declined = after(REFER, DECLINE)
    given(*declined).when(DECLINE).nothing_happens()
    given(*declined).when(replace(DECLINE, reason=DeclineReason.OTHER)).refused(AlreadyAnswered)
    given(*declined).when(ACCEPT).refused(AlreadyAnswered)
    given(*declined).when(MOVE).refused(AlreadyAnswered)


def test_nothing_is_accepted_when_the_consent_is_gone_but_it_may_be_declined() -> None:
    for consent in (None, replace(CONSENT, counterparty="2321000016"), replace(CONSENT, data_classes=(Covered.D,))):
        given(*after(REFER)).when(replace(ACCEPT, consent=consent)).refused(ConsentMissing)
    assert after(REFER, DECLINE)


def test_another_officer_can_answer_for_it_before_and_after() -> None:
    for history in (after(REFER, MOVE), after(REFER, ACCEPT, MOVE)):
        given(*history).when(MOVE).nothing_happens()
    given(*after(REFER, MOVE)).when(ACCEPT).then(*after(REFER, ACCEPT)[1:])


@pytest.mark.parametrize("command", [ACCEPT, DECLINE, MOVE], ids=lambda c: type(c).__name__)
def test_what_was_never_sent_is_not_answered(command: Any) -> None:
    given().when(command).refused(ReferralUnknown)
