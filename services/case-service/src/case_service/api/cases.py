"""Cases: listed, read, and told as a timeline."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from case_service.api import shown
from case_service.api.finding import seen
from case_service.api.relation import PERSON, AtFk, Reader
from case_service.domain.commands import CaseUnknown
from case_service.views import cases, columns, consents, deadlines, plans, referrals, timeline
from chassis.days import local_day
from chassis.http import Act, Page, Paging, Problem, Reads, paged

router = APIRouter(prefix="/cases", tags=["cases"])


@router.get(
    "",
    response_model=shown.CasePage,
    summary="List cases",
    description="FK's worklist: MINE are those the caller handles or stands in for today, NOBODYS those nobody "
    "handles. In the order in which they were opened; whatever happens between two pages, none is missed "
    "and none comes twice.",
)
async def listed(
    who: AtFk,
    act: Act,
    read: Reads,
    page: Page,
    hands: Annotated[cases.Hands, Query(description="Whose cases")] = cases.Hands.MINE,
    status: Annotated[cases.Status | None, Query(description="Only these")] = None,
) -> dict[str, Any]:
    today, after = local_day(act.now), _after_number(page)
    async with read(cases.cases) as connection:
        found = await cases.some(connection, status, hands, who.user_ref, today, after, page.limit + 1)
    async with read(deadlines.deadlines) as connection:
        due = await deadlines.next_due(connection, [r.case_id for r in found])
    answer = paged(found, page, key=lambda r: (r.number,))
    return answer | {"items": [shown.summary(r, today, due.get(r.case_id)) for r in answer["items"]]}


@router.get(
    "/{case_id}",
    response_model=shown.CaseShown,
    response_model_exclude_unset=True,
    summary="Read a case",
    description="The case with its employments and their plans, degrees, need, consents, referrals and open deadlines, "
    "and under `_links` what the caller may do now. FK and the insured person.",
)
async def one(case_id: UUID, who: Reader, act: Act, read: Reads, response: Response) -> shown.CaseShown:
    today, known = local_day(act.now), (await seen(act, case_id, who)).case
    async with read(cases.cases) as c, read(consents.consents) as d, read(referrals.referrals) as e:
        row = await cases.one(c, case_id)
        newest = (await cases.of_person(c, known.opened.person_ref))[-1:]
        given, sent = await consents.of_case(d, case_id), await referrals.of_case(e, case_id)
    async with read(plans.plans) as c, read(deadlines.deadlines) as d:
        told, due = await plans.of_case(c, case_id), await deadlines.of_case(d, case_id)
    if row is None:
        raise CaseUnknown
    response.headers["ETag"] = f'"{row.version}"'
    return shown.case(row, known, who, today, told, given, sent, due, newest=newest == [row])


@router.get(
    "/{case_id}/timeline",
    response_model=shown.TimelinePage,
    summary="What has happened in a case",
    description="What happened, oldest first, whoever told it: this service, plan-service, meeting-service, "
    "notification-service. The insured person sees what was done, not FK's deadlines.",
)
async def told(case_id: UUID, who: Reader, act: Act, read: Reads, page: Page) -> dict[str, Any]:
    await seen(act, case_id, who)
    of_the_person = [columns.OWN, columns.PLAN, columns.MEETING]
    sources = of_the_person if who.org_type == PERSON else list(timeline.timeline.sources)
    async with read(timeline.timeline) as connection:
        found = await timeline.of_case(connection, case_id, sources, _after_moment(page), page.limit + 1)
    answer = paged(found, page, key=lambda h: (h.at, h.source, h.position))
    return answer | {"items": [shown.happened(h) for h in answer["items"]]}


def _after_number(page: Paging) -> int:
    match page.after:
        case None:
            return 0
        case (int(number),):
            return number
        case _:
            raise not_a_cursor()


def _after_moment(page: Paging) -> tuple[datetime, str, int] | None:
    match page.after:
        case None:
            return None
        case (datetime() as at, str(source), int(position)) if at.tzinfo is not None:
            return at, source, position
        case _:
            raise not_a_cursor()


def not_a_cursor() -> Problem:
    return Problem(
        422, "invalid-cursor", "This is not the `next` of a page of this list.", field="after",
        do="Begin without `after`, then send what `next` said.",
    )  # fmt: skip
