"""Which cases are there, who has them, and how does each stand? One row per case, nothing sealed in it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.columns import METADATA, OWN
from chassis.decider import record
from chassis.view import Heard, View
from contracts.case import (
    CaseAssigned,
    CaseClosed,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    CertificateReceived,
    ConsentExpired,
    ConsentGiven,
    ConsentWithdrawn,
    InitialAssessmentDone,
    KoordineringsInfoAcknowledged,
    KoordineringsInfoSent,
    MilestoneReached,
    RehabNeedDecided,
)

STREAM, CONSENTS = "case-", "consent-"


class Status(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class Hands(StrEnum):
    """Whose cases: those I handle or stand in for, those nobody handles, or all."""

    MINE = "MINE"
    NOBODYS = "NOBODYS"
    ALL = "ALL"


@record
class CaseRow:
    """A row. `number` orders cases as they were opened; `version` is that of the stream; `milestone` the newest one, as
    counter and day; `infos_waiting` counts what health care told and FK has not acknowledged. `consents` are those that
    were given and have not ended, as JSON: id to giving and the case's opening then; `consents_end`: there is one among
    them that the case has left behind."""

    case_id: UUID
    number: int
    version: int
    person_ref: UUID
    status: str
    spell_start: date
    chain_start: date
    opened_at: datetime
    expected_end: date
    expected_days: int
    benefit: str
    restricted: bool
    handler_ref: str | None = None
    unit: str | None = None
    substitute_ref: str | None = None
    substitute_until: date | None = None
    certificates: int = 0
    need_level: str | None = None
    need: bool | None = None
    need_decided_at: datetime | None = None
    infos_waiting: int = 0
    milestone: str | None = None
    outcome: str | None = None
    closed_at: datetime | None = None
    changed_at: datetime
    opening: int = 1
    consents: str = "{}"
    consents_end: bool = False


table = sa.Table(
    "cases",
    METADATA,
    sa.Column("case_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("person_ref", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("spell_start", sa.Date, nullable=False),
    sa.Column("chain_start", sa.Date, nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expected_end", sa.Date, nullable=False),
    sa.Column("expected_days", sa.Integer, nullable=False),
    sa.Column("benefit", sa.Text, nullable=False),
    sa.Column("restricted", sa.Boolean, nullable=False),
    sa.Column("handler_ref", sa.Text),
    sa.Column("unit", sa.Text),
    sa.Column("substitute_ref", sa.Text),
    sa.Column("substitute_until", sa.Date),
    sa.Column("certificates", sa.Integer, nullable=False),
    sa.Column("need_level", sa.Text),
    sa.Column("need", sa.Boolean),
    sa.Column("need_decided_at", sa.DateTime(timezone=True)),
    sa.Column("infos_waiting", sa.Integer, nullable=False),
    sa.Column("milestone", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("opening", sa.Integer, nullable=False),
    sa.Column("consents", sa.Text, nullable=False),
    sa.Column("consents_end", sa.Boolean, nullable=False),
)


# --- folding ---


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.case_id,) if heard.stream.startswith((STREAM, CONSENTS)) else ()


def evolve(row: CaseRow | None, heard: Heard, key: Any) -> CaseRow | None:
    fact = heard.fact
    if isinstance(fact, CaseOpened):
        return _opened(fact, heard)
    if row is None:
        return None
    if isinstance(fact, ConsentGiven | ConsentWithdrawn | ConsentExpired):
        return _consented(row, fact)
    row = _learnt(replace(row, version=heard.version, changed_at=heard.recorded_at), fact)
    return _left_behind(row) if isinstance(fact, CaseClosed | CaseReopened) else row


def _opened(fact: CaseOpened, heard: Heard) -> CaseRow:
    return CaseRow(
        case_id=fact.case_id,
        number=heard.position,
        version=heard.version,
        person_ref=fact.person_ref,
        status=Status.OPEN,
        spell_start=fact.spell_start,
        chain_start=fact.chain_start,
        opened_at=heard.envelope.occurred_at,
        expected_end=fact.expected_end,
        expected_days=fact.expected_days,
        benefit=fact.benefit,
        restricted=fact.restricted,
        changed_at=heard.recorded_at,
    )


def _learnt(row: CaseRow, fact: Any) -> CaseRow:
    match fact:
        case CaseAssigned():
            return replace(
                row,
                handler_ref=fact.handler_ref,
                unit=fact.unit,
                substitute_ref=fact.substitute_ref,
                substitute_until=fact.until,
            )
        case CaseExtended():
            return replace(row, expected_end=fact.new_expected_end, expected_days=fact.expected_days)
        case CertificateReceived():
            return replace(row, certificates=row.certificates + 1)
        case InitialAssessmentDone():
            return replace(row, need_level=fact.need_level)
        case RehabNeedDecided():
            return replace(row, need=fact.need, need_decided_at=fact.decided_at)
        case KoordineringsInfoSent():
            return replace(row, infos_waiting=row.infos_waiting + 1)
        case KoordineringsInfoAcknowledged():
            return replace(row, infos_waiting=row.infos_waiting - 1)
        case MilestoneReached():
            return replace(row, milestone=f"{fact.counter}:{fact.day}")
        case CaseClosed():
            return replace(row, status=Status.CLOSED, outcome=fact.outcome, closed_at=fact.closed_at)
        case CaseReopened():
            return replace(row, status=Status.OPEN, outcome=None, closed_at=None, opening=fact.opening)
        case _:
            return row


def _consented(row: CaseRow, fact: ConsentGiven | ConsentWithdrawn | ConsentExpired) -> CaseRow:
    standing: dict[str, list[int]] = json.loads(row.consents)
    id = str(fact.consent_id)
    if isinstance(fact, ConsentGiven):
        standing[id] = [fact.giving, fact.opening]
    elif id in standing and standing[id][0] == fact.giving:
        del standing[id]
    return _left_behind(replace(row, consents=json.dumps(standing, sort_keys=True)))


def _left_behind(row: CaseRow) -> CaseRow:
    return replace(row, consents_end=bool(consents_to_end(row)))


def consents_to_end(row: CaseRow) -> list[tuple[UUID, int]]:
    """The id and the giving of each consent that was given before the case was closed, and has not ended."""
    standing: dict[str, list[int]] = json.loads(row.consents)
    openings = row.opening + (row.status == Status.CLOSED)  # those before this one are over
    return [(UUID(id), giving) for id, (giving, opening) in standing.items() if opening < openings]


cases = View(name="cases", table=table, key="case_id", row=CaseRow, keys=keys, evolve=evolve, sources=(OWN,))


# --- asking ---


async def one(connection: AsyncConnection, case_id: UUID) -> CaseRow | None:
    return next(iter(await _find(connection, table.c.case_id == case_id, 1)), None)


async def of_person(connection: AsyncConnection, person_ref: UUID) -> list[CaseRow]:
    """A person's cases, oldest first."""
    return await _find(connection, table.c.person_ref == person_ref, 1000)


async def whose_consents_end(connection: AsyncConnection, most: int) -> list[CaseRow]:
    """Cases that have been closed with consents in them that have not ended yet."""
    return await _find(connection, table.c.consents_end, most)


async def some(
    connection: AsyncConnection, status: Status | None, hands: Hands, user: str, today: date, after: int, most: int
) -> list[CaseRow]:
    """Cases opened after number `after`, oldest first, at most `most`. A stand-in's are its own until that day."""
    wanted = [table.c.number > after]
    if status is not None:
        wanted.append(table.c.status == status.value)
    match hands:
        case Hands.MINE:
            standing_in = sa.and_(table.c.substitute_ref == user, table.c.substitute_until >= today)
            wanted.append(sa.or_(table.c.handler_ref == user, standing_in))
        case Hands.NOBODYS:
            wanted.append(table.c.handler_ref.is_(None))
        case Hands.ALL:
            pass
    return await _find(connection, sa.and_(*wanted), most)


async def _find(connection: AsyncConnection, wanted: sa.ColumnElement[bool], most: int) -> list[CaseRow]:
    query = sa.select(table).where(wanted).order_by(table.c.number).limit(most)
    return [CaseRow(**row) for row in (await connection.execute(query)).mappings()]
