"""What is told of a deadline, and of each thing it does?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from contracts.notification import (
    AgendaEvent,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineHeldBack,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderChannel,
    ReminderDue,
    Step,
    StepKind,
    StepsPlanned,
    Task,
    TimerElapsed,
)
from notification_service.domain.deadline import Open, Settled


def deadline_set(task: Task, rule_version: str) -> DeadlineSet:
    """What others may know of a new deadline."""
    return DeadlineSet(
        deadline_id=task.deadline_id,
        kind=task.kind,
        about=task.about,
        due_at=task.due_at,
        owner_role=task.owner_role,
        owner_ref=task.owner_ref,
        escalate_to=task.escalate_to,
        owner_sees=task.owner_sees,
        attempt=1,
        rule=task.rule,
        rule_version=rule_version,
    )


def steps_planned(task: Task, tasks: tuple[Task, ...], parent: UUID | None) -> StepsPlanned:
    """What only this service has to know of it."""
    return StepsPlanned(
        deadline_id=task.deadline_id,
        parent=parent,
        steps=tuple(sorted(task.steps, key=lambda s: s.at)),
        tasks=tasks,
        met_by=task.met_by,
        cancelled_by=task.cancelled_by,
    )


def held_back(task: Task, tasks: tuple[Task, ...], rule_version: str) -> DeadlineHeldBack:
    return DeadlineHeldBack(task=task, tasks=tasks, rule_version=rule_version)


def waiting(deadline: Open, until: datetime) -> Sequence[StepsPlanned]:
    """It does nothing before it is known whether the case was closed when it came up; nothing new if it waits already
    for that."""
    if deadline.steps and deadline.steps[0].does is StepKind.WAIT:
        return []
    wait = Step(at=until, does=StepKind.WAIT, code=deadline.told.kind)
    return [replanned(deadline, (wait, *deadline.steps))]


def replanned(deadline: Open, steps: tuple[Step, ...]) -> StepsPlanned:
    """The same deadline with other steps left."""
    return StepsPlanned(
        deadline_id=deadline.told.deadline_id,
        parent=None,
        steps=steps,
        tasks=deadline.tasks,
        met_by=deadline.met_by,
        cancelled_by=deadline.cancelled_by,
    )


def ended(settled: Settled) -> AgendaEvent:
    told, end = settled.deadline.told, settled.ending
    if end.met:
        return DeadlineMet(deadline_id=told.deadline_id, kind=told.kind, about=told.about, met_at=end.at)
    return DeadlineCancelled(deadline_id=told.deadline_id, kind=told.kind, about=told.about, reason=end.event)


def missed(told: DeadlineSet) -> DeadlineMissed:
    return DeadlineMissed(
        deadline_id=told.deadline_id,
        kind=told.kind,
        about=told.about,
        due_at=told.due_at,
        owner_role=told.owner_role,
    )


def escalated(told: DeadlineSet, step: Step) -> DeadlineEscalated:
    return DeadlineEscalated(
        deadline_id=told.deadline_id,
        kind=told.kind,
        about=told.about,
        due_at=told.due_at,
        to_role=step.code,
        attempt=step.attempt,
    )


def timer(told: DeadlineSet, step: Step, reminders: int) -> TimerElapsed:
    return TimerElapsed(
        timer_id=told.deadline_id, kind=step.code, due_at=step.at, about=told.about, reminders=reminders
    )


def reminder(told: DeadlineSet, step: Step) -> ReminderDue:
    channel = step.channel or ReminderChannel.EMAIL
    return ReminderDue(
        reminder_id=uuid5(told.deadline_id, f"{step.code}:{channel.value}:{step.attempt}"),
        deadline_id=told.deadline_id,
        about=told.about,
        due_at=step.at,
        channel=channel,
        template_id=step.code,
        recipient_ref=step.recipient_ref or told.owner_ref,
        attempt=step.attempt,
    )
