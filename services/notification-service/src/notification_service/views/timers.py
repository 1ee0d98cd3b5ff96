"""Which deadline has a step to do next, and when?"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import record
from chassis.view import Heard, View
from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    ReminderDue,
    StepsPlanned,
    TimerElapsed,
)
from notification_service.views.columns import METADATA, OWN, agenda_of, case_of


@record
class Timer:
    """A deadline with steps left. `later` holds the times after `next_at`, as JSON; `done` counts those before it."""

    deadline_id: UUID
    agenda_id: UUID
    case_id: UUID | None
    next_at: datetime
    done: int
    later: str


table = sa.Table(
    "timers",
    METADATA,
    sa.Column("deadline_id", sa.Uuid, primary_key=True),
    sa.Column("agenda_id", sa.Uuid, nullable=False),
    sa.Column("case_id", sa.Uuid),
    sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("later", sa.Text, nullable=False),
)


def keys(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case StepsPlanned(deadline_id=deadline_id, parent=parent):
            return (deadline_id,) if parent is None else (parent, deadline_id)
        case DeadlineMissed() | DeadlineEscalated() | ReminderDue() | DeadlineMet() | DeadlineCancelled():
            return (heard.fact.deadline_id,)
        case TimerElapsed(timer_id=deadline_id):
            return (deadline_id,)
        case _:
            return ()


def evolve(timer: Timer | None, heard: Heard, key: UUID) -> Timer | None:
    match heard.fact:
        case StepsPlanned(deadline_id=deadline_id, steps=steps) if deadline_id == key:
            done = 0 if timer is None else timer.done
            return _left(key, heard, [s.at.isoformat() for s in steps], done)
        case DeadlineMet() | DeadlineCancelled():
            return None
        case _ if timer is not None:
            return _left(key, heard, json.loads(timer.later), timer.done + 1)
        case _:
            return None


def _left(deadline_id: UUID, heard: Heard, times: list[str], done: int) -> Timer | None:
    if not times:
        return None
    first = datetime.fromisoformat(times[0])
    return Timer(
        deadline_id=deadline_id,
        agenda_id=agenda_of(heard),
        case_id=case_of(heard),
        next_at=first,
        done=done,
        later=json.dumps(times[1:]),
    )


timers = View(name="timers", table=table, key="deadline_id", row=Timer, keys=keys, evolve=evolve, sources=(OWN,))

# What a message speaks of that has been set aside waits: what stands in it may settle what would fire. A case is named
# beside the message. What stands apart from every case is named in it only, and its bytes are searched, since they may
# be what could not be read.
WAITING = sa.text(
    "not exists (select 1 from public.dead_letters d where d.case_id = views.timers.case_id) "
    "and (views.timers.case_id is not null or not exists (select 1 from public.dead_letters d "
    "join public.heard h using (source, position) where d.case_id is null "
    "and position(convert_to(views.timers.agenda_id::text, 'UTF8') in h.data) > 0))"
)


async def next_due(connection: AsyncConnection, without: Collection[UUID] = ()) -> datetime | None:
    """When the next step falls due, in agendas of which nothing has been set aside and that are not among `without`."""
    asked = sa.select(sa.func.min(table.c.next_at)).where(WAITING)
    return await connection.scalar(_but(asked, without))


async def due_at(connection: AsyncConnection, moment: datetime, without: Collection[UUID], limit: int) -> list[Timer]:
    """Up to `limit` deadlines whose next step falls due at exactly that moment, in a stable order."""
    asked = sa.select(table).where(table.c.next_at == moment, WAITING).order_by(table.c.deadline_id).limit(limit)
    return [Timer(**row) for row in (await connection.execute(_but(asked, without))).mappings()]


def _but(asked: sa.Select[Any], agendas: Collection[UUID]) -> sa.Select[Any]:
    return asked.where(table.c.agenda_id.not_in(agendas)) if agendas else asked
