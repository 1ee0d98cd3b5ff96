"""One joint assessment of FK and Arbetsförmedlingen: may it be recorded?

It follows a referral that AF has accepted, and two consents of the person: that FK and AF share (AF), and that what
they came to is registered (SUS_REG) [W10].
"""

from datetime import date, datetime
from typing import assert_never
from uuid import UUID, uuid5

from chassis.decider import MissingPredecessor, Refused, Unknown, but, record
from contracts.case import Scope
from contracts.meeting import (
    Conclusion,
    JointAssessmentHeld,
    MeetingKind,
    Party,
    PartyCommented,
    ReferralNoted,
    ReferralStanding,
    Stance,
)
from meeting_service.domain.commands import CaseIsClosed, ConsentMissing, MeetingNotHeld
from meeting_service.domain.heard import NOTHING, Grounds
from meeting_service.domain.parties import ASSESSMENT_HOLDS, org_of, party_of
from meeting_service.domain.situations import Held, Minuted, NotThere, Situation

# --- what we know ---


@record
class NotAssessed:
    """no joint assessment after this referral"""

    grounds: Grounds = NOTHING
    referral: ReferralNoted | None = None
    meeting: Situation | None = None


@record
class Assessed:
    """a joint assessment"""

    grounds: Grounds = NOTHING
    assessment: JointAssessmentHeld
    comments: tuple[PartyCommented, ...] = ()


Standing = NotAssessed | Assessed


def evolve(standing: Standing, fact: JointAssessmentHeld | PartyCommented) -> Standing:
    match fact:
        case JointAssessmentHeld():
            return Assessed(assessment=fact)
        case PartyCommented():
            assert isinstance(standing, Assessed)
            return but(standing, comments=(*standing.comments, fact))


# --- what may be asked ---


@record
class HoldJointAssessment:
    """record a joint assessment"""

    referral_id: UUID
    by: str
    meeting_id: UUID | None
    conclusion: Conclusion
    function_view: str
    work_view: str
    today: date
    at: datetime


@record
class CommentAssessment:
    """say what one thinks of a joint assessment"""

    referral_id: UUID
    by: str
    stance: Stance
    text: str
    today: date


AssessmentCommand = HoldJointAssessment | CommentAssessment


class AssessmentBeforeReferral(MissingPredecessor):
    reason = "Arbetsförmedlingen has not accepted a referral like this one, or that is not known here yet."
    do = "Wait for AF's answer to the referral."


class ReferralWasDeclined(Refused):
    reason = "Arbetsförmedlingen has declined the referral."
    do = "Look for another way, or send a new referral when something has changed."


class AlreadyAssessed(Refused):
    reason = "A joint assessment with other particulars has been recorded after this referral."
    do = "A party that sees it otherwise comments on it."


class AssessmentUnknown(Unknown):
    reason = "There is no such joint assessment here, or not for you."
    do = "Check the id."


# --- what is answered ---


def decide(command: AssessmentCommand, standing: Standing) -> list[JointAssessmentHeld | PartyCommented]:
    match command, standing:
        case HoldJointAssessment(), NotAssessed() if before_referral(command, standing):
            raise AssessmentBeforeReferral
        case HoldJointAssessment(), NotAssessed() if was_declined(standing):
            raise ReferralWasDeclined
        case HoldJointAssessment(), NotAssessed() if case_is_closed(standing):
            raise CaseIsClosed
        case HoldJointAssessment(), NotAssessed() if lacks_consent(command, standing):
            raise ConsentMissing
        case HoldJointAssessment(), NotAssessed() if meeting_not_held(command, standing):
            raise MeetingNotHeld
        case HoldJointAssessment(), NotAssessed():
            return [assessed(command, standing)]
        case HoldJointAssessment(), Assessed() if assessed_so(command, standing):
            return []  # it is recorded already
        case HoldJointAssessment(), Assessed():
            raise AlreadyAssessed

        case CommentAssessment(), NotAssessed():
            raise AssessmentUnknown
        case CommentAssessment(), Assessed() if is_not_shown_it(command, standing):
            raise AssessmentUnknown
        case CommentAssessment(), Assessed() if commented_so(command, standing):
            return []  # it stands there already
        case CommentAssessment(), Assessed():
            return [commented(command, standing)]
        case _:
            assert_never((command, standing))


# --- on what it depends ---


def before_referral(command: HoldJointAssessment, standing: NotAssessed) -> bool:
    """no such referral is known here, AF has not accepted it, or it went to another authority"""
    sent = standing.referral
    if sent is None or sent.standing is ReferralStanding.SENT:
        return True
    return party_of(command.by) is Party.AF and org_of(command.by) != sent.sent_to


def was_declined(standing: NotAssessed) -> bool:
    """AF has declined the referral"""
    return standing.referral is not None and standing.referral.standing is ReferralStanding.DECLINED


def case_is_closed(standing: NotAssessed) -> bool:
    """the case is closed"""
    return not standing.grounds.noted.opened


def lacks_consent(command: HoldJointAssessment, standing: NotAssessed) -> bool:
    """the consent towards AF, or that to registration, is not in force, or the first covers too little"""
    assert standing.referral is not None
    grounds, sent_to = standing.grounds, standing.referral.sent_to
    shared = grounds.consent(Scope.AF, sent_to, command.today, ASSESSMENT_HOLDS)
    return shared is None or grounds.consent(Scope.SUS_REG, sent_to, command.today) is None


def meeting_not_held(command: HoldJointAssessment, standing: NotAssessed) -> bool:
    """the meeting it names is no joint assessment, or was not held"""
    if command.meeting_id is None:
        return False
    known = standing.meeting or NotThere()
    return not isinstance(known, Held | Minuted) or known.held.kind is not MeetingKind.JOINT_ASSESSMENT


def assessed_so(command: HoldJointAssessment, standing: Assessed) -> bool:
    """it was recorded with the same particulars"""
    was = standing.assessment
    return (was.meeting_id, was.conclusion, was.function_view, was.work_view) == (
        command.meeting_id,
        command.conclusion,
        command.function_view,
        command.work_view,
    )


def may_see(grounds: Grounds, ref: str, today: date) -> bool:
    """Is a party shown the case's joint assessments? AF only under a consent that covers what they say."""
    if party_of(ref) is not Party.AF:
        return True
    return grounds.consent(Scope.AF, org_of(ref), today, ASSESSMENT_HOLDS) is not None


def is_not_shown_it(command: CommentAssessment, standing: Assessed) -> bool:
    """the consent under which AF was shown it is not in force, or covers too little"""
    return not may_see(standing.grounds, command.by, command.today)


def commented_so(command: CommentAssessment, standing: Assessed) -> bool:
    """the same party said the same of it"""
    return (command.by, command.stance, command.text) in {(c.by, c.stance, c.text) for c in standing.comments}


# --- what is written down ---


def assessment_id_of(referral_id: UUID) -> UUID:
    return uuid5(referral_id, "assessment")


def assessed(command: HoldJointAssessment, standing: NotAssessed) -> JointAssessmentHeld:
    case = standing.grounds.noted
    return JointAssessmentHeld(
        assessment_id=assessment_id_of(command.referral_id),
        case_id=case.case_id,
        person_ref=case.person_ref,
        referral_id=command.referral_id,
        meeting_id=command.meeting_id,
        conclusion=command.conclusion,
        function_view=command.function_view,
        work_view=command.work_view,
        held_at=command.at,
    )


def commented(command: CommentAssessment, standing: Assessed) -> PartyCommented:
    was = standing.assessment
    return PartyCommented(
        comment_id=uuid5(was.assessment_id, f"comment/{len(standing.comments) + 1}"),
        case_id=was.case_id,
        person_ref=was.person_ref,
        meeting_id=was.meeting_id,
        about=was.assessment_id,
        by=command.by,
        stance=command.stance,
        text=command.text,
    )
