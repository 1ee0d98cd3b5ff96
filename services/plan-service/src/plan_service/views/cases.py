"""What has case-service told of a case that matters to a plan? For how long it is expected to last, and whether it has
ended."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.decider import but, record
from chassis.view import Heard, View
from contracts.case import CaseClosed, CaseExtended, CaseOpened, CaseReopened
from plan_service.views.columns import CASE, METADATA


@record
class Case:
    """A row. `expected_days` is None where it was never told: then what came with the employment stands."""

    case_id: UUID
    expected_days: int | None = None
    ended: bool = False


table = sa.Table(
    "cases",
    METADATA,
    sa.Column("case_id", sa.Uuid, primary_key=True),
    sa.Column("expected_days", sa.Integer),
    sa.Column("ended", sa.Boolean, nullable=False),
)

TOLD = (CaseOpened, CaseExtended, CaseClosed, CaseReopened)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.case_id,) if isinstance(heard.fact, TOLD) else ()


def evolve(row: Case | None, heard: Heard, key: Any) -> Case | None:
    row = row or Case(case_id=key)
    match heard.fact:
        case CaseOpened() | CaseExtended() as told:
            return but(row, expected_days=told.expected_days)
        case CaseClosed():
            return but(row, ended=True)
        case CaseReopened():
            return but(row, ended=False)
        case _:
            return row


cases = View(name="cases", table=table, key="case_id", row=Case, keys=keys, evolve=evolve, sources=(CASE,))
