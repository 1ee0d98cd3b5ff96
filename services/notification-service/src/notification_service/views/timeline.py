"""What has this service done about a case, in order?"""

from collections.abc import Sequence
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
    DeadlineSet,
    ReminderFailed,
    ReminderRerouted,
    ReminderSent,
    ReminderWithdrawn,
    TaskDelegated,
    TaskDone,
    TimerElapsed,
)
from notification_service.views.columns import METADATA, OWN, agenda_of, case_of


@record
class Happening:
    """`at` is when it was done here, `due_at` the true time it belongs to; `who` a role or a party; `kind` that of the
    deadline or the timer, or the message's template."""

    position: int
    agenda_id: UUID
    case_id: UUID | None
    at: datetime
    event: str
    kind: str
    about: UUID
    due_at: datetime | None
    who: str
    detail: str


table = sa.Table(
    "timeline",
    METADATA,
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("agenda_id", sa.Uuid, nullable=False),
    sa.Column("case_id", sa.Uuid),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)


def keys(heard: Heard) -> Sequence[int]:
    return () if _told(heard.fact) is None else (heard.position,)


def evolve(row: Happening | None, heard: Heard, key: int) -> Happening | None:
    told = _told(heard.fact)
    if told is None:
        return row
    kind, due_at, who, detail = told
    return Happening(
        position=key,
        agenda_id=agenda_of(heard),
        case_id=case_of(heard),
        at=heard.envelope.occurred_at,
        event=heard.name,
        kind=kind,
        about=heard.fact.about,
        due_at=due_at,
        who=who,
        detail=detail,
    )


def _told(fact: Any) -> tuple[str, datetime | None, str, str] | None:
    """Kind, due date, whom it concerns and a detail; None for what is not worth telling."""
    match fact:
        case DeadlineSet():
            return fact.kind, fact.due_at, fact.owner_ref, fact.rule
        case DeadlineMissed():
            return fact.kind, fact.due_at, fact.owner_role, ""
        case DeadlineEscalated():
            return fact.kind, fact.due_at, fact.to_role, f"{fact.attempt}"
        case DeadlineMet():
            return fact.kind, None, "", ""
        case DeadlineCancelled():
            return fact.kind, None, "", fact.reason
        case TaskDone():
            return fact.kind, None, "", ""
        case TimerElapsed():
            return fact.kind, fact.due_at, "", ""
        case ReminderSent():
            return fact.template_id, None, fact.recipient_ref, fact.channel.value
        case TaskDelegated():
            return fact.kind, None, fact.to, ""
        case ReminderRerouted():
            return fact.template_id, None, fact.recipient_ref, f"{fact.channel.value}>{fact.instead.value} {fact.cause}"
        case ReminderFailed():
            return fact.template_id, None, fact.recipient_ref, fact.cause
        case ReminderWithdrawn():
            return "", None, "", ""
        case _:
            return None


timeline = View(name="timeline", table=table, key="position", row=Happening, keys=keys, evolve=evolve, sources=(OWN,))


async def of_case(
    connection: AsyncConnection, case_id: UUID, after: tuple[Any, ...] | None, limit: int
) -> list[Happening]:
    """In log order. `after` is a row's (position,)."""
    asked = sa.select(table).where(table.c.case_id == case_id)
    if after is not None:
        asked = asked.where(table.c.position > after[0])
    rows = await connection.execute(asked.order_by(table.c.position).limit(limit))
    return [Happening(**row) for row in rows.mappings()]
