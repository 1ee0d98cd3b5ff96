"""What can have happened to a deadline, and to the message about it. Each event is declared here, once."""

from enum import Enum
from typing import Annotated

from chassis.classes import DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts

from contracts.values import Code, Count, Moment, Ref

P = DataClass.P


class ReminderChannel(str, Enum):
    SMS = "SMS"
    EMAIL = "EMAIL"
    PORTAL = "PORTAL"
    DIGITAL_POST = "DIGITAL_POST"
    SDK = "SDK"
    LETTER = "LETTER"


@record
class DeadlineSet:
    """Somebody has to do something by `due_at`. `rule` and `rule_version` say which row of which rule file set it.

    `about` is what it concerns (an employment, a request, a plan); `met_key` names what settles it."""

    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    owner_role: Code
    owner_ref: Code
    escalate_to: tuple[Code, ...]
    attempt: Count
    rule: Code
    rule_version: Code


@record
class DeadlineMet:
    deadline_id: Ref
    kind: Code
    about: Ref
    met_at: Moment


@record
class DeadlineMissed:
    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    owner_role: Code


@record
class DeadlineEscalated:
    """The next level is told, with the original due date."""

    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    to_role: Code
    attempt: Count


@record
class DeadlineCancelled:
    deadline_id: Ref
    kind: Code
    about: Ref
    reason: Code


@record
class ReminderDue:
    """A message has been decided on and waits to be handed over; lives in the service."""

    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    due_at: Moment
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count


@record
class ReminderSent:
    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count


@record
class ReminderFailed:
    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count
    cause: Code


@record
class TimerElapsed:
    """A time that another service asked to be told of has come; the owner reacts with a fact of its own."""

    timer_id: Ref
    kind: Code
    due_at: Moment
    about: Ref


@record
class ContactSet:
    """Where a party wants its messages. The address is sealed with the party's own key."""

    party_ref: Code
    party_key: Ref
    channels: Annotated[tuple[ReminderChannel, ...], P]
    language: Code
    address: Annotated[str, DataClass.I]


NotificationEvent = (
    DeadlineSet
    | DeadlineMet
    | DeadlineMissed
    | DeadlineEscalated
    | DeadlineCancelled
    | ReminderDue
    | ReminderSent
    | ReminderFailed
    | TimerElapsed
    | ContactSet
)

NOTIFICATION = Facts(
    "notification",
    [
        Fact("DeadlineSet", 1, DeadlineSet),
        Fact("DeadlineMet", 1, DeadlineMet),
        Fact("DeadlineMissed", 1, DeadlineMissed),
        Fact("DeadlineEscalated", 1, DeadlineEscalated),
        Fact("DeadlineCancelled", 1, DeadlineCancelled),
        Fact("ReminderDue", 1, ReminderDue, published=False),
        Fact("ReminderSent", 1, ReminderSent),
        Fact("ReminderFailed", 1, ReminderFailed),
        Fact("TimerElapsed", 1, TimerElapsed),
        Fact("ContactSet", 1, ContactSet, person="party_key"),
    ],
)
