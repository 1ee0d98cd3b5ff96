"""One deadline: in which situation is it, and what does it do when its next time comes or its matter is settled?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from chassis.decider import but, record
from contracts.notification import (
    AgendaEvent,
    Condition,
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

Occurrence = tuple[str, UUID]
"""An event's name and the matter it concerns."""

Came = Mapping[Occurrence, tuple[datetime, ...]]
"""When each occurrence came, in the order in which it was heard."""

# --- the situations a deadline can be in ---


@record
class NotSet:
    """no such deadline"""


@record
class Open:
    """an open deadline

    `reached` are the roles it has been escalated or delegated to; `steps` are those still to come, in order of time;
    `bygone` counts what had been heard of each occurrence when it came up."""

    told: DeadlineSet
    reached: tuple[str, ...]
    steps: tuple[Step, ...]
    tasks: tuple[Task, ...]
    met_by: tuple[Condition, ...]
    cancelled_by: tuple[Condition, ...]
    bygone: Mapping[Occurrence, int] | None = None


@record
class HeldBack:
    """a deadline that is not set because the case seems to be closed"""

    task: Task
    tasks: tuple[Task, ...]
    rule_version: str
    bygone: Mapping[Occurrence, int]


@record
class Ending:
    """What settled the matter: which event, when, and whether it met the deadline or took it away.

    `sure_from`: it came before the deadline did, so it may have been undone in between; that is known once every
    service has been heard up to this time. None: nothing can undo it."""

    event: str
    at: datetime
    met: bool
    sure_from: datetime | None = None


@record
class Settled:
    """a deadline that was done too late, which has still to be told

    It is told when every source has been heard up to that time: another may yet have settled it earlier."""

    deadline: Open
    ending: Ending


@record
class Closed:
    """a deadline that was met or cancelled"""


Situation = NotSet | HeldBack | Open | Settled | Closed


# --- what it waits for ---


def ending_of(deadline: Open, came: Came) -> Ending | None:
    """What ended this deadline: of all that counts the one that happened first; None when nothing has.

    It depends on what has been heard, never on the order in which different services were."""
    ends = (
        Ending(event=c.event, at=at, met=met, sure_from=c.since if c.undone_by and c.since and at <= c.since else None)
        for met, conditions in ((True, deadline.met_by), (False, deadline.cancelled_by))
        for c in conditions
        for at in _counting(c, deadline, came)
    )
    return min(ends, key=lambda e: e.at, default=None)


def _counting(condition: Condition, deadline: Open, came: Came) -> Sequence[datetime]:
    """When this came in a way that ends the deadline."""
    heard, since = came.get((condition.event, condition.matter), ()), condition.since
    if since is not None and condition.undone_by is not None:
        undone = came.get((condition.undone_by, condition.matter), ())
        return [at for at in heard if not any(at <= u <= since for u in undone)]
    if since is not None:
        return [at for at in heard if at >= since]
    if condition.earlier and condition.undone_by is None:
        return heard
    return heard[(deadline.bygone or {}).get((condition.event, condition.matter), 0) :]


def heard_of(task: Task | StepsPlanned, came: Came) -> Mapping[Occurrence, int]:
    """How often each thing that can end it has been heard of by now."""
    about = ((c.event, c.matter) for c in (*task.met_by, *task.cancelled_by))
    return {occurrence: len(came.get(occurrence, ())) for occurrence in about}


def as_open(task: Task, rule_version: str, bygone: Mapping[Occurrence, int]) -> Open:
    """The deadline as it would be if it were set."""
    return Open(
        told=deadline_set(task, rule_version),
        reached=(),
        steps=tuple(sorted(task.steps, key=lambda s: s.at)),
        tasks=(),
        met_by=task.met_by,
        cancelled_by=task.cancelled_by,
        bygone=bygone,
    )


def in_vain(deadline: Open, came: Came) -> bool:
    """Is there no need to set it? What ends it has come, and not after it was missed."""
    ending = ending_of(deadline, came)
    return ending is not None and miss_to_tell(Settled(deadline=deadline, ending=ending)) is None


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
        case NotSet() | HeldBack() | Closed():
            return None


def stepped(situation: Situation) -> Situation:
    """The deadline has done its next step."""
    match situation:
        case Open(steps=steps):
            return _left(situation, steps[1:])
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=_left(deadline, deadline.steps[1:]), ending=ending)
        case NotSet() | HeldBack() | Closed():
            return situation


def planned(situation: Situation, plan: StepsPlanned, came: Came) -> Situation:
    """The deadline has been told its steps and conditions; later plans only change the steps."""
    match situation:
        case Open(bygone=bygone):
            return but(
                situation,
                steps=plan.steps,
                tasks=plan.tasks,
                met_by=plan.met_by,
                cancelled_by=plan.cancelled_by,
                bygone=heard_of(plan, came) if bygone is None else bygone,
            )
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=_left(deadline, plan.steps), ending=ending)
        case NotSet() | HeldBack() | Closed():
            return situation


def judged(situation: Situation, came: Came) -> Situation:
    """The same deadline in the light of all that has come. What may yet turn out to be undone ends nothing."""
    deadline = open_deadline(situation)
    if deadline is None:
        return situation
    ending = ending_of(deadline, came)
    return deadline if ending is None or ending.sure_from else Settled(deadline=deadline, ending=ending)


def reaching(situation: Situation, role: str) -> Situation:
    """The deadline has come to this role."""
    match situation:
        case Open():
            return but(situation, reached=(*situation.reached, role))
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=but(deadline, reached=(*deadline.reached, role)), ending=ending)
        case NotSet() | HeldBack() | Closed():
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


def timer(told: DeadlineSet, step: Step) -> TimerElapsed:
    return TimerElapsed(timer_id=told.deadline_id, kind=step.code, due_at=step.at, about=told.about)


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
