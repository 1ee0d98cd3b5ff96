"""Which consents are there in a case, and does each still stand?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.columns import METADATA, OWN
from chassis.decider import record
from chassis.view import Heard, View
from contracts.case import ConsentExpired, ConsentGiven, ConsentWithdrawn

GIVEN, WITHDRAWN, EXPIRED = "GIVEN", "WITHDRAWN", "EXPIRED"
STREAM = "consent-"


@record
class ConsentRow:
    """A row: the newest giving. `data_classes` are separated by blanks."""

    consent_id: UUID
    case_id: UUID
    opening: int
    giving: int
    scope: str
    counterparty: str
    purpose: str
    data_classes: str
    valid_from: date
    valid_to: date
    form: str
    status: str
    ended_at: datetime | None = None


table = sa.Table(
    "consents",
    METADATA,
    sa.Column("consent_id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("opening", sa.Integer, nullable=False),
    sa.Column("giving", sa.Integer, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("counterparty", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("data_classes", sa.Text, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date, nullable=False),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.consent_id,) if heard.stream.startswith(STREAM) else ()


def evolve(row: ConsentRow | None, heard: Heard, key: Any) -> ConsentRow | None:
    match heard.fact:
        case ConsentGiven() as fact:
            return ConsentRow(
                consent_id=fact.consent_id,
                case_id=fact.case_id,
                opening=fact.opening,
                giving=fact.giving,
                scope=fact.scope,
                counterparty=fact.counterparty,
                purpose=fact.purpose,
                data_classes=" ".join(fact.data_classes),
                valid_from=fact.valid_from,
                valid_to=fact.valid_to,
                form=fact.form,
                status=GIVEN,
            )
        case ConsentWithdrawn() if row is not None:
            return replace(row, status=WITHDRAWN, ended_at=heard.fact.effective_at)
        case ConsentExpired() if row is not None:
            return replace(row, status=EXPIRED, ended_at=heard.fact.effective_at)
        case _:
            return row


consents = View(
    name="consents", table=table, key="consent_id", row=ConsentRow, keys=keys, evolve=evolve, sources=(OWN,)
)


async def of_case(connection: AsyncConnection, case_id: UUID) -> list[ConsentRow]:
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.scope, table.c.consent_id)
    return [ConsentRow(**row) for row in (await connection.execute(query)).mappings()]
