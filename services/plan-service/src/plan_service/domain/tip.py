"""The rules of a tip to Arbetsmiljöverket about an employer: proposed, sent, acknowledged, concluded.

A tip stands in a stream of its own, under an id that leads to no employment. It is about an employer and names no
person. What it rests on is looked at in the employment when it is proposed and again when it is sent (`grounds.py`).
"""

from datetime import date
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, MissingPredecessor, Refused, Unknown, record
from contracts.plan import (
    SupervisionTipAcknowledged,
    SupervisionTipOutcome,
    SupervisionTipSent,
    TipEvent,
    TipGround,
    TipKind,
    TipOutcome,
    TipProposed,
)
from plan_service.domain.anonymity import names_a_person

# --- commands: `shown` are the grounds that the employment's facts show at this moment ---


@record
class ProposeTip:
    """propose a tip"""

    tip_id: UUID
    org_nr: str
    grounds: tuple[TipGround, ...]
    shown: frozenset[TipGround]


@record
class SendTip:
    """send a tip"""

    kind: TipKind
    workplace: str
    case_count: int
    facts: str
    shown: frozenset[TipGround]
    known_names: tuple[str, ...]
    about_health: bool


@record
class AcknowledgeTip:
    """acknowledge a tip"""

    today: date


@record
class ConcludeTip:
    """tell what was done about a tip"""

    outcome: TipOutcome
    today: date


Command = ProposeTip | SendTip | AcknowledgeTip | ConcludeTip

# --- refusals ---


class TipUnknown(Unknown):
    reason = "There is no such tip here."
    do = "Check the id."


class GroundNotShown(Refused):
    reason = "What is recorded here does not show this ground for a tip."
    do = (
        "NO_PLAN: a requested plan whose time ran out, and nothing has come since. NOT_DONE: an activity missed, not "
        "for the person's sake. POOR: the newest version assessed as POOR."
    )


class GroundFellAway(Refused):
    reason = "What the tip rests on no longer holds: something has come or been done since it was proposed."
    do = "Look at the employment again. Propose another tip where another ground holds."


class TipContainsAPerson(Refused):
    reason = "The text of the tip contains a person: a number, an address, a telephone number or a name."
    do = "Say what the employer has not done, and about which workplace, without naming anybody."


class TipTellsOfHealth(Refused):
    reason = "The text of the tip seems to tell of somebody's health, which is never passed on."
    do = "Say what the employer has not done, without diagnosis or treatment."


class TipAlreadySent(Refused):
    reason = "The tip has been sent, so it can no longer be changed."
    do = "Propose another tip where there is another ground."


class TipNotSent(MissingPredecessor):
    reason = "The tip has not been sent."
    do = "Wait until it is."


class TipNotAcknowledged(MissingPredecessor):
    reason = "The tip has not been acknowledged."
    do = "Acknowledge it first."


class TipConcluded(Refused):
    reason = "Another outcome has been told of this tip."
    do = "Read the tip."


# --- what is known ---


@record
class NotProposed:
    """no such tip"""


@record
class Proposed:
    """proposed"""

    proposed: TipProposed


@record
class Sent:
    """sent"""

    sent: SupervisionTipSent


@record
class Acknowledged:
    """sent and acknowledged"""

    sent: SupervisionTipSent


@record
class Concluded:
    """sent, and its outcome told"""

    sent: SupervisionTipSent
    told: SupervisionTipOutcome


Situation = NotProposed | Proposed | Sent | Acknowledged | Concluded


def decide(command: Command, situation: Situation) -> list[TipEvent]:
    match command, situation:
        case ProposeTip(), NotProposed() if not_shown(command):
            raise GroundNotShown
        case ProposeTip(), NotProposed():
            return [proposed(command)]
        case ProposeTip(), Proposed() | Sent() | Acknowledged() | Concluded():
            return []  # there is one already on what this employment shows
        case SendTip() | AcknowledgeTip() | ConcludeTip(), NotProposed():
            raise TipUnknown

        case SendTip(), Proposed() if fell_away(command, situation):
            raise GroundFellAway
        case SendTip(), Proposed() if contains_a_person(command):
            raise TipContainsAPerson
        case SendTip(), Proposed() if tells_of_health(command):
            raise TipTellsOfHealth
        case SendTip(), Proposed():
            return [sent(command, situation.proposed)]
        case SendTip(), Sent() | Acknowledged() | Concluded() if says_otherwise(command, situation.sent):
            raise TipAlreadySent
        case SendTip(), Sent() | Acknowledged() | Concluded():
            return []  # it has been sent in these words

        case AcknowledgeTip() | ConcludeTip(), Proposed():
            raise TipNotSent
        case AcknowledgeTip(), Sent():
            return [acknowledged(command, situation.sent)]
        case AcknowledgeTip(), Acknowledged() | Concluded():
            return []  # it has been acknowledged already
        case ConcludeTip(), Sent():
            raise TipNotAcknowledged
        case ConcludeTip(), Acknowledged():
            return [concluded(command, situation.sent)]
        case ConcludeTip(), Concluded() if another_outcome(command, situation):
            raise TipConcluded
        case ConcludeTip(), Concluded():
            return []  # it has been told already
        case _:
            assert_never((command, situation))


def evolve(situation: Situation, fact: TipEvent) -> Situation:
    match fact:
        case TipProposed():
            return Proposed(proposed=fact)
        case SupervisionTipSent():
            return Sent(sent=fact)
        case SupervisionTipAcknowledged():
            assert isinstance(situation, Sent), "only what was sent is acknowledged"
            return Acknowledged(sent=situation.sent)
        case SupervisionTipOutcome():
            assert isinstance(situation, Acknowledged), "only what was acknowledged has an outcome"
            return Concluded(sent=situation.sent, told=fact)


decider: Decider[Command, Situation, TipEvent] = Decider(initial=NotProposed(), decide=decide, evolve=evolve)
tip = Aggregate("tip", decider)

# --- on what it depends ---


def not_shown(command: ProposeTip) -> bool:
    """one of its grounds is not shown by what is recorded"""
    return not command.grounds or not command.shown.issuperset(command.grounds)


def fell_away(command: SendTip, situation: Proposed) -> bool:
    """one of its grounds is no longer shown by what is recorded"""
    return not command.shown.issuperset(situation.proposed.grounds)


def contains_a_person(command: SendTip) -> bool:
    """its text names a person"""
    return any(names_a_person(text, command.known_names) for text in (command.facts, command.workplace))


def tells_of_health(command: SendTip) -> bool:
    """its text seems to tell of somebody's health"""
    return command.about_health


def says_otherwise(command: SendTip, before: SupervisionTipSent) -> bool:
    """it was sent in other words"""
    now = (command.kind, command.workplace, command.case_count, command.facts)
    return now != (before.kind, before.workplace, before.case_count, before.facts)


def another_outcome(command: ConcludeTip, situation: Concluded) -> bool:
    """another outcome was told"""
    return command.outcome is not situation.told.outcome


# --- what is written down ---


def proposed(command: ProposeTip) -> TipProposed:
    return TipProposed(tip_id=command.tip_id, org_nr=command.org_nr, grounds=command.grounds)


def sent(command: SendTip, before: TipProposed) -> SupervisionTipSent:
    return SupervisionTipSent(
        tip_id=before.tip_id,
        kind=command.kind,
        org_nr=before.org_nr,
        workplace=command.workplace,
        grounds=before.grounds,
        case_count=command.case_count,
        facts=command.facts,
    )


def acknowledged(command: AcknowledgeTip, before: SupervisionTipSent) -> SupervisionTipAcknowledged:
    return SupervisionTipAcknowledged(tip_id=before.tip_id, org_nr=before.org_nr, at=command.today)


def concluded(command: ConcludeTip, before: SupervisionTipSent) -> SupervisionTipOutcome:
    return SupervisionTipOutcome(tip_id=before.tip_id, org_nr=before.org_nr, outcome=command.outcome, at=command.today)
