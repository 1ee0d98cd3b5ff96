"""The agenda of one case: which deadlines are open, what they wait for, and what falls due when.

Nothing here reads a clock. `Elapse` says up to which moment every source has been heard, and gives every step that fell
due by then, in order of time. What settles a deadline is remembered whether or not it is set yet, and what happened is
compared by when it did, so the order in which different services are heard makes no difference to what is set, missed,
fired or left open. Only of two endings the one that is heard first is told.
"""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider
from contracts.notification import (
    AgendaEvent,
    MatterCounted,
)
from notification_service.domain.answers import DONE_BY_HAND, on_deadline
from notification_service.domain.commands import Command, CompleteTask, DelegateTask, Elapse, SetDeadline, SettleMatter
from notification_service.domain.deadline import Situation, open_deadline
from notification_service.domain.known import NOTHING_YET, Agenda, evolve, folded, message_of, situation_of
from notification_service.domain.message import RecordReminderFailed, RecordReminderSent, RerouteReminder, on_message
from notification_service.domain.occurring import and_how_it_stands, on_occurrence, on_time


def decide(command: Command, agenda: Agenda) -> Sequence[AgendaEvent]:
    match command:
        case SetDeadline():
            return _on_set(command, agenda)
        case CompleteTask(deadline_id=deadline_id, at=at):
            situation = situation_of(agenda, deadline_id)
            done = on_deadline(command, situation, agenda)
            settles = SettleMatter(event=DONE_BY_HAND, matters=_ticked(situation), at=at)
            return [*done, *on_occurrence(settles, agenda)] if done else []
        case SettleMatter():
            return on_occurrence(command, agenda)
        case Elapse(up_to=up_to):
            return on_time(up_to, agenda)
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
            agenda = folded(counted, agenda)
        if len(agenda.counted[tally.of]) < tally.at_least:
            return counted
    facts = on_deadline(command, situation_of(agenda, command.task.deadline_id), agenda)
    return [*counted, *and_how_it_stands(facts, command.task, agenda)]


def _ticked(situation: Situation) -> tuple[UUID, ...]:
    """What is done when this deadline is ticked off: itself, or what it is about, however often that is set anew."""
    deadline = open_deadline(situation)
    return tuple(c.matter for c in deadline.met_by if c.event == DONE_BY_HAND) if deadline else ()


decider: Decider[Command, Agenda, AgendaEvent] = Decider(initial=NOTHING_YET, decide=decide, evolve=evolve)
agenda = Aggregate(category="agenda", decider=decider)
"""Streams are named `agenda-<caseId>`."""
apart = Aggregate(category="apart", decider=decider)
"""The same, for what stands in no case and must never lead to one: streams are named `apart-<id of the matter>`."""


def agenda_for(case_id: UUID | None) -> Aggregate[Command, Agenda, AgendaEvent]:
    """Which kind of agenda holds what belongs to this case, or to none."""
    return apart if case_id is None else agenda
