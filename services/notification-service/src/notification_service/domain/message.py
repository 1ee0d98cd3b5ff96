"""A message about a deadline: is it waiting to be handed over, and what is recorded when that was tried?"""

from collections.abc import Iterable, Sequence
from typing import assert_never
from uuid import UUID

from chassis.decider import but, record
from contracts.notification import (
    AgendaEvent,
    ReminderChannel,
    ReminderDue,
    ReminderFailed,
    ReminderRerouted,
    ReminderSent,
    ReminderWithdrawn,
)

# --- the situations a message can be in ---


@record
class NotWaiting:
    """no message, or one that was handed over or failed before"""


@record
class Waiting:
    """a message waiting to be handed over"""

    due: ReminderDue


@record
class Withdrawn:
    """a message that was withdrawn"""

    due: ReminderDue


Message = NotWaiting | Waiting | Withdrawn


def withdrawn(message: Message) -> Message:
    match message:
        case Waiting(due=due):
            return Withdrawn(due=due)
        case Withdrawn() | NotWaiting():
            return message


def rerouted(message: Message, instead: ReminderChannel) -> Message:
    return Waiting(due=but(message.due, channel=instead)) if isinstance(message, Waiting) else message


# --- what may be asked ---


@record
class RecordReminderSent:
    """record that a message was handed over"""

    reminder_id: UUID


@record
class RecordReminderFailed:
    """record that a message cannot be handed over

    Trying again would not help; `cause` says why."""

    reminder_id: UUID
    cause: str


@record
class RerouteReminder:
    """send a message by another channel

    It cannot go by its own, or its party did not choose that; `cause` says which. `lies_there`: the same words have
    gone to `instead` already."""

    reminder_id: UUID
    instead: ReminderChannel
    cause: str
    lies_there: bool = False


MessageCommand = RecordReminderSent | RecordReminderFailed | RerouteReminder

# --- what we answer ---


def on_message(command: MessageCommand, message: Message) -> Sequence[AgendaEvent]:
    match command, message:
        case RerouteReminder(instead=instead), Waiting(due=due) if is_there(due, instead):
            return []  # it goes by that channel as it is
        case RerouteReminder() as reroute, Waiting(due=due) if lies_there(reroute):
            return [_needless(due)]
        case RerouteReminder(instead=instead, cause=cause), Waiting(due=due):
            return [_rerouted(due, instead, cause)]
        case RerouteReminder(), Withdrawn() | NotWaiting():
            return []  # it was handed over or withdrawn meanwhile
        case RecordReminderSent(), Waiting(due=due) | Withdrawn(due=due):
            return [_sent(due)]  # also when it was withdrawn on its way
        case RecordReminderFailed(cause=cause), Waiting(due=due):
            return [_failed(due, cause)]
        case RecordReminderFailed(), Withdrawn():
            return []  # nothing was to be sent any more
        case RecordReminderSent() | RecordReminderFailed(), NotWaiting():
            return []  # a repetition: the first answer stands
        case _:
            assert_never((command, message))


def withdrawals(messages: Iterable[Message], deadline_id: UUID) -> list[ReminderWithdrawn]:
    """The messages about a deadline that need not be sent any more."""
    waiting = (m.due for m in messages if isinstance(m, Waiting))
    return [_needless(due) for due in waiting if due.deadline_id == deadline_id]


def is_there(due: ReminderDue, instead: ReminderChannel) -> bool:
    """it goes by that channel anyhow"""
    return due.channel is instead


def lies_there(command: RerouteReminder) -> bool:
    """the same words have gone there already"""
    return command.lies_there


def _needless(due: ReminderDue) -> ReminderWithdrawn:
    return ReminderWithdrawn(reminder_id=due.reminder_id, deadline_id=due.deadline_id, about=due.about)


def _rerouted(due: ReminderDue, instead: ReminderChannel, cause: str) -> ReminderRerouted:
    return ReminderRerouted(
        reminder_id=due.reminder_id,
        deadline_id=due.deadline_id,
        about=due.about,
        channel=due.channel,
        instead=instead,
        template_id=due.template_id,
        recipient_ref=due.recipient_ref,
        cause=cause,
    )


def _sent(due: ReminderDue) -> ReminderSent:
    return ReminderSent(
        reminder_id=due.reminder_id,
        deadline_id=due.deadline_id,
        about=due.about,
        channel=due.channel,
        template_id=due.template_id,
        recipient_ref=due.recipient_ref,
        attempt=due.attempt,
    )


def _failed(due: ReminderDue, cause: str) -> ReminderFailed:
    return ReminderFailed(
        reminder_id=due.reminder_id,
        deadline_id=due.deadline_id,
        about=due.about,
        channel=due.channel,
        template_id=due.template_id,
        recipient_ref=due.recipient_ref,
        attempt=due.attempt,
        cause=cause,
    )
