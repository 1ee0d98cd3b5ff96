"""What may be asked of a case's agenda, and why it may be refused."""

from datetime import datetime
from uuid import UUID

from chassis.decider import Refused, Unknown, record
from contracts.notification import Task
from notification_service.domain.message import RecordReminderFailed, RecordReminderSent


@record
class Tally:
    """This is one `item` of those counted as `of`; it matters from the `at_least`-th different one on."""

    of: UUID
    item: UUID
    at_least: int


@record
class SetDeadline:
    """set a deadline

    Somebody has to do `task`. `tasks` are the deadlines that its TASK steps set. With a `tally` it is set only when
    enough has been counted."""

    task: Task
    tasks: tuple[Task, ...]
    rule_version: str
    tally: Tally | None = None


@record
class SettleMatter:
    """`event` came at `at` and concerns `matters`: it may meet or cancel deadlines, set or yet to be set."""

    event: str
    matters: tuple[UUID, ...]
    at: datetime


@record
class CompleteTask:
    """tick a task off

    `role` says at `at` that it is done; no event of ours could show it."""

    deadline_id: UUID
    role: str
    at: datetime


@record
class Elapse:
    """Every source has been heard up to `up_to`: what has fallen due?"""

    up_to: datetime


Command = SetDeadline | SettleMatter | CompleteTask | Elapse | RecordReminderSent | RecordReminderFailed


class DeadlineUnknown(Unknown):
    reason = "There is no such task."


class NotDoneByHand(Refused):
    reason = "This task is done when what it asks for has been registered, and cannot be ticked off."
    do = "Register what was done; the task then closes by itself."


class TaskOfAnotherRole(Refused):
    reason = "This task belongs to another role and has not been escalated to yours."
    do = "Ask the owner of the task."
