"""In whose hands is a case? Who handles it, and who stands in until when, as case-service tells it."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.decider import record
from chassis.view import Heard, View
from contracts.case import CASE, CaseAssigned
from notification_service.views.columns import METADATA


class Hands(StrEnum):
    """Whose tasks: those of cases that I handle or stand in for, or that nobody handles; or all."""

    MINE = "MINE"
    ALL = "ALL"


@record
class HandsOfCase:
    """A row: of a case that nobody has been given there is none."""

    case_id: UUID
    handler_ref: str
    substitute_ref: str | None
    substitute_until: date | None


table = sa.Table(
    "hands",
    METADATA,
    sa.Column("case_id", sa.Uuid, primary_key=True),
    sa.Column("handler_ref", sa.Text, nullable=False),
    sa.Column("substitute_ref", sa.Text),
    sa.Column("substitute_until", sa.Date),
)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.case_id,) if isinstance(heard.fact, CaseAssigned) else ()


def evolve(row: HandsOfCase | None, heard: Heard, key: Any) -> HandsOfCase | None:
    match heard.fact:
        case CaseAssigned(handler_ref=handler, substitute_ref=substitute, until=until):
            return HandsOfCase(case_id=key, handler_ref=handler, substitute_ref=substitute, substitute_until=until)
        case _:
            return row


hands = View(
    name="hands", table=table, key="case_id", row=HandsOfCase, keys=keys, evolve=evolve, sources=(CASE.service,)
)


def in_hands_of(case_id: sa.ColumnElement[Any], user: str, today: date) -> sa.ColumnElement[bool]:
    """Does this user handle the case or stand in for it today, or does nobody handle it?"""
    of_case = sa.select(table.c.case_id).where(table.c.case_id == case_id)
    standing_in = sa.and_(table.c.substitute_ref == user, table.c.substitute_until >= today)
    return ~of_case.exists() | of_case.where(sa.or_(table.c.handler_ref == user, standing_in)).exists()
