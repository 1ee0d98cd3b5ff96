"""One deadline: in which situation is it, and what does it do when its next time comes or its matter is settled?"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from chassis.decider import but, record
from contracts.notification import (
    AgendaEvent,
    Condition,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    MatterSettled,
    ReminderChannel,
    ReminderDue,
    Step,
    StepKind,
    StepsPlanned,
    Task,
    TimerElapsed,
)

# --- the situations a deadline can be in ---


@record
class NotSet:
    """no such deadline"""


@record
class Open:
    """an open deadline

    `reached` are the roles it has been escalated or delegated to; `steps` are those still to come, in order of time."""

    told: DeadlineSet
    reached: tuple[str, ...]
    steps: tuple[Step, ...]
    tasks: tuple[Task, ...]
    met_by: tuple[Condition, ...]
    cancelled_by: tuple[Condition, ...]


@record
class Ending:
    """What settled the matter: which event, when, and whether it met the deadline or took it away."""

    event: str
    at: datetime
    met: bool


@record
class Settled:
    """a deadline that was done too late, which has still to be told

    It is told when every source has been heard up to that time: another may yet have settled it earlier."""

    deadline: Open
    ending: Ending


@record
class Closed:
    """a deadline that was met or cancelled"""


Situation = NotSet | Open | Settled | Closed


# --- what it waits for ---


def ending_of(deadline: Open, event: str, matters: Iterable[UUID], at: datetime) -> Ending | None:
    """How `event` about `matters` ends this deadline, or None when it does not concern it."""
    about = set(matters)
    for met, conditions in ((True, deadline.met_by), (False, deadline.cancelled_by)):
        if any(c.event == event and c.matter in about for c in conditions):
            return Ending(event=event, at=at, met=met)
    return None


def miss_to_tell(settled: Settled) -> Step | None:
    """The miss that came before the settling and has not been told, if there is one."""
    misses = (s for s in settled.deadline.steps if s.does is StepKind.MISS)
    return next((s for s in misses if s.at <= settled.ending.at), None)


# --- how one situation follows another ---


def open_deadline(situation: Situation) -> Open | None:
    """The deadline itself while it is not closed."""
    match situation:
        case Open():
            return situation
        case Settled(deadline=deadline):
            return deadline
        case NotSet() | Closed():
            return None


def stepped(situation: Situation) -> Situation:
    """The deadline has done its next step."""
    match situation:
        case Open(steps=steps):
            return _left(situation, steps[1:])
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=_left(deadline, deadline.steps[1:]), ending=ending)
        case NotSet() | Closed():
            return situation


def planned(situation: Situation, plan: StepsPlanned) -> Situation:
    """The deadline has been told its steps and conditions; later plans only change the steps."""
    match situation:
        case Open(told=told, reached=reached):
            return Open(
                told=told,
                reached=reached,
                steps=plan.steps,
                tasks=plan.tasks,
                met_by=plan.met_by,
                cancelled_by=plan.cancelled_by,
            )
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=_left(deadline, plan.steps), ending=ending)
        case NotSet() | Closed():
            return situation


def settled(situation: Situation, event: MatterSettled) -> Situation:
    """Something came that may settle the matter; what came first counts."""
    match situation:
        case Open():
            ending = ending_of(situation, event.event, event.matters, event.at)
            return situation if ending is None else Settled(deadline=situation, ending=ending)
        case Settled(deadline=deadline, ending=known):
            ending = ending_of(deadline, event.event, event.matters, event.at)
            earlier = ending is not None and ending.at < known.at
            return Settled(deadline=deadline, ending=ending) if ending and earlier else situation
        case NotSet() | Closed():
            return situation


def reaching(situation: Situation, role: str) -> Situation:
    """The deadline has come to this role."""
    match situation:
        case Open():
            return but(situation, reached=(*situation.reached, role))
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=but(deadline, reached=(*deadline.reached, role)), ending=ending)
        case NotSet() | Closed():
            return situation


def _left(deadline: Open, steps: tuple[Step, ...]) -> Open:
    return but(deadline, steps=steps)


# --- what it tells ---


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
