"""Which employment is meant? An upload begins with the person's number and the employer's; the rest goes by ids."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chassis.http import Act, Reads
from plan_service.api import shown
from plan_service.api.bodies import EmploymentFound, Search
from plan_service.api.relation import Writer, of, own_org
from plan_service.domain.commands import EmploymentUnknown
from plan_service.domain.employment import employment
from plan_service.people import People, people_at
from plan_service.settings import PlanSettings
from plan_service.views import cases
from plan_service.views import employments as views

router = APIRouter(prefix="/employments", tags=["employments"])

PASSED_ON = ("authorization", "traceparent", "x-correlation-id", "read-after")
"""What goes with the question: case-service answers the caller, not this service."""


@cache
def people() -> People:
    """Who is asked for people's references in this process; tests put another in its place."""
    return people_at(PlanSettings().case_url)


@router.post(
    "/search",
    response_model=EmploymentFound,
    responses={503: {"description": "case-service, which knows whose number it is, does not answer"}},
    summary="Find an employment by the person's number",
    description="Before an upload: the employment of this person at this employer. An employer finds only its own. The "
    "number stands in the body only; case-service is asked whose it is, and it is neither kept nor repeated.",
)
async def search(
    body: Search, act: Act, who: Writer, read: Reads, request: Request, ask: Annotated[People, Depends(people)]
) -> EmploymentFound:
    if own_org(who) not in (None, body.org_nr):
        raise EmploymentUnknown
    passed_on = {name: value for name in PASSED_ON if (value := request.headers.get(name)) is not None}
    person_ref = await ask.reference(body.person_id, body.org_nr, passed_on)
    if person_ref is None:
        raise EmploymentUnknown
    async with read(cases.cases, views.employments) as connection:
        row = await views.of_person(connection, person_ref, body.org_nr)
    if row is None:
        raise EmploymentUnknown
    of(await act.load(employment, row.employment_id), who)
    return EmploymentFound(employment_id=row.employment_id, links=shown.links(row, who))
