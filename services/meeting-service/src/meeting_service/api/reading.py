"""Meetings read: those of a case, one of them with its minutes, and a party's invitations."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from chassis.days import local_day
from chassis.http import Act, Page, Paging, Problem, Reads, paged
from meeting_service.api import shown
from meeting_service.api.finding import CASE, seen
from meeting_service.api.relation import Guest, Here, Lister, Reader, is_outside, meeting_of, party
from meeting_service.domain.commands import MeetingUnknown
from meeting_service.domain.situations import Minuted
from meeting_service.views import invitations, meetings

router = APIRouter(tags=["meetings"])


@router.get(
    "/cases/{case_id}/meetings",
    response_model=shown.MeetingPage,
    summary="List the meetings of a case",
    description="In the order in which they came up. FK and the insured person; others list their invitations.",
)
async def listed(case_id: UUID, who: Lister, act: Act, read: Reads, here: Here, page: Page) -> dict[str, Any]:
    await seen(here, case_id, who, local_day(act.now), read=read)
    async with read(meetings.meetings) as connection:
        found = await meetings.of_case(connection, case_id, _after_number(page), page.limit + 1)
    answer = paged(found, page, key=lambda r: (r.number,))
    return answer | {"items": [shown.summary(r) for r in answer["items"]]}


@router.get(
    "/cases/{case_id}/meetings/{meeting_id}",
    response_model=shown.MeetingShown,
    response_model_exclude_unset=True,
    summary="Read a meeting",
    description="With who is invited and what they answered, and under `_links` what the caller may do now. FK, the "
    "insured person, and the participants as long as the person's consent holds.",
)
async def one(case_id: UUID, meeting_id: UUID, who: Reader, act: Act, read: Reads, here: Here) -> shown.MeetingShown:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, read=read)
    found = meeting_of(known, meeting_id, who, today)
    act.etag(known.version(meeting_id))
    return shown.meeting(found, who, act.now)


@router.get(
    "/cases/{case_id}/meetings/{meeting_id}/minutes",
    response_model=shown.MinutesShown,
    summary="Read the minutes of a meeting",
    description="The newest version with its agreements, and what the parties have said of it.",
)
async def minutes(
    case_id: UUID, meeting_id: UUID, who: Reader, act: Act, read: Reads, here: Here
) -> shown.MinutesShown:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, read=read)
    found = meeting_of(known, meeting_id, who, today)
    if not isinstance(found, Minuted):
        raise MeetingUnknown
    act.etag(known.version(meeting_id))
    return shown.minutes(found)


@router.get(
    "/invitations",
    response_model=shown.InvitationPage,
    summary="List our invitations",
    description="A party's own, soonest first: to meetings that are neither held nor cancelled, or with `whole=true` "
    "to all. What a party no longer takes part in is not among them.",
)
async def invited(
    who: Guest, read: Reads, here: Here, page: Page, whole: Annotated[bool, Query(description="All of them")] = False
) -> dict[str, Any]:
    if is_outside(who):
        await here.level_with(CASE)
    async with read(invitations.invitations) as connection:
        found = await invitations.of_party(connection, party(who), whole, _after_start(page), page.limit + 1)
    answer = paged(found, page, key=lambda r: (r.starts_at, r.invitation_id))
    return answer | {"items": [shown.invitation(r) for r in answer["items"]]}


def _after_number(page: Paging) -> int:
    match page.after:
        case None:
            return 0
        case (int(number),):
            return number
        case _:
            raise _not_a_cursor()


def _after_start(page: Paging) -> tuple[datetime, UUID] | None:
    match page.after:
        case None:
            return None
        case (datetime() as at, UUID() as id):
            return at, id
        case _:
            raise _not_a_cursor()


def _not_a_cursor() -> Problem:
    return Problem(
        422, "invalid-cursor", "This is not the `next` of a page of this list.", field="after",
        do="Begin without `after`, then send what `next` said.",
    )  # fmt: skip
