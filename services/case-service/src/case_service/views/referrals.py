"""Which referrals went to Arbetsförmedlingen, and what was answered?"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.cases import Status
from case_service.views.cases import table as cases
from case_service.views.columns import METADATA, OWN
from case_service.views.consents import GIVEN
from case_service.views.consents import table as consents
from chassis.decider import record
from chassis.view import Heard, View
from contracts.case import ReferralAccepted, ReferralDeclined, ReferralReassigned, ReferralToAF

WAITING, ACCEPTED, DECLINED = "WAITING", "ACCEPTED", "DECLINED"
STREAM = "referral-"


@record
class ReferralRow:
    """A row. `number` orders referrals as they were sent; `version` is that of the stream."""

    referral_id: UUID
    number: int
    version: int
    case_id: UUID
    sent_to: str
    consent_id: UUID
    purpose: str
    wished_by: date
    sent_at: datetime
    status: str
    officer_ref: str | None = None
    office: str | None = None
    reason: str | None = None
    answered_at: datetime | None = None


table = sa.Table(
    "referrals",
    METADATA,
    sa.Column("referral_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("sent_to", sa.Text, nullable=False),
    sa.Column("consent_id", sa.Uuid, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("wished_by", sa.Date, nullable=False),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("officer_ref", sa.Text),
    sa.Column("office", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("answered_at", sa.DateTime(timezone=True)),
)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.referral_id,) if heard.stream.startswith(STREAM) else ()


def evolve(row: ReferralRow | None, heard: Heard, key: Any) -> ReferralRow | None:
    fact = heard.fact
    if isinstance(fact, ReferralToAF):
        return ReferralRow(
            referral_id=fact.referral_id,
            number=heard.position,
            version=heard.version,
            case_id=fact.case_id,
            sent_to=fact.sent_to,
            consent_id=fact.consent_id,
            purpose=fact.purpose,
            wished_by=fact.wished_by,
            sent_at=fact.sent_at,
            status=WAITING,
        )
    if row is None:
        return None
    row = replace(row, version=heard.version)
    match fact:
        case ReferralAccepted():
            return replace(row, status=ACCEPTED, officer_ref=fact.officer_ref, answered_at=fact.at)
        case ReferralDeclined():
            return replace(row, status=DECLINED, reason=fact.reason, answered_at=fact.at)
        case ReferralReassigned():
            return replace(row, office=fact.office, officer_ref=fact.officer_ref)
        case _:
            return row


referrals = View(
    name="referrals", table=table, key="referral_id", row=ReferralRow, keys=keys, evolve=evolve, sources=(OWN,)
)


async def of_case(connection: AsyncConnection, case_id: UUID) -> list[ReferralRow]:
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.number)
    return [ReferralRow(**row) for row in (await connection.execute(query)).mappings()]


async def sent_to(
    connection: AsyncConnection, org_id: str, today: date, covering: Collection[str], after: int, most: int
) -> list[ReferralRow]:
    """Referrals to one authority, in open cases, whose consent still holds and covers these data classes; oldest first,
    sent after number `after`."""
    covered = sa.literal(" ") + consents.c.data_classes + " "
    holds = sa.and_(
        consents.c.consent_id == table.c.consent_id,
        consents.c.status == GIVEN,
        consents.c.valid_from <= today,
        consents.c.valid_to >= today,
        cases.c.case_id == table.c.case_id,
        cases.c.status == Status.OPEN.value,
        cases.c.opening == consents.c.opening,
        *(covered.contains(f" {letter} ") for letter in sorted(covering)),
    )
    query = (
        sa.select(table)
        .where(table.c.sent_to == org_id, table.c.number > after, sa.exists().where(holds))
        .order_by(table.c.number)
        .limit(most)
    )
    return [ReferralRow(**row) for row in (await connection.execute(query)).mappings()]
