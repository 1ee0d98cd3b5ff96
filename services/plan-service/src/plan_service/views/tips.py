"""Which tips about employers are there, and what has become of each? One row per tip, nothing sealed in it."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import but, record
from chassis.view import Heard, View
from contracts.plan import SupervisionTipAcknowledged, SupervisionTipOutcome, SupervisionTipSent, TipProposed
from plan_service.views.columns import METADATA, OWN


class TipStatus(StrEnum):
    PROPOSED = "PROPOSED"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CONCLUDED = "CONCLUDED"


@record
class Tip:
    """A row. `number` orders tips as they were proposed, `sent_number` as they were sent; `grounds` are separated by
    blanks; `sent_at` is None until it has been sent."""

    tip_id: UUID
    number: int
    version: int
    org_nr: str
    grounds: str
    status: str
    sent_number: int | None = None
    kind: str | None = None
    case_count: int | None = None
    sent_at: datetime | None = None
    acknowledged_on: date | None = None
    outcome: str | None = None
    outcome_on: date | None = None


table = sa.Table(
    "tips",
    METADATA,
    sa.Column("tip_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("org_nr", sa.Text, nullable=False),
    sa.Column("grounds", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("sent_number", sa.BigInteger),
    sa.Column("kind", sa.Text),
    sa.Column("case_count", sa.Integer),
    sa.Column("sent_at", sa.DateTime(timezone=True)),
    sa.Column("acknowledged_on", sa.Date),
    sa.Column("outcome", sa.Text),
    sa.Column("outcome_on", sa.Date),
)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.tip_id,) if hasattr(heard.fact, "tip_id") else ()


def evolve(row: Tip | None, heard: Heard, key: Any) -> Tip | None:
    fact = heard.fact
    if isinstance(fact, TipProposed):
        return Tip(
            tip_id=fact.tip_id,
            number=heard.position,
            version=heard.version,
            org_nr=fact.org_nr,
            grounds=" ".join(fact.grounds),
            status=TipStatus.PROPOSED,
        )
    assert row is not None, "every stream begins with TipProposed"
    row = but(row, version=heard.version)
    match fact:
        case SupervisionTipSent():
            return but(
                row,
                status=TipStatus.SENT,
                sent_number=heard.position,
                kind=fact.kind,
                case_count=fact.case_count,
                sent_at=heard.envelope.occurred_at,
            )
        case SupervisionTipAcknowledged():
            return but(row, status=TipStatus.ACKNOWLEDGED, acknowledged_on=fact.at)
        case SupervisionTipOutcome():
            return but(row, status=TipStatus.CONCLUDED, outcome=fact.outcome, outcome_on=fact.at)
        case _:
            return row


tips = View(name="tips", table=table, key="tip_id", row=Tip, keys=keys, evolve=evolve, sources=(OWN,))


# --- asking: whoever is told only of what was sent sees tips in the order in which they were sent ---


async def one(connection: AsyncConnection, tip_id: UUID, only_sent: bool) -> Tip | None:
    return next(iter(await _find(connection, table.c.tip_id == tip_id, only_sent, 1)), None)


async def some(
    connection: AsyncConnection, status: TipStatus | None, after: int, most: int, only_sent: bool
) -> list[Tip]:
    """Tips after number `after`, oldest first, at most `most`."""
    wanted = (table.c.sent_number if only_sent else table.c.number) > after
    if status is not None:
        wanted = sa.and_(wanted, table.c.status == status.value)
    return await _find(connection, wanted, only_sent, most)


async def _find(connection: AsyncConnection, wanted: sa.ColumnElement[bool], only_sent: bool, most: int) -> list[Tip]:
    query = sa.select(table).where(wanted)
    if only_sent:
        query = query.where(table.c.sent_number.is_not(None))
    order = table.c.sent_number if only_sent else table.c.number
    return [Tip(**r) for r in (await connection.execute(query.order_by(order).limit(most))).mappings()]
