"""Employments: registered, found, asked for their plan."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.days import local_day
from chassis.http import Act, Page, Paging, Problem, Reads, paged
from chassis.perform import Guarded
from contracts.plan import EmployerPlanRequested, EmploymentRegistered, PlanEvent
from plan_service.api import shown, wording
from plan_service.api.bodies import EmploymentTaken, NewEmployment, NewRequest, RequestMade, warned
from plan_service.api.relation import Handler, Reader, of, own_org
from plan_service.domain.case_end import Ended, case_end
from plan_service.domain.commands import EmploymentUnknown, RegisterEmployment, RequestPlan
from plan_service.domain.employment import employment
from plan_service.domain.situations import Asked, Situation
from plan_service.views import cases, timeline
from plan_service.views import employments as views

router = APIRouter(prefix="/employments", tags=["employments"])

SFB_PLAN_DUTY, SFB_REQUEST = "SFB 30:6", "SFB 110:31"


@router.put(
    "/{employment_id}",
    status_code=201,
    response_model=EmploymentTaken,
    responses={200: {"description": "It was registered before, with the same particulars", "model": EmploymentTaken}},
    summary="Register an employment",
    description="Says that a sick-leave case concerns this employment. Registering it again with the same particulars "
    "changes nothing; with others it is refused (409).",
)
async def register(
    employment_id: UUID, body: NewEmployment, act: Act, who: Handler, response: Response
) -> EmploymentTaken:
    registration = EmploymentRegistered(employment_id=employment_id, **vars(body))
    act.concerning(case_id=body.case_id, legal_basis=SFB_PLAN_DUTY)
    done = await act(
        employment,
        employment_id,
        RegisterEmployment(registration=registration, today=local_day(act.now)),
        answer=lambda _, facts: {
            "status": 201 if facts else 200,
            "warned": wording.fields_about_health({"workplace": body.workplace}),
        },
    )
    response.status_code = done.answer["status"]
    return EmploymentTaken(employment_id=employment_id, warnings=warned(done.answer["warned"]))


@router.get(
    "",
    response_model=shown.EmploymentPage,
    response_model_exclude_unset=True,
    summary="List employments",
    description="FK sees all, an employer its own, in the order in which they were registered. Whatever happens "
    "between two pages, no employment is missed and none comes twice.",
)
async def listed(
    who: Reader,
    act: Act,
    read: Reads,
    page: Page,
    plan_status: Annotated[views.PlanStatus | None, Query(alias="planStatus", description="Only these")] = None,
) -> dict[str, Any]:
    today, after = local_day(act.now), _after(page)
    async with read(cases.cases, views.employments) as connection:
        found = await views.some(connection, today, own_org(who), plan_status, after, page.limit + 1)
    answer = paged(found, page, key=lambda f: (f.row.number,))
    return answer | {"items": [shown.employment(f, who, today) for f in answer["items"]]}


def _after(page: Paging) -> int:
    match page.after:
        case None:
            return 0
        case (int(number),):
            return number
        case _:
            raise Problem(
                422,
                "invalid-cursor",
                "This is not the `next` of a page of this list.",
                field="after",
                do="Begin without `after`, then send what `next` said.",
            )


@router.get(
    "/{employment_id}",
    response_model=shown.EmploymentShown,
    response_model_exclude_unset=True,
    summary="Read an employment",
    description="How it stands with the plan, and under `_links` what the caller may do now. The ETag is what a change "
    "needs in If-Match.",
)
async def one(employment_id: UUID, who: Reader, act: Act, read: Reads, response: Response) -> shown.EmploymentShown:
    today = local_day(act.now)
    async with read(cases.cases, views.employments) as connection:
        found = await views.one(connection, employment_id, today, own_org(who))
    if found is None:
        raise EmploymentUnknown
    known = of(await act.load(employment, employment_id), who).employment
    response.headers["ETag"] = f'"{found.row.version}"'
    return shown.employment(found, who, today, known.registration.workplace)


@router.get(
    "/{employment_id}/timeline",
    response_model=shown.TimelinePage,
    summary="What has happened about an employment's plan",
    description="What happened, oldest first. FK and the employer whose employment it is. Tips are not part of it.",
)
async def told(employment_id: UUID, who: Reader, act: Act, read: Reads, page: Page) -> dict[str, Any]:
    of(await act.load(employment, employment_id), who)
    async with read(timeline.timeline) as connection:
        found = await timeline.of_employment(connection, employment_id, _after(page), page.limit + 1)
    answer = paged(found, page, key=lambda h: (h.position,))
    return answer | {"items": [shown.happened(h) for h in answer["items"]]}


@router.post(
    "/{employment_id}/plan-requests",
    status_code=201,
    response_model=RequestMade,
    responses={200: {"description": "The employer had been asked already; the open request stands"}},
    summary="Ask the employer for its plan",
    description="FK asks for the plan (SFB 110:31). The employer is told only name and dates. While a request is open, "
    "asking again gives the open one. Where FK has closed the case it is refused (409).",
)
async def request(employment_id: UUID, body: NewRequest, act: Act, who: Handler, response: Response) -> RequestMade:
    situation = of(await act.load(employment, employment_id), who)
    case_id = situation.employment.registration.case_id
    act.concerning(case_id=case_id, legal_basis=SFB_REQUEST)

    async def look() -> Guarded[RequestPlan]:
        followed, guard = await act.look(case_end, case_id)
        command = RequestPlan(due=body.due, today=local_day(act.now), case_ended=isinstance(followed, Ended))
        return Guarded(command=command, guards=(guard,))

    done = await act.guarded(employment, employment_id, look, answer=_open_request)
    response.status_code = done.answer["status"]
    return RequestMade(request_id=done.answer["requestId"], due=done.answer["due"])


def _open_request(situation: Situation, facts: Sequence[PlanEvent]) -> dict[str, Any]:
    """The request that stands now: this one, or the one that was open already."""
    made = [f for f in facts if isinstance(f, EmployerPlanRequested)]
    if not made:
        assert isinstance(situation, Asked), "asking changes nothing only where FK has asked"
        made = [situation.request]
    return {"requestId": str(made[0].request_id), "due": made[0].due.isoformat(), "status": 201 if facts else 200}
