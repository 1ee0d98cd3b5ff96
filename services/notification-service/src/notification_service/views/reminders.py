"""Which messages have been decided on, and what has become of each?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import record
from chassis.view import Heard, View
from contracts.notification import ReminderDue, ReminderFailed, ReminderRerouted, ReminderSent, ReminderWithdrawn
from notification_service.views.columns import METADATA, OWN, agenda_of, case_of

WAITING, SENT, FAILED, WITHDRAWN = "WAITING", "SENT", "FAILED", "WITHDRAWN"


@record
class Reminder:
    reminder_id: UUID
    agenda_id: UUID
    case_id: UUID | None
    deadline_id: UUID
    about: UUID
    channel: str
    template_id: str
    recipient_ref: str
    attempt: int
    due_at: datetime
    status: str
    ended_at: datetime | None
    cause: str


table = sa.Table(
    "reminders",
    METADATA,
    sa.Column("reminder_id", sa.Uuid, primary_key=True),
    sa.Column("agenda_id", sa.Uuid, nullable=False),
    sa.Column("case_id", sa.Uuid),
    sa.Column("deadline_id", sa.Uuid, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("template_id", sa.Text, nullable=False),
    sa.Column("recipient_ref", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("cause", sa.Text, nullable=False),
)


def keys(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case ReminderDue() | ReminderSent() | ReminderFailed() | ReminderWithdrawn() | ReminderRerouted():
            return (heard.fact.reminder_id,)
        case _:
            return ()


def evolve(row: Reminder | None, heard: Heard, key: UUID) -> Reminder | None:
    if row is None:
        return _new(heard.fact, heard) if isinstance(heard.fact, ReminderDue) else None
    match heard.fact:
        case ReminderRerouted(instead=instead, cause=cause):
            return replace(row, channel=instead.value, cause=cause)
        case ReminderSent():
            return replace(row, status=SENT, ended_at=heard.envelope.occurred_at)
        case ReminderFailed(cause=cause):
            return replace(row, status=FAILED, ended_at=heard.envelope.occurred_at, cause=cause)
        case ReminderWithdrawn():
            return replace(row, status=WITHDRAWN, ended_at=heard.envelope.occurred_at)
        case _:
            return row


def _new(due: ReminderDue, heard: Heard) -> Reminder:
    return Reminder(
        reminder_id=due.reminder_id,
        agenda_id=agenda_of(heard),
        case_id=case_of(heard),
        deadline_id=due.deadline_id,
        about=due.about,
        channel=due.channel.value,
        template_id=due.template_id,
        recipient_ref=due.recipient_ref,
        attempt=due.attempt,
        due_at=due.due_at,
        status=WAITING,
        ended_at=None,
        cause="",
    )


reminders = View(
    name="reminders", table=table, key="reminder_id", row=Reminder, keys=keys, evolve=evolve, sources=(OWN,)
)


tries = sa.table("deliveries", sa.column("reminder_id"), sa.column("next_try"), schema="public")
"""Messages that could not be handed over yet and when they are tried again, in real time; kept by the delivery."""


async def to_hand_over(connection: AsyncConnection, mail: bool, real_now: datetime, limit: int) -> list[Reminder]:
    """Messages to hand over now, in the order in which they fell due: those that keep to the hours of the day (e-mail
    and SMS), or those that lie in an inbox."""
    later = sa.select(tries.c.reminder_id).where(
        tries.c.reminder_id == table.c.reminder_id, tries.c.next_try > real_now
    )
    asked = _waiting(mail).where(~later.exists()).order_by(table.c.due_at, table.c.reminder_id).limit(limit)
    return [Reminder(**row) for row in (await connection.execute(asked)).mappings()]


async def lies_in_inbox(connection: AsyncConnection, reminder: Reminder) -> bool:
    """Have the same words about the same deadline gone to this party's inbox, or are they about to?"""
    same = sa.select(table.c.reminder_id).where(
        table.c.deadline_id == reminder.deadline_id,
        table.c.template_id == reminder.template_id,
        table.c.due_at == reminder.due_at,
        table.c.recipient_ref == reminder.recipient_ref,
        table.c.channel == "PORTAL",
        table.c.status.in_([WAITING, SENT]),
    )
    return bool(await connection.scalar(sa.select(same.exists())))


async def never_tried(connection: AsyncConnection, mail: bool) -> datetime | None:
    """Since when the oldest message that has not been tried yet is due."""
    tried = sa.select(tries.c.reminder_id).where(tries.c.reminder_id == table.c.reminder_id)
    asked = _waiting(mail).where(~tried.exists()).order_by(table.c.due_at, table.c.reminder_id).limit(1)
    return await connection.scalar(asked.with_only_columns(table.c.due_at))


def _waiting(mail: bool) -> sa.Select[Any]:
    by_hours = table.c.channel.in_(["EMAIL", "SMS"])
    channel = by_hours if mail else ~by_hours
    return sa.select(table).where(table.c.status == WAITING, channel)


async def inbox(
    connection: AsyncConnection, names: Sequence[str], after: tuple[Any, ...] | None, limit: int
) -> list[Reminder]:
    """What lies in a party's inbox in the portal, by its names, the newest first. `after`: a row's (due_at, id)."""
    asked = sa.select(table).where(
        table.c.recipient_ref.in_(names), table.c.channel == "PORTAL", table.c.status == SENT
    )
    if after is not None:
        asked = asked.where(sa.tuple_(table.c.due_at, table.c.reminder_id) < sa.tuple_(*after))
    rows = await connection.execute(asked.order_by(table.c.due_at.desc(), table.c.reminder_id.desc()).limit(limit))
    return [Reminder(**row) for row in rows.mappings()]
