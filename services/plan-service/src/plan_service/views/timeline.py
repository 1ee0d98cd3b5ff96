"""What has happened about an employment's plan? One row per fact."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.decider import record
from chassis.view import Heard, View
from plan_service.views.columns import METADATA, OWN


@record
class Happening:
    """A row. `position` is the fact's place in the log; `about` what it concerns; `detail` one code of it."""

    position: int
    employment_id: UUID
    at: datetime
    event: str
    role: str
    about: UUID
    detail: str


table = sa.Table(
    "timeline",
    METADATA,
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("employment_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("about", sa.Uuid, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

TOLD: Mapping[str, tuple[str, str]] = {
    "EmploymentRegistered": ("employment_id", "employment_kind"),
    "EmployerPlanRequested": ("request_id", "due"),
    "PlanSubmitted": ("plan_id", "channel"),
    "PlanRevised": ("plan_id", "version"),
    "PlanFileRejected": ("upload_id", "reason"),
    "PlanAssessed": ("plan_id", "quality"),
    "EmployerPlanNotReceived": ("request_id", "last_due"),
    "PlanActivityStarted": ("activity_id", "at"),
    "PlanActivityCompleted": ("activity_id", "at"),
    "PlanActivityMissed": ("activity_id", "cause"),
}
"""Each event with the field it is about, and the one open field that says most. A tip leads to no employment.
`ExpectedDaysChanged` is left out: the employer reads this, and is not told what FK assumes."""


def keys(heard: Heard) -> Sequence[int]:
    return (heard.position,) if heard.name in TOLD else ()


def evolve(row: Happening | None, heard: Heard, key: int) -> Happening | None:
    about, detail = TOLD[heard.name]
    return Happening(
        position=key,
        employment_id=heard.fact.employment_id,
        at=heard.envelope.occurred_at,
        event=heard.name,
        role=heard.envelope.actor.role,
        about=getattr(heard.fact, about),
        detail=_plain(getattr(heard.fact, detail)),
    )


def _plain(value: Any) -> str:
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)


timeline = View(
    name="timeline", table=table, key="position", row=Happening, keys=keys, evolve=evolve, sources=(OWN,)
)  # fmt: skip


async def of_employment(
    connection: AsyncConnection, employment_id: UUID, after: int, most: int
) -> list[Happening]:  # fmt: skip
    """What happened after position `after`, oldest first, at most `most`."""
    wanted = sa.and_(table.c.employment_id == employment_id, table.c.position > after)
    query = sa.select(table).where(wanted).order_by(table.c.position).limit(most)
    return [Happening(**r) for r in (await connection.execute(query)).mappings()]
