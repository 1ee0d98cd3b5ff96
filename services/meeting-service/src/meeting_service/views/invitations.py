"""To which meetings is a party invited, and what has it answered? One row per meeting and party."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import but, record
from chassis.view import Heard, View
from contracts.meeting import MeetingAnswered, MeetingCalled, MeetingCancelled, MeetingHeld, MeetingMoved
from contracts.meeting import ParticipationEnded as Ended
from meeting_service.views.columns import METADATA, OWN


@record
class InvitationRow:
    """A row. `answer` is to the arrangement that stands; `open` until the meeting is held or cancelled; `ended`: the
    party takes no part in it any more."""

    invitation_id: UUID
    meeting_id: UUID
    case_id: UUID
    ref: str
    kind: str
    caller: str
    required: bool
    arrangement: int
    starts_at: datetime
    minutes: int
    form: str
    answer: str | None = None
    open: bool = True
    ended: bool = False


table = sa.Table(
    "invitations",
    METADATA,
    sa.Column("invitation_id", sa.Uuid, primary_key=True),
    sa.Column("meeting_id", sa.Uuid, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("required", sa.Boolean, nullable=False),
    sa.Column("arrangement", sa.Integer, nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
)


def invitation_id(meeting_id: UUID, ref: str) -> UUID:
    return uuid5(meeting_id, ref)


def keys(heard: Heard) -> Sequence[UUID]:
    match heard.fact:
        case MeetingCalled() | MeetingMoved() as fact:
            refs = [p.ref for p in fact.participants]
        case MeetingAnswered() | Ended() as fact:
            refs = [fact.ref]
        case MeetingHeld() as fact:
            refs = [*fact.present, *fact.absent]
        case MeetingCancelled() as fact:
            refs = list(fact.refs)
        case _:
            return ()
    return [invitation_id(fact.meeting_id, ref) for ref in refs]


def evolve(row: InvitationRow | None, heard: Heard, key: Any) -> InvitationRow | None:
    match heard.fact:
        case MeetingCalled() | MeetingMoved() as fact:
            return _invited(fact, key)
        case _ if row is None:
            return None
        case MeetingAnswered() as fact:
            return but(row, answer=fact.answer)
        case MeetingHeld() | MeetingCancelled():
            return but(row, open=False)
        case Ended():
            return but(row, ended=True)
        case _:
            return row


def _invited(fact: MeetingCalled | MeetingMoved, key: UUID) -> InvitationRow:
    """Called or moved, everybody is asked anew."""
    who = next(p for p in fact.participants if invitation_id(fact.meeting_id, p.ref) == key)
    return InvitationRow(
        invitation_id=key,
        meeting_id=fact.meeting_id,
        case_id=fact.case_id,
        ref=who.ref,
        kind=fact.kind,
        caller=fact.called_by,
        required=who.required,
        arrangement=fact.arrangement,
        starts_at=fact.starts_at,
        minutes=fact.minutes,
        form=fact.form,
    )


invitations = View(
    name="invitations", table=table, key="invitation_id", row=InvitationRow, keys=keys, evolve=evolve, sources=(OWN,)
)


async def of_party(
    connection: AsyncConnection, ref: str, whole: bool, after: tuple[datetime, UUID] | None, most: int
) -> list[InvitationRow]:
    """A party's invitations, soonest first; unless `whole` only to meetings that are neither held nor cancelled."""
    order = (table.c.starts_at, table.c.invitation_id)
    query = sa.select(table).where(table.c.ref == ref, sa.not_(table.c.ended))
    if not whole:
        query = query.where(table.c.open)
    if after is not None:
        query = query.where(
            sa.tuple_(*order) > sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(after, order, strict=True)))
        )
    return [InvitationRow(**r) for r in (await connection.execute(query.order_by(*order).limit(most))).mappings()]
