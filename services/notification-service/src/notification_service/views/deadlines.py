"""Which deadlines does a case have, and which of them are tasks for a role at FK?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
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
    StepsPlanned,
    TaskDelegated,
)
from notification_service.views.columns import METADATA, OWN, agenda_of, case_of
from notification_service.views.hands import in_hands_of

OPEN, MET, CANCELLED = "OPEN", "MET", "CANCELLED"
HANDLER = "fk.handler"


@record
class Deadline:
    """`roles`: the FK roles whose task it is, separated by blanks: its owner, whoever it was escalated to, and the
    handler when a message about it could not reach its party (`unreached` says why). `by_hand`: it may be ticked
    off."""

    deadline_id: UUID
    agenda_id: UUID
    case_id: UUID | None
    kind: str
    about: UUID
    due_at: datetime
    set_at: datetime
    owner_role: str
    owner_ref: str
    owner_sees: bool
    rule: str
    rule_version: str
    status: str
    missed: bool
    escalated_to: str
    ended_at: datetime | None
    unreached: str
    by_hand: bool
    delegated_to: str
    roles: str


table = sa.Table(
    "deadlines",
    METADATA,
    sa.Column("deadline_id", sa.Uuid, primary_key=True),
    sa.Column("agenda_id", sa.Uuid, nullable=False),
    sa.Column("case_id", sa.Uuid),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("owner_role", sa.Text, nullable=False),
    sa.Column("owner_ref", sa.Text, nullable=False),
    sa.Column("owner_sees", sa.Boolean, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("escalated_to", sa.Text, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("unreached", sa.Text, nullable=False),
    sa.Column("by_hand", sa.Boolean, nullable=False),
    sa.Column("delegated_to", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
)


def keys(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case DeadlineSet() | DeadlineMissed() | DeadlineEscalated() | DeadlineMet() | DeadlineCancelled():
            return (heard.fact.deadline_id,)
        case StepsPlanned() | ReminderFailed() | TaskDelegated():
            return (heard.fact.deadline_id,)
        case _:
            return ()


def evolve(row: Deadline | None, heard: Heard, key: UUID) -> Deadline | None:
    if row is None:
        return _new(heard.fact, heard) if isinstance(heard.fact, DeadlineSet) else None
    match heard.fact:
        case StepsPlanned(met_by=met_by):
            return replace(row, by_hand=any(c.event == "TaskDone" for c in met_by))
        case DeadlineMissed():
            return replace(row, missed=True)
        case DeadlineEscalated(to_role=role):
            return replace(row, escalated_to=role, roles=_with(row.roles, role))
        case TaskDelegated(to=role):
            return replace(
                row, delegated_to=role, roles=_with(row.roles, role) if role.startswith("fk.") else row.roles
            )
        case ReminderFailed(cause=cause):
            return replace(row, unreached=cause, roles=_with(row.roles, HANDLER))
        case DeadlineMet(met_at=at):
            return replace(row, status=MET, ended_at=at)
        case DeadlineCancelled():
            return replace(row, status=CANCELLED, ended_at=heard.envelope.occurred_at)
        case _:
            return row


def _new(told: DeadlineSet, heard: Heard) -> Deadline:
    return Deadline(
        deadline_id=told.deadline_id,
        agenda_id=agenda_of(heard),
        case_id=case_of(heard),
        kind=told.kind,
        about=told.about,
        due_at=told.due_at,
        set_at=heard.envelope.occurred_at,
        owner_role=told.owner_role,
        owner_ref=told.owner_ref,
        owner_sees=told.owner_sees,
        rule=told.rule,
        rule_version=told.rule_version,
        status=OPEN,
        missed=False,
        escalated_to="",
        ended_at=None,
        unreached="",
        by_hand=False,
        delegated_to="",
        roles=told.owner_role if told.owner_role.startswith("fk.") else "",
    )


def _with(roles: str, role: str) -> str:
    return roles if role in roles.split() else f"{roles} {role}".strip()


deadlines = View(
    name="deadlines", table=table, key="deadline_id", row=Deadline, keys=keys, evolve=evolve, sources=(OWN,)
)


async def of_case(
    connection: AsyncConnection, case_id: UUID, owner: Sequence[str] | None, after: tuple[Any, ...] | None, limit: int
) -> list[Deadline]:
    """The deadlines of a case by due date: all, or those that one owner, by its names, may see. `after`: a row's
    (due_at, id)."""
    asked = sa.select(table).where(table.c.case_id == case_id)
    if owner is not None:
        asked = asked.where(table.c.owner_ref.in_(owner), table.c.owner_sees)
    return await _page(connection, asked, after, limit)


@record
class Wanted:
    """Which tasks: in the hands of `handler` today (None: whoever handles the case), of one case, of one kind."""

    handler: str | None
    today: date
    case_id: UUID | None
    kind: str | None


async def tasks_of(
    connection: AsyncConnection,
    role: str,
    names: Sequence[str],
    wanted: Wanted,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[Deadline]:
    """The open tasks of an FK role, or of a party by its names; the longest due first."""
    at_fk = sa.func.string_to_array(table.c.roles, " ", type_=ARRAY(sa.Text)).contains([role])
    mine = sa.and_(table.c.owner_ref.in_(names), table.c.owner_sees) if names else at_fk
    asked = sa.select(table).where(table.c.status == OPEN, mine)
    if wanted.handler is not None:
        asked = asked.where(in_hands_of(table.c.case_id, wanted.handler, wanted.today))
    if wanted.case_id is not None:
        asked = asked.where(table.c.case_id == wanted.case_id)
    if wanted.kind is not None:
        asked = asked.where(table.c.kind == wanted.kind)
    return await _page(connection, asked, after, limit)


async def deadline_of(connection: AsyncConnection, deadline_id: UUID) -> Deadline | None:
    found = (await connection.execute(sa.select(table).where(table.c.deadline_id == deadline_id))).mappings().first()
    return Deadline(**found) if found else None


async def _page(
    connection: AsyncConnection, asked: sa.Select[Any], after: tuple[Any, ...] | None, limit: int
) -> list[Deadline]:
    place = sa.tuple_(table.c.due_at, table.c.deadline_id)
    if after is not None:
        asked = asked.where(place > sa.tuple_(*after))
    rows = await connection.execute(asked.order_by(table.c.due_at, table.c.deadline_id).limit(limit))
    return [Deadline(**row) for row in rows.mappings()]
