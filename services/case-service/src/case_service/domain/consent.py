"""One consent: of one person in one case, of one scope, towards one party. Is it given, and does it still hold?

Consent lifts secrecy; it is not the legal ground for processing. It must say what it covers: a blanket consent is none
(OSL 10:1, 12:2). Withdrawing works forward, from the moment it is recorded. A consent is given in an open case and ends
with it: when the case is opened again, the person is asked again.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

from case_service.domain.commands import CaseIsClosed
from chassis.decider import Aggregate, Decider, Invalid, Refused, Unknown, record
from contracts.case import (
    ConsentEvent,
    ConsentExpired,
    ConsentForm,
    ConsentGiven,
    ConsentWithdrawn,
    Covered,
    Purpose,
    Scope,
)

LASTS_MONTHS = 12
"""Months that a consent lasts at most, and unless it says otherwise (row 16) [A]."""


# --- what we know ---


@record
class NeverGiven:
    """no such consent"""


@record
class Given:
    """a consent that has been given"""

    given: ConsentGiven


@record
class Ended:
    """a consent that was withdrawn or has expired"""

    given: ConsentGiven


Situation = NeverGiven | Given | Ended


def evolve(situation: Situation, fact: ConsentEvent) -> Situation:
    match fact:
        case ConsentGiven():
            return Given(given=fact)
        case ConsentWithdrawn() | ConsentExpired():
            assert not isinstance(situation, NeverGiven), "every stream begins with ConsentGiven"
            return Ended(given=situation.given)
        case _:
            assert_never(fact)


def holds(situation: Situation, today: date, opening: int | None) -> ConsentGiven | None:
    """The consent, if it may be acted on today, in a case that stands open by this opening (None: it is not open).
    `today` is the Swedish date."""
    match situation:
        case Given(given=given) if given.opening == opening and given.valid_from <= today <= given.valid_to:
            return given
        case NeverGiven() | Given() | Ended():
            return None
        case _:
            assert_never(situation)


# --- what may be asked: `today` is the Swedish date, `at` the moment in UTC ---


@record
class GiveConsent:
    """give consent

    `opening` is that by which the case stands open; None where it is closed."""

    consent_id: UUID
    case_id: UUID
    person_ref: UUID
    scope: Scope
    counterparty: str
    purpose: Purpose
    data_classes: tuple[Covered, ...]
    valid_from: date
    valid_to: date | None
    form: ConsentForm
    evidence_ref: UUID
    opening: int | None
    today: date
    at: datetime


@record
class WithdrawConsent:
    """withdraw consent"""

    effective_at: datetime | None
    at: datetime


@record
class RecordConsentExpired:
    """record that a consent's last day is over"""

    today: date
    at: datetime


@record
class EndWithCase:
    """end a consent because its case has been closed

    `giving` is the one that was in force then."""

    giving: int
    at: datetime


Command = GiveConsent | WithdrawConsent | RecordConsentExpired | EndWithCase


class ConsentUnknown(Unknown):
    reason = "There is no such consent here."
    do = "Check the id."


class ConsentMissing(Refused):
    reason = "The person has not consented to this, or no longer does."
    do = "Ask the person for consent, register it, and try again."


class ConsentAlreadyGiven(Refused):
    reason = "A consent of this scope towards this party is in force, with other particulars or until a later day."
    do = "To make it last longer give a later last day and nothing else new. Else withdraw it first."


class RenewalLeavesGap(Invalid):
    field = "validFrom"
    reason = "The consent in force would stop until the new one begins."
    do = "Leave the first day out: what is given anew holds from today."


class BlanketConsent(Invalid):
    field = "dataClasses"
    reason = "A consent must say what it covers; one that covers everything, or does not say, is no consent."
    do = "Name the kinds of data that are needed for this purpose."


class ConsentEndsBeforeStart(Invalid):
    field = "validTo"
    reason = "The consent ends before it begins, or is already over."
    do = "Give a last day that lies ahead, or leave it out: then it lasts a year."


class ConsentTooLong(Invalid):
    field = "validTo"
    reason = "A consent lasts twelve months at most from its first day."
    do = "Give a day within twelve months, or leave it out. Before it ends the person can make it last longer."


class WithdrawalBackdated(Invalid):
    field = "effectiveAt"
    reason = "A consent is withdrawn from now on, not from an earlier time: what was done under it was lawful."
    do = "Leave the time out."


class WithdrawalAhead(Invalid):
    field = "effectiveAt"
    reason = "A consent is withdrawn when the person says so, not at a later time."
    do = "Leave the time out, or send the withdrawal when it is to take effect."


# --- what is answered ---


def decide(command: Command, situation: Situation) -> list[ConsentEvent]:
    match command, situation:
        case GiveConsent(), NeverGiven() | Given() | Ended() if case_is_closed(command):
            raise CaseIsClosed
        case GiveConsent(), NeverGiven():
            return [given(command, 1)]
        case GiveConsent(), Given() if says_the_same(command, situation.given):
            return []  # it is in force already
        case GiveConsent(), Given() if is_over(situation.given, command.today):
            return [expired(situation.given, command.at), given(command, situation.given.giving + 1)]
        case GiveConsent(), Given() if ended_with_the_case(command, situation.given):
            return [expired(situation.given, command.at), given(command, situation.given.giving + 1)]
        case GiveConsent(), Given() if lasts_longer(command, situation.given):
            return [renewed(command, situation.given)]
        case GiveConsent(), Given():
            raise ConsentAlreadyGiven
        case GiveConsent(), Ended():
            return [given(command, situation.given.giving + 1)]

        case WithdrawConsent() | RecordConsentExpired() | EndWithCase(), NeverGiven():
            raise ConsentUnknown
        case WithdrawConsent(), Given() if backdated(command):
            raise WithdrawalBackdated
        case WithdrawConsent(), Given() if ahead(command):
            raise WithdrawalAhead
        case WithdrawConsent(), Given():
            return [withdrawn(situation.given, command.at)]
        case WithdrawConsent(), Ended():
            return []  # it holds no more already

        case RecordConsentExpired(), Given() if is_over(situation.given, command.today):
            return [expired(situation.given, command.at)]
        case RecordConsentExpired(), Given():
            return []  # it was given anew and lasts longer
        case RecordConsentExpired(), Ended():
            return []  # it holds no more already
        case EndWithCase(), Given() if given_anew(command, situation.given):
            return []  # the person has given it again since
        case EndWithCase(), Given():
            return [expired(situation.given, command.at)]
        case EndWithCase(), Ended():
            return []  # it holds no more already
        case _:
            assert_never((command, situation))


decider: Decider[Command, Situation, ConsentEvent] = Decider(initial=NeverGiven(), decide=decide, evolve=evolve)
consent = Aggregate("consent", decider)

# --- on what it depends ---


def says_the_same(command: GiveConsent, known: ConsentGiven) -> bool:
    """it is in force with the same particulars"""
    return not is_over(known, command.today) and given(command, known.giving) == known


def case_is_closed(command: GiveConsent) -> bool:
    """the case is closed"""
    return command.opening is None


def ended_with_the_case(command: GiveConsent, known: ConsentGiven) -> bool:
    """the case has been closed and opened again since"""
    return command.opening != known.opening


def given_anew(command: EndWithCase, known: ConsentGiven) -> bool:
    """it has been given anew since"""
    return command.giving != known.giving


def lasts_longer(command: GiveConsent, known: ConsentGiven) -> bool:
    """its last day is a later one, its purpose and what it covers are the same"""
    new = given(command, known.giving)
    return new.valid_to > known.valid_to and (new.purpose, new.data_classes) == (known.purpose, known.data_classes)


def is_over(known: ConsentGiven, today: date) -> bool:
    """its last day has passed"""
    return today > known.valid_to


def backdated(command: WithdrawConsent) -> bool:
    """it names an earlier time"""
    return command.effective_at is not None and command.effective_at < command.at


def ahead(command: WithdrawConsent) -> bool:
    """it names a later time"""
    return command.effective_at is not None and command.effective_at > command.at


# --- what is written down ---


def lasts_until(valid_from: date, valid_to: date | None, today: date) -> date:
    """Its last day. Raises ConsentEndsBeforeStart and ConsentTooLong."""
    longest = months_after(valid_from, LASTS_MONTHS)
    last = valid_to or longest
    if last < max(valid_from, today):
        raise ConsentEndsBeforeStart
    if last > longest:
        raise ConsentTooLong
    return last


def months_after(day: date, months: int) -> date:
    """The same day so many months later; where that month has no such day, its last."""
    count = day.year * 12 + day.month - 1 + months
    first, following = (date(c // 12, c % 12 + 1, 1) for c in (count, count + 1))
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def covered_by(data_classes: Sequence[Covered]) -> tuple[Covered, ...]:
    """What it covers, each class once, in their order. Raises BlanketConsent."""
    covered = tuple(c for c in Covered if c in data_classes)
    if not covered or len(covered) == len(Covered):
        raise BlanketConsent
    return covered


def given(command: GiveConsent, giving: int) -> ConsentGiven:
    assert command.opening is not None
    valid_to = lasts_until(command.valid_from, command.valid_to, command.today)
    return ConsentGiven(
        consent_id=command.consent_id,
        giving=giving,
        case_id=command.case_id,
        opening=command.opening,
        person_ref=command.person_ref,
        scope=command.scope,
        counterparty=command.counterparty,
        purpose=command.purpose,
        data_classes=covered_by(command.data_classes),
        valid_from=command.valid_from,
        valid_to=valid_to,
        form=command.form,
        evidence_ref=command.evidence_ref,
    )


def renewed(command: GiveConsent, known: ConsentGiven) -> ConsentGiven:
    """Given anew while it is in force: the new one replaces it from the moment it is recorded, so it must hold at once
    where the old one does."""
    if command.valid_from > max(known.valid_from, command.today):
        raise RenewalLeavesGap
    return given(command, known.giving + 1)


def withdrawn(known: ConsentGiven, at: datetime) -> ConsentWithdrawn:
    return ConsentWithdrawn(
        consent_id=known.consent_id,
        giving=known.giving,
        case_id=known.case_id,
        scope=known.scope,
        counterparty=known.counterparty,
        effective_at=at,
    )


def expired(known: ConsentGiven, at: datetime) -> ConsentExpired:
    return ConsentExpired(
        consent_id=known.consent_id,
        giving=known.giving,
        case_id=known.case_id,
        scope=known.scope,
        counterparty=known.counterparty,
        effective_at=at,
    )
