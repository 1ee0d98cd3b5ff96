"""What is answered about one deadline: set, ticked off, given to another role? The table is `on_deadline`.

It is printed into the service's README by `chassis.tables`.
"""

from collections.abc import Sequence
from typing import assert_never

from contracts.notification import (
    AgendaEvent,
    Task,
    TaskDelegated,
    TaskDone,
)
from notification_service.domain.commands import (
    Claimant,
    CompleteTask,
    DeadlineUnknown,
    DelegateTask,
    NotDoneByHand,
    NotInYourOrganisation,
    SetDeadline,
    TaskEnded,
    TaskOfAnotherRole,
)
from notification_service.domain.deadline import Closed, HeldBack, NotSet, Open, Settled, Situation
from notification_service.domain.endings import as_open, ending_of, heard_of, in_vain
from notification_service.domain.known import Agenda
from notification_service.domain.told import deadline_set, held_back, steps_planned

DONE_BY_HAND = "TaskDone"
"""The event name with which a rule says that somebody may simply tick a task off."""


def on_deadline(
    command: SetDeadline | CompleteTask | DelegateTask, situation: Situation, agenda: Agenda
) -> Sequence[AgendaEvent]:
    match command, situation:
        case SetDeadline(), HeldBack() if is_held_already(command, situation):
            return []  # it is held back already
        case SetDeadline(), NotSet() | HeldBack() if seems_closed(command, agenda):
            return [held_back(command.task, command.tasks, command.rule_version)]
        case SetDeadline(), NotSet() | HeldBack() if is_settled(command, agenda):
            return []  # it would be set in vain
        case SetDeadline(task=task, tasks=tasks, rule_version=version), NotSet() | HeldBack():
            return [deadline_set(task, version), steps_planned(task, tasks, None)]
        case SetDeadline(), Open() | Settled() | Closed():
            return []  # a deadline is set once; what changes is a new deadline
        case CompleteTask(), NotSet() | HeldBack():
            raise DeadlineUnknown
        case CompleteTask(), Open() as deadline if not is_done_by_hand(deadline):
            raise NotDoneByHand
        case CompleteTask(who=who), Open() as deadline if not is_whose(deadline, who):
            raise TaskOfAnotherRole
        case CompleteTask(), Open() as deadline:
            return [task_done(deadline)]
        case CompleteTask(), Settled() | Closed():
            return []  # it was done before
        case DelegateTask(), NotSet() | HeldBack():
            raise DeadlineUnknown
        case DelegateTask(), Settled() | Closed():
            raise TaskEnded
        case DelegateTask(who=who), Open() as deadline if not is_whose(deadline, who):
            raise TaskOfAnotherRole
        case DelegateTask(who=who, to=to), Open() if not is_colleague(who, to):
            raise NotInYourOrganisation
        case DelegateTask(to=to), Open() as deadline if has_come_to(deadline, to):
            return []  # that role has it
        case DelegateTask(to=to), Open() as deadline:
            return [delegated(deadline, to)]
        case _:
            assert_never((command, situation))


def is_held_already(command: SetDeadline, held: HeldBack) -> bool:
    """it is the very same"""
    return command.task == held.task


def seems_closed(command: SetDeadline, agenda: Agenda) -> bool:
    """as far as is known the case was closed when it came up"""
    ending = ending_of(_fresh(command.task, command.rule_version, agenda), agenda.settled)
    return ending is not None and ending.sure_from is not None


def is_settled(command: SetDeadline, agenda: Agenda) -> bool:
    """what would end it has come, and counts, and not after it was missed"""
    return would_be_in_vain(command.task, command.rule_version, agenda)


def would_be_in_vain(task: Task, rule_version: str, agenda: Agenda) -> bool:
    return in_vain(_fresh(task, rule_version, agenda), agenda.settled)


def _fresh(task: Task, rule_version: str, agenda: Agenda) -> Open:
    return as_open(task, rule_version, heard_of(task, agenda.settled))


def is_done_by_hand(deadline: Open) -> bool:
    """its rule lets it be ticked off"""
    return any(c.event == DONE_BY_HAND for c in deadline.met_by)


def is_whose(deadline: Open, who: Claimant) -> bool:
    """it belongs to who asks, or has come to that role"""
    if who.names:
        return deadline.told.owner_ref in who.names
    return has_come_to(deadline, who.role)


def has_come_to(deadline: Open, role: str) -> bool:
    """the role owns it, or it was escalated or delegated to it, or came to it because a message reached nobody"""
    return role in (deadline.told.owner_role, *deadline.reached)


def is_colleague(who: Claimant, to: str) -> bool:
    """it is a role of the same organisation"""
    return who.role.partition(".")[0] == to.partition(".")[0]


def delegated(deadline: Open, to: str) -> TaskDelegated:
    told = deadline.told
    return TaskDelegated(deadline_id=told.deadline_id, kind=told.kind, about=told.about, to=to)


def task_done(deadline: Open) -> TaskDone:
    told = deadline.told
    return TaskDone(deadline_id=told.deadline_id, kind=told.kind, about=told.about)
