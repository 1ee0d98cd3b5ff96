"""What has plan-service told of each employment's plan?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from case_service.views.columns import METADATA, PLAN
from chassis.decider import record
from chassis.view import Heard, View
from contracts.plan import (
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentRegistered,
    ExpectedDaysChanged,
    PlanAssessed,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
)


@record
class PlanRow:
    """A row: the newest thing told. `told` is the name of that event."""

    employment_id: UUID
    case_id: UUID
    org_nr: str
    told: str
    plan_id: UUID | None = None
    plan_version: int | None = None
    quality: str | None = None


table = sa.Table(
    "employment_plans",
    METADATA,
    sa.Column("employment_id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("org_nr", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("plan_id", sa.Uuid),
    sa.Column("plan_version", sa.Integer),
    sa.Column("quality", sa.Text),
)


def keys(heard: Heard) -> Sequence[UUID]:
    return (heard.fact.employment_id,) if hasattr(heard.fact, "employment_id") else ()  # a tip leads to none


def evolve(row: PlanRow | None, heard: Heard, key: Any) -> PlanRow | None:
    fact = heard.fact
    if isinstance(fact, EmploymentRegistered):
        return PlanRow(employment_id=fact.employment_id, case_id=fact.case_id, org_nr=fact.org_nr, told=heard.name)
    if row is None or isinstance(fact, ExpectedDaysChanged):
        return row  # it follows from what this service told, and says nothing of a plan
    row = replace(row, told=heard.name)
    match fact:
        case PlanSubmitted() | PlanRevised():
            return replace(row, plan_id=fact.plan_id, plan_version=fact.version, quality=None)
        case PlanAssessed():
            return replace(row, quality=fact.quality)
        case EmployerPlanRequested() | PlanFileRejected() | EmployerPlanNotReceived():
            return row
        case _:
            return row


plans = View(
    name="employment_plans", table=table, key="employment_id", row=PlanRow, keys=keys, evolve=evolve, sources=(PLAN,)
)


async def of_case(connection: AsyncConnection, case_id: UUID) -> list[PlanRow]:
    query = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.employment_id)
    return [PlanRow(**row) for row in (await connection.execute(query)).mappings()]
