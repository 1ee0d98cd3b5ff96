"""What is answered when FK and Arbetsförmedlingen record a joint assessment."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.decider import MissingPredecessor
from chassis.testing import scenarios
from contracts.case import Covered, Scope
from contracts.meeting import (
    Conclusion,
    ConsentNoted,
    JointAssessmentHeld,
    MeetingEvent,
    PartyCommented,
    ReferralStanding,
    Stance,
)
from meeting_service.domain.assessment import (
    AlreadyAssessed,
    AssessmentBeforeReferral,
    AssessmentUnknown,
    CommentAssessment,
    HoldJointAssessment,
    ReferralWasDeclined,
    assessment_id_of,
)
from meeting_service.domain.commands import CaseIsClosed, ConsentMissing, MeetingNotHeld
from meeting_service.domain.heard import NoteCase, NoteCaseClosed, NoteConsent, NoteConsentEnded, NoteReferral
from meeting_service.domain.meetings import decider

given = scenarios(decider)

CASE, PERSON_REF, REFERRAL, AF = UUID(int=1), UUID(int=2), UUID(int=3), "2021002114"
TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
OPENED = NoteCase(case_id=CASE, person_ref=PERSON_REF, employers=())
CONSENTS = {Scope.AF: UUID(int=21), Scope.SUS_REG: UUID(int=22)}


def consent(scope: Scope, party: str = AF) -> NoteConsent:
    return NoteConsent(
        consent=ConsentNoted(
            case_id=CASE,
            consent_id=CONSENTS[scope],
            giving=1,
            scope=scope,
            counterparty=party,
            data_classes=(Covered.D, Covered.W, Covered.M2, Covered.L),
            valid_from=TODAY,
            valid_to=TODAY + timedelta(days=365),
            standing=True,
        )
    )


def referral(standing: ReferralStanding) -> NoteReferral:
    sent_to = AF if standing is ReferralStanding.SENT else None
    return NoteReferral(case_id=CASE, referral_id=REFERRAL, sent_to=sent_to, standing=standing)


SENT, ACCEPTED, DECLINED = map(referral, ReferralStanding)
BOTH = (consent(Scope.AF), consent(Scope.SUS_REG))
READY = (OPENED, *BOTH, SENT, ACCEPTED)
ASSESS = HoldJointAssessment(
    referral_id=REFERRAL,
    by="fk:2021005521",
    meeting_id=None,
    conclusion=Conclusion.AF_ACTIVITY,
    function_view="Kan sitta",
    work_view="Arbetsträning",
    today=TODAY,
    at=NOON,
)
DISSENT = CommentAssessment(
    referral_id=REFERRAL, by=f"person:{PERSON_REF}", stance=Stance.DISAGREES, text="Jag vill något annat", today=TODAY
)


def after(*commands: Any) -> list[MeetingEvent]:
    facts: list[MeetingEvent] = []
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


def test_a_joint_assessment_is_recorded_after_af_has_accepted() -> None:
    given(*after(*READY)).when(ASSESS).then(
        JointAssessmentHeld(
            assessment_id=assessment_id_of(REFERRAL),
            case_id=CASE,
            person_ref=PERSON_REF,
            referral_id=REFERRAL,
            meeting_id=None,
            conclusion=Conclusion.AF_ACTIVITY,
            function_view="Kan sitta",
            work_view="Arbetsträning",
            held_at=NOON,
        )
    )


def test_an_assessment_before_the_referral_is_one_that_came_too_early() -> None:
    assert issubclass(AssessmentBeforeReferral, MissingPredecessor)
    for history in ((OPENED, *BOTH), (OPENED, *BOTH, SENT)):
        given(*after(*history)).when(ASSESS).refused(AssessmentBeforeReferral)
    given(*after(*READY)).when(replace(ASSESS, by="af:2021000000")).refused(AssessmentBeforeReferral)


def test_a_declined_referral_leads_to_none() -> None:
    given(*after(OPENED, *BOTH, SENT, DECLINED)).when(ASSESS).refused(ReferralWasDeclined)


def test_it_rests_on_a_consent_that_covers_function_and_what_it_came_to() -> None:
    shared, register = BOTH
    narrow = replace(shared, consent=replace(shared.consent, data_classes=(Covered.D, Covered.W)))
    given(*after(OPENED, narrow, register, SENT, ACCEPTED)).when(ASSESS).refused(ConsentMissing)


@pytest.mark.parametrize("missing", [Scope.AF, Scope.SUS_REG])
def test_it_rests_on_both_consents(missing: Scope) -> None:
    without = [c for c in BOTH if c.consent.scope is not missing]
    given(*after(OPENED, *without, SENT, ACCEPTED)).when(ASSESS).refused(ConsentMissing)
    ended = NoteConsentEnded(consent_id=CONSENTS[missing], giving=1, at=NOON)
    given(*after(*READY, ended)).when(ASSESS).refused(ConsentMissing)
    elsewhere = consent(missing, "2021000000")
    given(*after(OPENED, *without, elsewhere, SENT, ACCEPTED)).when(ASSESS).refused(ConsentMissing)


def test_none_is_recorded_in_a_closed_case_or_at_a_meeting_that_was_not_held() -> None:
    given(*after(*READY, NoteCaseClosed(at=NOON))).when(ASSESS).refused(CaseIsClosed)
    given(*after(*READY)).when(replace(ASSESS, meeting_id=UUID(int=9))).refused(MeetingNotHeld)


def test_af_comments_as_long_as_the_consent_holds_also_when_it_ends_in_between() -> None:
    ending = NoteConsentEnded(consent_id=CONSENTS[Scope.AF], giving=1, at=NOON)
    says = replace(DISSENT, by=f"af:{AF}")
    assert len(decider.decide(says, decider.fold(after(*READY, ASSESS)))) == 1
    given(*after(*READY, ASSESS, ending)).when(says).refused(AssessmentUnknown)
    given(*after(*READY, ASSESS)).when(replace(says, today=TODAY + timedelta(days=366))).refused(AssessmentUnknown)
    assert len(decider.decide(DISSENT, decider.fold(after(*READY, ASSESS, ending)))) == 1  # the person always may


def test_there_is_one_assessment_per_referral() -> None:
    given(*after(*READY, ASSESS)).when(replace(ASSESS, at=NOON + timedelta(days=1))).nothing_happens()
    given(*after(*READY, ASSESS)).when(replace(ASSESS, conclusion=Conclusion.NOT_YET)).refused(AlreadyAssessed)


def test_the_persons_dissent_stands_beside_it() -> None:
    (said,) = given(*after(*READY, ASSESS)).when(DISSENT).facts()
    assert isinstance(said, PartyCommented)
    assert (said.about, said.meeting_id) == (assessment_id_of(REFERRAL), None)
    given(*after(*READY, ASSESS, DISSENT)).when(DISSENT).nothing_happens()
    given(*after(*READY)).when(DISSENT).refused(AssessmentUnknown)


def test_an_answer_to_a_referral_is_noted_once_and_stays() -> None:
    given(*after(*READY)).when(DECLINED).nothing_happens()
    given(*after(*READY)).when(SENT).nothing_happens()
    given(*after(OPENED)).when(ACCEPTED).nothing_happens()
