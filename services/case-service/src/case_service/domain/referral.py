"""One referral to Arbetsförmedlingen: may it be sent, and what may AF answer?

Sending rests on two other streams: the case, where the need has been decided, and the consent. The command carries what
was read of them, and the log holds them still until the referral is in it.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from case_service.domain.commands import CaseIsClosed
from case_service.domain.consent import ConsentMissing
from chassis.decider import Aggregate, Decider, Invalid, MissingPredecessor, Refused, Unknown, record
from contracts.case import (
    ConsentGiven,
    Covered,
    DeclineReason,
    EmploymentStatus,
    ReferralAccepted,
    ReferralDeclined,
    ReferralEvent,
    ReferralPurpose,
    ReferralReassigned,
    ReferralToAF,
    RehabNeedDecided,
    Scope,
)

HOLDS = frozenset({Covered.I, Covered.D, Covered.W, Covered.M2, Covered.L})
"""The data classes of what a referral holds beside ids."""

# --- what we know ---


@record
class NotSent:
    """no such referral"""


@record
class Sent:
    """any referral that was sent"""

    sent: ReferralToAF


@record
class Waiting(Sent):
    """a referral that AF has not answered"""

    reassigned: ReferralReassigned | None = None


@record
class Accepted(Sent):
    """a referral that AF has accepted"""

    officer_ref: str
    reassigned: ReferralReassigned | None = None


@record
class Declined(Sent):
    """a referral that AF has declined"""

    reason: DeclineReason


Situation = NotSent | Waiting | Accepted | Declined


def evolve(situation: Situation, fact: ReferralEvent) -> Situation:
    if isinstance(fact, ReferralToAF):
        return Waiting(sent=fact)
    assert not isinstance(situation, NotSent), "every stream begins with ReferralToAF"
    match fact:
        case ReferralAccepted():
            return Accepted(sent=situation.sent, officer_ref=fact.officer_ref)
        case ReferralDeclined():
            return Declined(sent=situation.sent, reason=fact.reason)
        case ReferralReassigned():
            if isinstance(situation, Accepted):
                return replace(situation, officer_ref=fact.officer_ref, reassigned=fact)
            return Waiting(sent=situation.sent, reassigned=fact)
        case _:
            assert_never(fact)


# --- what may be asked: `today` is the Swedish date, `at` the moment in UTC ---


@record
class ReferToAF:
    """refer the person to Arbetsförmedlingen

    `decision` is the newest decision about the need, `consent` the consent of scope AF that is in force; None where
    there is none."""

    referral_id: UUID
    case_id: UUID
    person_ref: UUID
    person_id: str
    sent_to: str
    case_open: bool
    decision: RehabNeedDecided | None
    consent: ConsentGiven | None
    purpose: ReferralPurpose
    employment_status: EmploymentStatus
    incapacity_pct: int
    function_summary: str
    wished_by: date
    today: date
    at: datetime


@record
class AcceptReferral:
    """accept the referral

    `consent` is the consent of scope AF that is in force, None where there is none."""

    officer_ref: str
    consent: ConsentGiven | None
    at: datetime


@record
class DeclineReferral:
    """decline the referral"""

    reason: DeclineReason
    at: datetime


@record
class ReassignReferral:
    """let another officer answer for it"""

    office: str
    officer_ref: str
    at: datetime


Command = ReferToAF | AcceptReferral | DeclineReferral | ReassignReferral


class ReferralUnknown(Unknown):
    reason = "There is no such referral here."
    do = "Check the id."


class NeedNotDecided(MissingPredecessor):
    reason = "It has not been decided whether rehabilitation is needed."
    do = "Decide the need first; it is decided also when the answer is no."


class NoNeed(Refused):
    reason = "The newest decision says that no rehabilitation is needed."
    do = "Decide the need anew if it has changed."


class ConsentTooNarrow(Refused):
    reason = "The person's consent does not cover what a referral holds: identity, days, work, function and the need."
    do = "Ask the person for a consent that covers I, D, W, M2 and L."


class AlreadyAnswered(Refused):
    reason = "The referral has been answered already."
    do = "Read the answer. FK sends a new referral when something has changed."


class WishedByPassed(Invalid):
    field = "wishedBy"
    reason = "The day by which an answer is wished must not have passed."
    do = "Give today or a later day."


# --- what is answered ---


def decide(command: Command, situation: Situation) -> list[ReferralEvent]:
    match command, situation:
        case ReferToAF(), NotSent() if case_is_closed(command):
            raise CaseIsClosed
        case ReferToAF(), NotSent() if need_not_decided(command):
            raise NeedNotDecided
        case ReferToAF(), NotSent() if no_need(command):
            raise NoNeed
        case ReferToAF(), NotSent() if lacks_consent(command):
            raise ConsentMissing
        case ReferToAF(), NotSent() if too_narrow(command):
            raise ConsentTooNarrow
        case ReferToAF(), NotSent():
            return [sent(command)]
        case ReferToAF(), Waiting() | Accepted() | Declined():
            return []  # this very referral is sent

        case AcceptReferral() | DeclineReferral() | ReassignReferral(), NotSent():
            raise ReferralUnknown

        case AcceptReferral(), Waiting() if consent_is_gone(command, situation.sent):
            raise ConsentMissing
        case AcceptReferral(), Waiting():
            return [accepted(command, situation.sent)]
        case AcceptReferral(), Accepted() if same_officer(command, situation):
            return []  # it is accepted already
        case AcceptReferral(), Accepted() | Declined():
            raise AlreadyAnswered

        case DeclineReferral(), Waiting():
            return [declined(command, situation.sent)]
        case DeclineReferral(), Declined() if same_reason(command, situation):
            return []  # it is declined already
        case DeclineReferral(), Accepted() | Declined():
            raise AlreadyAnswered

        case ReassignReferral(), Waiting() | Accepted() if same_place(command, situation):
            return []  # that officer answers for it already
        case ReassignReferral(), Waiting() | Accepted():
            return [reassigned(command, situation.sent)]
        case ReassignReferral(), Declined():
            raise AlreadyAnswered
        case _:
            assert_never((command, situation))


decider: Decider[Command, Situation, ReferralEvent] = Decider(initial=NotSent(), decide=decide, evolve=evolve)
referral = Aggregate("referral", decider)

# --- on what it depends ---


def case_is_closed(command: ReferToAF) -> bool:
    """the case is closed"""
    return not command.case_open


def need_not_decided(command: ReferToAF) -> bool:
    """the need of rehabilitation has not been decided"""
    return command.decision is None


def no_need(command: ReferToAF) -> bool:
    """the newest decision says that there is no need"""
    return command.decision is not None and not command.decision.need


def lacks_consent(command: ReferToAF) -> bool:
    """no consent towards AF is in force for this case"""
    return not _covers(command.consent, command.case_id, command.sent_to)


def too_narrow(command: ReferToAF) -> bool:
    """the consent does not cover all that is sent"""
    return command.consent is not None and not set(command.consent.data_classes) >= HOLDS


def consent_is_gone(command: AcceptReferral, known: ReferralToAF) -> bool:
    """the consent it was sent under is no longer in force, or was given anew and covers less"""
    return not is_open_to_af(command.consent, known)


def is_open_to_af(consent: ConsentGiven | None, known: ReferralToAF) -> bool:
    """May AF see this referral under the consent that is in force now? One that was given anew may cover less."""
    return consent is not None and _covers(consent, known.case_id, known.sent_to) and set(consent.data_classes) >= HOLDS


def _covers(consent: ConsentGiven | None, case_id: UUID, counterparty: str) -> bool:
    return (
        consent is not None
        and consent.scope is Scope.AF
        and consent.case_id == case_id
        and consent.counterparty == counterparty
    )


def same_officer(command: AcceptReferral, known: Accepted) -> bool:
    """the same officer had accepted it"""
    return command.officer_ref == known.officer_ref


def same_reason(command: DeclineReferral, known: Declined) -> bool:
    """the reason is the same"""
    return command.reason == known.reason


def same_place(command: ReassignReferral, known: Waiting | Accepted) -> bool:
    """it had been moved to that office and officer"""
    last = known.reassigned
    return last is not None and (last.office, last.officer_ref) == (command.office, command.officer_ref)


# --- what is written down ---


def sent(command: ReferToAF) -> ReferralToAF:
    assert command.decision is not None
    assert command.consent is not None
    if command.wished_by < command.today:
        raise WishedByPassed
    return ReferralToAF(
        referral_id=command.referral_id,
        case_id=command.case_id,
        person_ref=command.person_ref,
        sent_to=command.sent_to,
        consent_id=command.consent.consent_id,
        person_id=command.person_id,
        purpose=command.purpose,
        employment_status=command.employment_status,
        incapacity_pct=command.incapacity_pct,
        function_summary=command.function_summary,
        need_types=command.decision.types,
        wished_by=command.wished_by,
        sent_at=command.at,
    )


def accepted(command: AcceptReferral, known: ReferralToAF) -> ReferralAccepted:
    return ReferralAccepted(
        referral_id=known.referral_id, case_id=known.case_id, officer_ref=command.officer_ref, at=command.at
    )


def declined(command: DeclineReferral, known: ReferralToAF) -> ReferralDeclined:
    return ReferralDeclined(referral_id=known.referral_id, case_id=known.case_id, reason=command.reason, at=command.at)


def reassigned(command: ReassignReferral, known: ReferralToAF) -> ReferralReassigned:
    return ReferralReassigned(
        referral_id=known.referral_id,
        case_id=known.case_id,
        office=command.office,
        officer_ref=command.officer_ref,
        at=command.at,
    )
