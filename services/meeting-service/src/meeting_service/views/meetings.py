"""Which meetings does a case have, and how does each stand? One row per meeting, nothing sealed in it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import but, record
from chassis.view import Heard, View
from contracts.meeting import (
    MeetingCalled,
    MeetingCancelled,
    MeetingHeld,
    MeetingMinutesAmended,
    MeetingMinutesApproved,
    MeetingMoved,
    MeetingProposed,
    ParticipationEnded,
)
from meeting_service.views.columns import METADATA, OWN


class Status(StrEnum):
    PROPOSED = "PROPOSED"
    CALLED = "CALLED"
    HELD = "HELD"
    CANCELLED = "CANCELLED"


@record
class MeetingRow:
    """A row. `number` orders meetings as they came up; `caller` proposed or called it; `marked`: somebody's part in it
    has ended, so it has to be called anew or cancelled; `minutes_version` is 0 as long as none are approved."""

    meeting_id: UUID
    number: int
    case_id: UUID
    kind: str
    status: str
    caller: str
    arrangement: int = 0
    starts_at: datetime | None = None
    minutes: int | None = None
    form: str | None = None
    marked: bool = False
    minutes_version: int = 0
    agreements: int = 0
    reason: str | None = None
    ended_at: datetime | None = None


table = sa.Table(
    "meetings",
    METADATA,
    sa.Column("meeting_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("arrangement", sa.Integer, nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True)),
    sa.Column("minutes", sa.Integer),
    sa.Column("form", sa.Text),
    sa.Column("marked", sa.Boolean, nullable=False),
    sa.Column("minutes_version", sa.Integer, nullable=False),
    sa.Column("agreements", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)


def keys(heard: Heard) -> Sequence[UUID]:
    meeting_id = getattr(heard.fact, "meeting_id", None)
    return (meeting_id,) if meeting_id is not None else ()


def evolve(row: MeetingRow | None, heard: Heard, key: Any) -> MeetingRow | None:
    match heard.fact:
        case MeetingProposed() as fact:
            return MeetingRow(
                meeting_id=fact.meeting_id,
                number=heard.position,
                case_id=fact.case_id,
                kind=fact.kind,
                status=Status.PROPOSED,
                caller=fact.proposed_by,
            )
        case MeetingCalled() as fact:
            return _arranged(
                MeetingRow(
                    meeting_id=fact.meeting_id,
                    number=row.number if row is not None else heard.position,
                    case_id=fact.case_id,
                    kind=fact.kind,
                    status=Status.CALLED,
                    caller=fact.called_by,
                ),
                fact,
            )
        case _:
            return None if row is None else _changed(row, heard)


def _changed(row: MeetingRow, heard: Heard) -> MeetingRow:
    match heard.fact:
        case MeetingMoved() as fact:
            return but(_arranged(row, fact), reason=fact.reason, marked=False)
        case MeetingHeld() as fact:
            return but(row, status=Status.HELD, form=fact.form, ended_at=fact.at, reason=None)
        case MeetingCancelled() as fact:
            return but(row, status=Status.CANCELLED, reason=fact.reason, ended_at=heard.envelope.occurred_at)
        case MeetingMinutesApproved() | MeetingMinutesAmended() as fact:
            return but(row, minutes_version=fact.version, agreements=len(fact.agreements))
        case ParticipationEnded():
            return but(row, marked=True)
        case _:
            return row


def _arranged(row: MeetingRow, fact: MeetingCalled | MeetingMoved) -> MeetingRow:
    return but(row, arrangement=fact.arrangement, starts_at=fact.starts_at, minutes=fact.minutes, form=fact.form)


meetings = View(
    name="meetings", table=table, key="meeting_id", row=MeetingRow, keys=keys, evolve=evolve, sources=(OWN,)
)


async def of_case(connection: AsyncConnection, case_id: UUID, after: int, most: int) -> list[MeetingRow]:
    """A case's meetings that came up after number `after`, oldest first."""
    query = (
        sa.select(table).where(table.c.case_id == case_id, table.c.number > after).order_by(table.c.number).limit(most)
    )
    return [MeetingRow(**row) for row in (await connection.execute(query)).mappings()]
