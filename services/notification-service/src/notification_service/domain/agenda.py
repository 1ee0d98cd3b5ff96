"""The agenda of one case: which deadlines are open, what they wait for, and what falls due when.

Nothing here reads a clock. `Elapse` says up to which moment every source has been heard, and gives every step that fell
due by then, in order of time. What settles a deadline is remembered whether or not it is set yet, so the order in which
different services are heard makes no difference to whether something counts as missed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, but, record
from contracts.notification import (
    AgendaEvent,
    Condition,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    MatterCounted,
    MatterSettled,
    ReminderDue,
    ReminderFailed,
    ReminderRerouted,
    ReminderSent,
    ReminderWithdrawn,
    StepKind,
    StepsPlanned,
    Task,
    TaskDelegated,
    TaskDone,
    TimerElapsed,
)
from notification_service.domain.commands import (
    Claimant,
    Command,
    CompleteTask,
    DeadlineUnknown,
    DelegateTask,
    Elapse,
    NotDoneByHand,
    NotInYourOrganisation,
    SetDeadline,
    SettleMatter,
    TaskEnded,
    TaskOfAnotherRole,
)
from notification_service.domain.deadline import (
    Closed,
    NotSet,
    Open,
    Settled,
    Situation,
    deadline_set,
    ended,
    escalated,
    miss_to_tell,
    missed,
    open_deadline,
    planned,
    reaching,
    reminder,
    replanned,
    settled,
    stepped,
    steps_planned,
    timer,
)
from notification_service.domain.message import (
    Message,
    NotWaiting,
    RecordReminderFailed,
    RecordReminderSent,
    RerouteReminder,
    Waiting,
    on_message,
    rerouted,
    withdrawals,
    withdrawn,
)

DONE_BY_HAND = "TaskDone"
"""The event name with which a rule says that somebody may simply tick a task off."""

# --- what we know ---


Occurrence = tuple[str, UUID]


@record
class Agenda:
    """`deadlines` in the order in which they were set; `settled` says when each event came for each matter; `counted`
    holds the different items of what is counted; `reminded` which reminders of a deadline were handed over."""

    deadlines: Mapping[UUID, Situation]
    settled: Mapping[Occurrence, tuple[datetime, ...]]
    messages: Mapping[UUID, Message]
    counted: Mapping[UUID, frozenset[UUID]]
    reminded: Mapping[UUID, frozenset[tuple[str, int]]]


NOTHING_YET = Agenda(deadlines={}, settled={}, messages={}, counted={}, reminded={})


def evolve(agenda: Agenda, event: AgendaEvent) -> Agenda:
    match event:
        case DeadlineSet():
            fresh = Open(told=event, reached=(), steps=(), tasks=(), met_by=(), cancelled_by=())
            return _with(agenda, event.deadline_id, fresh)
        case StepsPlanned():
            return _with(
                _stepped(agenda, event.parent),
                event.deadline_id,
                planned(situation_of(agenda, event.deadline_id), event),
            )
        case MatterSettled():
            return _settle(agenda, event)
        case MatterCounted():
            return _counted(agenda, event)
        case DeadlineMissed():
            return _stepped(agenda, event.deadline_id)
        case DeadlineEscalated(deadline_id=deadline_id, to_role=role):
            reached = reaching(situation_of(agenda, deadline_id), role)
            return _stepped(_with(agenda, deadline_id, reached), deadline_id)
        case TimerElapsed():
            return _stepped(agenda, event.timer_id)
        case DeadlineMet() | DeadlineCancelled():
            return _with(agenda, event.deadline_id, Closed())
        case TaskDone():
            return agenda
        case TaskDelegated(deadline_id=deadline_id, to=role):
            return _with(agenda, deadline_id, reaching(situation_of(agenda, deadline_id), role))
        case ReminderDue():
            return _said(_stepped(agenda, event.deadline_id), event.reminder_id, Waiting(due=event))
        case ReminderWithdrawn():
            return _said(agenda, event.reminder_id, withdrawn(message_of(agenda, event.reminder_id)))
        case ReminderRerouted():
            return _said(agenda, event.reminder_id, rerouted(message_of(agenda, event.reminder_id), event.instead))
        case ReminderSent():
            return _said(_reminded(agenda, event), event.reminder_id, NotWaiting())
        case ReminderFailed():
            return _said(agenda, event.reminder_id, NotWaiting())
        case _:
            assert_never(event)


def situation_of(agenda: Agenda, deadline_id: UUID) -> Situation:
    return agenda.deadlines.get(deadline_id, NotSet())


def message_of(agenda: Agenda, reminder_id: UUID) -> Message:
    return agenda.messages.get(reminder_id, NotWaiting())


def _with(agenda: Agenda, deadline_id: UUID, situation: Situation) -> Agenda:
    return but(agenda, deadlines={**agenda.deadlines, deadline_id: situation})


def _said(agenda: Agenda, reminder_id: UUID, message: Message) -> Agenda:
    rest = {k: v for k, v in agenda.messages.items() if k != reminder_id}
    messages = rest if isinstance(message, NotWaiting) else {**rest, reminder_id: message}
    return but(agenda, messages=messages)


def _stepped(agenda: Agenda, deadline_id: UUID | None) -> Agenda:
    """The deadline has done its next step."""
    if deadline_id is None:
        return agenda
    return _with(agenda, deadline_id, stepped(situation_of(agenda, deadline_id)))


def _settle(agenda: Agenda, event: MatterSettled) -> Agenda:
    deadlines = {k: settled(d, event) for k, d in agenda.deadlines.items()}
    came = {(event.event, m): (*agenda.settled.get((event.event, m), ()), event.at) for m in event.matters}
    return but(agenda, deadlines=deadlines, settled={**agenda.settled, **came})


def _counted(agenda: Agenda, event: MatterCounted) -> Agenda:
    items = agenda.counted.get(event.of, frozenset()) | {event.item}
    return but(agenda, counted={**agenda.counted, event.of: items})


def _reminded(agenda: Agenda, event: ReminderSent) -> Agenda:
    """The same reminder may go by several channels, and so be handed over more than once."""
    gone = agenda.reminded.get(event.deadline_id, frozenset()) | {(event.template_id, event.attempt)}
    return but(agenda, reminded={**agenda.reminded, event.deadline_id: gone})


# --- what we answer ---


def decide(command: Command, agenda: Agenda) -> Sequence[AgendaEvent]:
    match command:
        case SetDeadline():
            return _on_set(command, agenda)
        case CompleteTask(deadline_id=deadline_id, at=at):
            situation = situation_of(agenda, deadline_id)
            done = on_deadline(command, situation, agenda)
            settles = SettleMatter(event=DONE_BY_HAND, matters=_ticked(situation), at=at)
            return [*done, *_on_occurrence(settles, agenda)] if done else []
        case SettleMatter():
            return _on_occurrence(command, agenda)
        case Elapse(up_to=up_to):
            return _on_time(up_to, agenda)
        case DelegateTask():
            return on_deadline(command, situation_of(agenda, command.deadline_id), agenda)
        case RecordReminderSent() | RecordReminderFailed() | RerouteReminder():
            return on_message(command, message_of(agenda, command.reminder_id))
        case _:
            assert_never(command)


def _on_set(command: SetDeadline, agenda: Agenda) -> Sequence[AgendaEvent]:
    """What is counted is remembered, and the deadline set once there are enough."""
    counted: list[AgendaEvent] = []
    if (tally := command.tally) is not None:
        if tally.item not in agenda.counted.get(tally.of, frozenset()):
            counted = [MatterCounted(of=tally.of, item=tally.item)]
            agenda = decider.fold(counted, agenda)
        if len(agenda.counted[tally.of]) < tally.at_least:
            return counted
    return [*counted, *on_deadline(command, situation_of(agenda, command.task.deadline_id), agenda)]


def on_deadline(
    command: SetDeadline | CompleteTask | DelegateTask, situation: Situation, agenda: Agenda
) -> Sequence[AgendaEvent]:
    match command, situation:
        case SetDeadline(task=task), NotSet() if is_settled(task, agenda):
            return []  # it would be set in vain
        case SetDeadline(task=task, tasks=tasks, rule_version=version), NotSet():
            return [deadline_set(task, version), steps_planned(task, tasks, None)]
        case SetDeadline(), Open() | Settled() | Closed():
            return []  # a deadline is set once; what changes is a new deadline
        case CompleteTask(), NotSet():
            raise DeadlineUnknown
        case CompleteTask(), Open() as deadline if not is_done_by_hand(deadline):
            raise NotDoneByHand
        case CompleteTask(who=who), Open() as deadline if not is_whose(deadline, who):
            raise TaskOfAnotherRole
        case CompleteTask(), Open() as deadline:
            return [task_done(deadline)]
        case CompleteTask(), Settled() | Closed():
            return []  # it was done before
        case DelegateTask(), NotSet():
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


def _on_step(situation: Situation, agenda: Agenda) -> Sequence[AgendaEvent]:
    """The next step of a deadline, its time having come."""
    match situation:
        case Open(told=told, steps=(step, *rest)) as deadline:
            match step.does:
                case StepKind.MISS:
                    return [missed(told)]
                case StepKind.REMIND:
                    return [reminder(told, step)]
                case StepKind.ESCALATE:
                    return [escalated(told, step)]
                case StepKind.TIMER:
                    return [timer(told, step, len(agenda.reminded.get(told.deadline_id, ())))]
                case StepKind.TASK:
                    task = next(t for t in deadline.tasks if t.kind == step.code)
                    if task.deadline_id in agenda.deadlines or is_settled(task, agenda):
                        return [replanned(deadline, tuple(rest))]
                    return [deadline_set(task, told.rule_version), steps_planned(task, (), told.deadline_id)]
        case Settled(deadline=deadline):
            return [missed(deadline.told), *_close(situation, agenda)]
        case Open() | NotSet() | Closed():
            return []


def _on_time(up_to: datetime, agenda: Agenda) -> Sequence[AgendaEvent]:
    facts: list[AgendaEvent] = []
    while (due := next_step(agenda)) is not None and due[0] <= up_to:
        new = _on_step(situation_of(agenda, due[1]), agenda)
        facts += new
        agenda = decider.fold(new, agenda)
    return facts


def _on_occurrence(command: SettleMatter, agenda: Agenda) -> Sequence[AgendaEvent]:
    new = tuple(m for m in command.matters if _is_news(command, m, agenda))
    if not new:
        return []
    facts: list[AgendaEvent] = [MatterSettled(event=command.event, matters=new, at=command.at)]
    after = decider.fold(facts, agenda)
    for deadline_id, situation in after.deadlines.items():
        if isinstance(situation, Settled) and situation != agenda.deadlines[deadline_id]:
            facts += _end_or_wait(situation, after)
    return facts


def _is_news(command: SettleMatter, matter: UUID, agenda: Agenda) -> bool:
    """Not heard before, or one more at the same moment: two plans may be revised while a simulated clock stands."""
    if command.at not in agenda.settled.get((command.event, matter), ()):
        return True
    came = MatterSettled(event=command.event, matters=(matter,), at=command.at)
    return any(settled(d, came) != d for d in agenda.deadlines.values())


def _end_or_wait(late: Settled, agenda: Agenda) -> Sequence[AgendaEvent]:
    miss = miss_to_tell(late)
    if miss is None:
        return _close(late, agenda)
    return [] if late.deadline.steps == (miss,) else [replanned(late.deadline, (miss,))]


def _close(late: Settled, agenda: Agenda) -> Sequence[AgendaEvent]:
    """The end of a deadline; a message about it that has not been handed over yet is withdrawn."""
    deadline_id = late.deadline.told.deadline_id
    return [ended(late), *withdrawals(agenda.messages.values(), deadline_id)]


def is_settled(task: Task, agenda: Agenda) -> bool:
    """what would end it came before, and counts"""
    return any(c.earlier and _stands(c, agenda) for c in (*task.met_by, *task.cancelled_by))


def _stands(condition: Condition, agenda: Agenda) -> bool:
    """It came, and has not been undone since."""
    came = agenda.settled.get((condition.event, condition.matter), ())
    undone = agenda.settled.get((condition.undone_by, condition.matter), ()) if condition.undone_by else ()
    return bool(came) and (not undone or max(came) > max(undone))


def _ticked(situation: Situation) -> tuple[UUID, ...]:
    """What is done when this deadline is ticked off: itself, or what it is about, however often that is set anew."""
    deadline = open_deadline(situation)
    return tuple(c.matter for c in deadline.met_by if c.event == DONE_BY_HAND) if deadline else ()


def is_done_by_hand(deadline: Open) -> bool:
    """its rule lets it be ticked off"""
    return any(c.event == DONE_BY_HAND for c in deadline.met_by)


def is_whose(deadline: Open, who: Claimant) -> bool:
    """it belongs to who asks, or has come to that role"""
    if who.names:
        return deadline.told.owner_ref in who.names
    return has_come_to(deadline, who.role)


def has_come_to(deadline: Open, role: str) -> bool:
    """the role owns it, or it was escalated or delegated to it"""
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


def next_step(agenda: Agenda) -> tuple[datetime, UUID] | None:
    """When the next step falls due, and of which deadline; the one set first goes first."""
    left = ((k, open_deadline(s)) for k, s in agenda.deadlines.items())
    return min(((d.steps[0].at, k) for k, d in left if d is not None and d.steps), key=lambda n: n[0], default=None)


decider: Decider[Command, Agenda, AgendaEvent] = Decider(initial=NOTHING_YET, decide=decide, evolve=evolve)
agenda = Aggregate(category="agenda", decider=decider)
"""Streams are named `agenda-<caseId>`."""
apart = Aggregate(category="apart", decider=decider)
"""The same, for what stands in no case and must never lead to one: streams are named `apart-<id of the matter>`."""


def agenda_for(case_id: UUID | None) -> Aggregate[Command, Agenda, AgendaEvent]:
    """Which kind of agenda holds what belongs to this case, or to none."""
    return apart if case_id is None else agenda
