"""What has to happen in a case, and what has: its deadlines and its timeline."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from chassis.decider import Unknown
from chassis.envelope import Actor
from chassis.http import Body, Page, Reads, allow, paged
from notification_service.api.shown import DeadlinePage, deadline_page
from notification_service.api.who import FK, OWNERS
from notification_service.parties import names_of
from notification_service.views.deadlines import deadlines
from notification_service.views.deadlines import of_case as deadlines_of_case
from notification_service.views.timeline import Happening, timeline
from notification_service.views.timeline import of_case as timeline_of_case

router = APIRouter()


class CaseUnknown(Unknown):
    reason = "Nothing is known here about such a case, or not for you."


class Happened(Body):
    """Something this service did: `at` is when it was done, `dueAt` the true time it belongs to."""

    position: int
    at: datetime
    event: str
    kind: str
    about: UUID
    due_at: datetime | None
    who: str
    detail: str


class TimelinePage(Body):
    items: list[Happened]
    next: str | None


@router.get("/cases/{caseId}/deadlines", tags=["cases"], summary="A case's deadlines; a party sees its own")
async def case_deadlines(
    case_id: Annotated[UUID, Path(alias="caseId")],
    read: Reads,
    page: Page,
    who: Annotated[Actor, allow(*FK, *OWNERS)],
) -> DeadlinePage:
    owner = None if who.org_type == "FK" else names_of(who)
    async with read(deadlines) as connection:
        rows = await deadlines_of_case(connection, case_id, owner, page.after, page.limit + 1)
    if not rows and page.after is None:
        raise CaseUnknown
    return DeadlinePage(**deadline_page(rows, page, who))


@router.get("/cases/{caseId}/timeline", tags=["cases"], summary="What has happened to a case's deadlines, in order")
async def case_timeline(
    case_id: Annotated[UUID, Path(alias="caseId")], read: Reads, page: Page, who: Annotated[Actor, allow(*FK)]
) -> TimelinePage:
    async with read(timeline) as connection:
        rows = await timeline_of_case(connection, case_id, page.after, page.limit + 1)
    if not rows and page.after is None:
        raise CaseUnknown
    found = paged([_happened(r) for r in rows], page, key=lambda h: (h.position,))
    return TimelinePage(**found)


def _happened(row: Happening) -> Happened:
    return Happened(**{k: v for k, v in row.__dict__.items() if k not in ("case_id", "agenda_id")})
