"""Looking a person up, and opening a case."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from case_service.api import shown
from case_service.api.bodies import CaseTaken, EmployedSearch, EmploymentTaken, NewCase, NewNotice, NoticeTaken, Search
from case_service.api.finding import of_person, open_or_next
from case_service.api.relation import FK, AtFk, Employer, Handler, Here, Referrer
from case_service.deciding import opening
from case_service.domain.case import case
from case_service.domain.commands import Employment, OpenCase, TakeSickNotice
from case_service.domain.outcomes import case_id_of, employment_id_of
from case_service.domain.situations import Open, Opened
from case_service.people import PersonUnknown, canonical, known, known_or_new
from case_service.views import deadlines
from chassis.days import local_day
from chassis.http import Act, Acting, Reads

router = APIRouter()

SFB_COORDINATION, SJLL_NOTICE = "SFB 30:8", "SjLL 12"


@router.post(
    "/people/search",
    response_model=shown.PersonFound,
    tags=["people"],
    summary="Find a person by number",
    description="Looks a personal identity number or coordination number up by its keyed hash. The number is neither "
    "kept nor repeated.",
)
async def search(body: Search, who: AtFk, act: Act, read: Reads, here: Here) -> shown.PersonFound:
    today = local_day(act.now)
    person_ref = await known(here, canonical(body.person_id, today))
    if person_ref is None:
        raise PersonUnknown
    rows = await of_person(read, person_ref)
    async with read(deadlines.deadlines) as connection:
        due: dict[UUID, datetime] = await deadlines.next_due(connection, [r.case_id for r in rows])
    return shown.PersonFound(person_ref=person_ref, cases=[shown.summary(r, today, due.get(r.case_id)) for r in rows])


@router.post(
    "/people/references",
    response_model=shown.PersonReferred,
    tags=["people"],
    summary="Find the reference of somebody employed there",
    description="Another service asks this for its caller: which reference has the person with this number, who has "
    "been on sick leave from this employer? An employer is answered for its own employees only; to it everybody else "
    "is unknown.",
)
async def reference(body: EmployedSearch, who: Referrer, act: Act, read: Reads, here: Here) -> shown.PersonReferred:
    person_ref = await known(here, canonical(body.person_id, local_day(act.now)))
    if person_ref is None or not (who.org_type == FK or who.org_id == body.org_nr):
        raise PersonUnknown
    for row in await of_person(read, person_ref):
        situation = await act.load(case, row.case_id)
        if isinstance(situation, Opened) and any(e.org_nr == body.org_nr for e in situation.case.employments):
            return shown.PersonReferred(person_ref=person_ref)
    raise PersonUnknown


@router.post(
    "/cases",
    status_code=201,
    response_model=CaseTaken,
    responses={200: {"description": "The person has this very case open already"}},
    tags=["cases"],
    summary="Open a case",
    description="FK begins to follow a sick leave. The person gets a reference when the number is seen for the first "
    "time. A person has one open case at a time: opening it again alike changes nothing, else it is refused (409).",
)
async def open_(body: NewCase, act: Act, who: Handler, read: Reads, here: Here, response: Response) -> CaseTaken:
    today = local_day(act.now)
    number = canonical(body.person_id, today)

    def asked(person_ref: UUID, case_id: UUID) -> OpenCase:
        return OpenCase(
            case_id=case_id,
            person_ref=person_ref,
            person_id=number,
            employments=tuple(e.as_given() for e in body.employments),
            spell_start=body.spell_start,
            expected_end=body.expected_end,
            prior_chain_days=body.prior_chain_days,
            benefit=body.benefit,
            protection_level=body.protection_level,
            today=today,
        )

    person_ref = await _person(act, here, number, asked)
    case_id, last = await open_or_next(read, person_ref)
    before = await act.load(case, case_id)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    done = await act.guarded(
        case,
        case_id,
        opening(here.load, asked(person_ref, case_id), last),
        answer={
            "status": 200 if isinstance(before, Open) else 201,
            "caseId": str(case_id),
            "personRef": str(person_ref),
            "employments": [[str(employment_id_of(case_id, e.org_nr)), e.org_nr] for e in body.employments],
        },
    )
    response.status_code = done.answer["status"]
    return CaseTaken(
        case_id=done.answer["caseId"],
        person_ref=done.answer["personRef"],
        employments=tuple(EmploymentTaken(employment_id=i, org_nr=nr) for i, nr in done.answer["employments"]),
    )


@router.post(
    "/sick-notices",
    status_code=201,
    response_model=NoticeTaken,
    tags=["cases"],
    summary="Give notice that sick pay has ended",
    description="The employer tells FK, within seven days, that its sick pay has ended and the employee is still ill "
    "(SjLL 12). It opens a case where none is open.",
)
async def notice(body: NewNotice, act: Act, who: Employer, read: Reads, here: Here) -> NoticeTaken:
    act.tells_version = False  # how busy FK is with the case is not for the employer
    today = local_day(act.now)
    number = canonical(body.person_id, today)

    def asked(person_ref: UUID, case_id: UUID) -> TakeSickNotice:
        return TakeSickNotice(
            case_id=case_id,
            person_ref=person_ref,
            person_id=number,
            employment=Employment(org_nr=who.org_id, employment_kind=body.employment_kind, workplace=body.workplace),
            spell_start=body.spell_start,
            last_sick_pay_day=body.last_sick_pay_day,
            expected_end=body.expected_end,
            today=today,
        )

    person_ref = await _person(act, here, number, asked)
    case_id, last = await open_or_next(read, person_ref)
    act.concerning(case_id=case_id, legal_basis=SJLL_NOTICE)
    employment_id = employment_id_of(case_id, who.org_id)
    answer = {"caseId": str(case_id), "employmentId": str(employment_id)}
    done = await act.guarded(case, case_id, opening(here.load, asked(person_ref, case_id), last), answer=answer)
    return NoticeTaken(case_id=done.answer["caseId"], employment_id=done.answer["employmentId"])


async def _person(
    act: Acting, here: Any, number: str, asked: Callable[[UUID, UUID], OpenCase | TakeSickNotice]
) -> UUID:
    """The reference of a canonical number, minted when it has none. Raises what a first case would be refused for: of
    somebody for whom none is opened nothing is kept. `asked` makes the command from a person's and a case's id."""
    if await known(here, number) is None:
        await act.answered()  # a key that was used for something else is refused first
        would_be = act.new_id()
        case.decider.decide(asked(would_be, case_id_of(would_be, 1)), case.decider.initial)
    return await known_or_new(act, here, number)
