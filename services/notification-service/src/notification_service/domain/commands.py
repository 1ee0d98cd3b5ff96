"""What may be asked of a case's agenda, and why it may be refused."""

from datetime import datetime
from uuid import UUID

from chassis.decider import Invalid, Refused, Unknown, record
from contracts.notification import Task
from notification_service.domain.message import MessageCommand


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
class Claimant:
    """Who says that a task is theirs: a role at FK, or a party by the names it is known by."""

    role: str
    names: tuple[str, ...] = ()


@record
class CompleteTask:
    """tick a task off

    `who` says at `at` that it is done; no event of ours could show it."""

    deadline_id: UUID
    who: Claimant
    at: datetime


@record
class DelegateTask:
    """give a task to another role

    `to` is a role of the same organisation as `who`."""

    deadline_id: UUID
    who: Claimant
    to: str


@record
class Elapse:
    """Every source has been heard up to `up_to`: what has fallen due?"""

    up_to: datetime


Command = SetDeadline | SettleMatter | CompleteTask | DelegateTask | Elapse | MessageCommand


class DeadlineUnknown(Unknown):
    reason = "There is no such task."


class NotDoneByHand(Refused):
    reason = "This task is done when what it asks for has been registered, and cannot be ticked off."
    do = "Register what was done; the task then closes by itself."


class TaskEnded(Refused):
    reason = "This task is done, or is not needed any more."


class NotInYourOrganisation(Invalid):
    reason = "A task can be given to another role of one's own organisation only."
    do = "Name another role of your organisation."
    field = "to"


class TaskOfAnotherRole(Refused):
    reason = "This task belongs to another role and has not been escalated to yours."
    do = "Ask the owner of the task."
