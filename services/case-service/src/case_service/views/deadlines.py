"""What has to be done in a case, as notification-service tells it?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.columns import METADATA, NOTIFICATION
from chassis.decider import record
from chassis.view import Heard, View
from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
)

SYSTEM = "system"


@record
class DeadlineRow:
    """An open deadline that somebody owns."""

    deadline_id: UUID
    case_id: UUID
    kind: str
    about: UUID
    due_at: datetime
    owner_role: str
    missed: bool = False
    escalated_to: str | None = None


table = sa.Table(
    "open_deadlines",
    METADATA,
    sa.Column("deadline_id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("owner_role", sa.Text, nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("escalated_to", sa.Text),
)


def keys(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case DeadlineSet() | DeadlineMet() | DeadlineMissed() | DeadlineEscalated() | DeadlineCancelled():
            return (heard.fact.deadline_id,)
        case _:
            return ()


def evolve(row: DeadlineRow | None, heard: Heard, key: Any) -> DeadlineRow | None:
    match heard.fact:
        case DeadlineSet() as fact:
            case_id = heard.envelope.case_id
            if case_id is None or fact.owner_role == SYSTEM:
                return None
            return DeadlineRow(
                deadline_id=fact.deadline_id,
                case_id=case_id,
                kind=fact.kind,
                about=fact.about,
                due_at=fact.due_at,
                owner_role=fact.owner_role,
            )
        case DeadlineMissed() if row is not None:
            return replace(row, missed=True)
        case DeadlineEscalated() if row is not None:
            return replace(row, escalated_to=heard.fact.to_role)
        case _:
            return None


deadlines = View(
    name="open_deadlines",
    table=table,
    key="deadline_id",
    row=DeadlineRow,
    keys=keys,
    evolve=evolve,
    sources=(NOTIFICATION,),
)


async def of_case(connection: AsyncConnection, case_id: UUID) -> list[DeadlineRow]:
    """What is open, earliest first."""
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.due_at, table.c.deadline_id)
    return [DeadlineRow(**row) for row in (await connection.execute(query)).mappings()]


async def next_due(connection: AsyncConnection, case_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the next deadline of each case falls due."""
    query = (
        sa.select(table.c.case_id, sa.func.min(table.c.due_at))
        .where(table.c.case_id.in_(case_ids))
        .group_by(table.c.case_id)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}
