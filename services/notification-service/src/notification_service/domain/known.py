"""What is known of a case's deadlines, and how does each fact change it?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

from chassis.decider import but, record
from contracts.notification import (
    AgendaEvent,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineHeldBack,
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
    StepsPlanned,
    TaskDelegated,
    TaskDone,
    TimerElapsed,
)
from notification_service.domain.deadline import Came, Closed, HeldBack, NotSet, Open, Situation, reaching, stepped
from notification_service.domain.endings import heard_of, judged, planned
from notification_service.domain.message import Message, NotWaiting, Waiting, rerouted, withdrawn

HANDLER = "fk.handler"
"""Who is to tell a party that no message reaches."""


@record
class Agenda:
    """`deadlines` in the order in which they were set; `settled` says when each event came for each matter; `counted`
    holds the different items of what is counted; `reminded` which reminders of a deadline were handed over."""

    deadlines: Mapping[UUID, Situation]
    settled: Came
    messages: Mapping[UUID, Message]
    counted: Mapping[UUID, frozenset[UUID]]
    reminded: Mapping[UUID, frozenset[tuple[str, int]]]


NOTHING_YET = Agenda(deadlines={}, settled={}, messages={}, counted={}, reminded={})


def evolve(agenda: Agenda, event: AgendaEvent) -> Agenda:
    match event:
        case DeadlineSet():
            was = situation_of(agenda, event.deadline_id)
            bygone = was.bygone if isinstance(was, HeldBack) else None
            fresh = Open(told=event, reached=(), steps=(), tasks=(), met_by=(), cancelled_by=(), bygone=bygone)
            return _with(agenda, event.deadline_id, fresh)
        case StepsPlanned():
            plan = planned(situation_of(agenda, event.deadline_id), event, agenda.settled)
            return _with(_stepped(agenda, event.parent), event.deadline_id, judged(plan, agenda.settled))
        case DeadlineHeldBack(task=task, tasks=tasks, rule_version=version):
            bygone = heard_of(task, agenda.settled)
            held = HeldBack(task=task, tasks=tasks, rule_version=version, bygone=bygone)
            return _with(agenda, task.deadline_id, held)
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
        case ReminderFailed(deadline_id=deadline_id):
            told = reaching(situation_of(agenda, deadline_id), HANDLER)
            return _said(_with(agenda, deadline_id, told), event.reminder_id, NotWaiting())
        case _:
            assert_never(event)


def folded(events: Sequence[AgendaEvent], agenda: Agenda) -> Agenda:
    for event in events:
        agenda = evolve(agenda, event)
    return agenda


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
    came = heard_too(agenda.settled, event.event, event.matters, event.at)
    return but(agenda, deadlines={k: judged(d, came) for k, d in agenda.deadlines.items()}, settled=came)


def heard_too(came: Came, event: str, matters: Sequence[UUID], at: datetime) -> Came:
    return {**came, **{(event, m): (*came.get((event, m), ()), at) for m in matters}}


def _counted(agenda: Agenda, event: MatterCounted) -> Agenda:
    items = agenda.counted.get(event.of, frozenset()) | {event.item}
    return but(agenda, counted={**agenda.counted, event.of: items})


def _reminded(agenda: Agenda, event: ReminderSent) -> Agenda:
    """The same reminder may go by several channels, and so be handed over more than once."""
    gone = agenda.reminded.get(event.deadline_id, frozenset()) | {(event.template_id, event.attempt)}
    return but(agenda, reminded={**agenda.reminded, event.deadline_id: gone})
