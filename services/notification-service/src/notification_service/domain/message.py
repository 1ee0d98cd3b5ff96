"""A message about a deadline: is it waiting to be handed over, and what is recorded when that was tried?"""

from collections.abc import Iterable, Sequence
from typing import assert_never
from uuid import UUID

from chassis.decider import record
from contracts.notification import AgendaEvent, ReminderDue, ReminderFailed, ReminderSent, ReminderWithdrawn

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


# --- what we answer ---


def on_message(command: RecordReminderSent | RecordReminderFailed, message: Message) -> Sequence[AgendaEvent]:
    match command, message:
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
    return [
        ReminderWithdrawn(reminder_id=due.reminder_id, deadline_id=due.deadline_id, about=due.about)
        for due in waiting
        if due.deadline_id == deadline_id
    ]


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
