"""What does an agenda do when something happens that may settle a matter, and when time passes?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contracts.notification import (
    AgendaEvent,
    MatterSettled,
    StepKind,
    Task,
)
from notification_service.domain.answers import would_be_in_vain
from notification_service.domain.commands import SettleMatter
from notification_service.domain.deadline import Closed, HeldBack, NotSet, Open, Settled, Situation, open_deadline
from notification_service.domain.endings import as_open, ending_of, in_vain, judged, miss_to_tell
from notification_service.domain.known import Agenda, folded, heard_too, situation_of
from notification_service.domain.message import withdrawals
from notification_service.domain.told import (
    deadline_set,
    ended,
    escalated,
    missed,
    reminder,
    replanned,
    steps_planned,
    timer,
    waiting,
)


def on_time(up_to: datetime, agenda: Agenda) -> Sequence[AgendaEvent]:
    facts: list[AgendaEvent] = []
    while (due := next_step(agenda)) is not None and due[0] <= up_to:
        new = _on_step(situation_of(agenda, due[1]), agenda)
        facts += new
        agenda = folded(new, agenda)
    return facts


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
                    if task.deadline_id in agenda.deadlines or would_be_in_vain(task, told.rule_version, agenda):
                        return [replanned(deadline, tuple(rest))]
                    facts = [deadline_set(task, told.rule_version), steps_planned(task, (), told.deadline_id)]
                    return and_how_it_stands(facts, task, agenda)
                case StepKind.WAIT:
                    ending = ending_of(deadline, agenda.settled)
                    if ending is None:
                        return [replanned(deadline, tuple(rest))]
                    return _close(Settled(deadline=deadline, ending=ending), agenda)
        case Settled(deadline=deadline):
            return [missed(deadline.told), *_close(situation, agenda)]
        case Open() | NotSet() | HeldBack() | Closed():
            return []


def next_step(agenda: Agenda) -> tuple[datetime, UUID] | None:
    """When the next step falls due, and of which deadline; the one set first goes first."""
    left = ((k, open_deadline(s)) for k, s in agenda.deadlines.items())
    return min(((d.steps[0].at, k) for k, d in left if d is not None and d.steps), key=lambda n: n[0], default=None)


def on_occurrence(command: SettleMatter, agenda: Agenda) -> Sequence[AgendaEvent]:
    new = tuple(m for m in command.matters if _is_news(command, m, agenda))
    if not new:
        return []
    facts: list[AgendaEvent] = [MatterSettled(event=command.event, matters=new, at=command.at)]
    after = folded(facts, agenda)
    for deadline_id, situation in after.deadlines.items():
        match situation:
            case Settled() if situation != agenda.deadlines[deadline_id]:
                facts += _end_or_wait(situation, after)
            case Open() if (ending := ending_of(situation, after.settled)) is not None and ending.sure_from:
                facts += waiting(situation, ending.sure_from)
            case HeldBack():
                facts += _set_after_all(situation, after)
            case _:
                pass
    return facts


def _set_after_all(held: HeldBack, agenda: Agenda) -> Sequence[AgendaEvent]:
    """What was held back is set once it is known that the case was open."""
    deadline = as_open(held.task, held.rule_version, held.bygone)
    ending = ending_of(deadline, agenda.settled)
    if (ending is not None and ending.sure_from) or in_vain(deadline, agenda.settled):
        return []
    facts = [deadline_set(held.task, held.rule_version), steps_planned(held.task, held.tasks, None)]
    return and_how_it_stands(facts, held.task, agenda)


def _is_news(command: SettleMatter, matter: UUID, agenda: Agenda) -> bool:
    """Not heard before, or one more at the same moment: two plans may be revised while a simulated clock stands."""
    if command.at not in agenda.settled.get((command.event, matter), ()):
        return True
    came = heard_too(agenda.settled, command.event, (matter,), command.at)
    return any(judged(d, came) != d for d in agenda.deadlines.values())


def and_how_it_stands(facts: Sequence[AgendaEvent], task: Task, agenda: Agenda) -> Sequence[AgendaEvent]:
    """A deadline that is set although it has been settled has only its miss to tell."""
    if not facts:
        return facts
    after = folded(facts, agenda)
    set_late = situation_of(after, task.deadline_id)
    return [*facts, *_end_or_wait(set_late, after)] if isinstance(set_late, Settled) else facts


def _end_or_wait(late: Settled, agenda: Agenda) -> Sequence[AgendaEvent]:
    miss = miss_to_tell(late)
    if miss is None:
        return _close(late, agenda)
    return [] if late.deadline.steps == (miss,) else [replanned(late.deadline, (miss,))]


def _close(late: Settled, agenda: Agenda) -> Sequence[AgendaEvent]:
    """The end of a deadline; a message about it that has not been handed over yet is withdrawn."""
    deadline_id = late.deadline.told.deadline_id
    return [ended(late), *withdrawals(agenda.messages.values(), deadline_id)]
