"""Plans: handed in, changed, read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Acting, Problem, Reads
from contracts.plan import Channel, PlanEvent, PlanRevised, PlanSubmitted
from plan_service.api import shown, wording
from plan_service.api.bodies import NewPlan, NewVersion, PlanTaken, warned
from plan_service.api.employments import SFB_PLAN_DUTY
from plan_service.api.relation import Reader, Writer, of, own_org
from plan_service.documents.shelf import Shelf
from plan_service.domain.commands import PlanUnknown, RevisePlan, SubmitPlan
from plan_service.domain.employment import copy_of, employment
from plan_service.domain.plan import Contents, Document, HandedIn, says_the_same
from plan_service.domain.situations import PlanAtHand, Registered, Situation, plans

router = APIRouter(prefix="/employments/{employment_id}/plans", tags=["plans"])

THE_EMPLOYERS = frozenset({Channel.PORTAL, Channel.API, Channel.FORM_FK7459})
"""Ways by which an employer hands in; the others are noted by FK: by telephone, at a meeting, from the insured."""


@router.post(
    "",
    status_code=201,
    response_model=PlanTaken,
    responses={200: {"description": "The same file, or the same words, had been handed in before: that plan stands"}},
    summary="Hand in a plan",
    description="The employer's plan for return to work (SFB 30:6). A file is uploaded first and named by its "
    "documentRef. A plan that FK is told of, or gets from the insured person, is handed in by FK.",
)
async def submit(
    employment_id: UUID, body: NewPlan, act: Act, who: Writer, request: Request, response: Response
) -> PlanTaken:
    situation = of(await act.load(employment, employment_id), who)
    _check_channel(body.channel, who)
    contents = body.contents(await _document(request, act, situation, body.document_ref))
    act.concerning(case_id=situation.employment.registration.case_id, legal_basis=SFB_PLAN_DUTY)
    done = await act(
        employment,
        employment_id,
        SubmitPlan(contents=contents, at=act.now, today=local_day(act.now)),
        answer=_standing(contents, body),
    )
    response.status_code = done.answer["status"]
    return _taken(done.answer)


@router.post(
    "/{plan_id}/versions",
    status_code=201,
    response_model=PlanTaken,
    responses={
        200: {"description": "The newest version already says the same"},
        412: {"description": "The employment has changed since it was read"},
        428: {"description": "If-Match is missing"},
    },
    summary="Hand in a new version of a plan",
    description="A plan is followed and changed as long as it is needed. Send it whole, say what was changed, and send "
    "the employment's ETag in If-Match. An activity that stays keeps its activityId.",
)
async def revise(
    employment_id: UUID, plan_id: UUID, body: NewVersion, act: Act, who: Writer, request: Request, response: Response
) -> PlanTaken:
    situation = of(await act.load(employment, employment_id), who)
    _check_channel(body.channel, who)
    contents = body.contents(await _document(request, act, situation, body.document_ref))
    act.concerning(case_id=situation.employment.registration.case_id, legal_basis=SFB_PLAN_DUTY)
    done = await act(
        employment,
        employment_id,
        RevisePlan(plan_id=plan_id, contents=contents, changes=body.changes, at=act.now, today=local_day(act.now)),
        answer=_standing(contents, body),
        match_needed=True,
    )
    response.status_code = done.answer["status"]
    return _taken(done.answer)


@router.get(
    "/{plan_id}",
    response_model=shown.PlanShown,
    response_model_exclude_unset=True,
    summary="Read a plan",
    description="All versions, whole, with FK's assessments. FK and the employer whose plan it is.",
)
async def one(employment_id: UUID, plan_id: UUID, who: Reader, read: Reads, response: Response) -> shown.PlanShown:
    situation, version = await read.load(employment, employment_id)
    known = of(situation, who)
    found = next((p for p in plans(known) if p.newest.plan_id == plan_id), None)
    if found is None:
        raise PlanUnknown
    response.headers["ETag"] = f'"{version}"'
    return shown.plan(found, who, at_hand=isinstance(known, PlanAtHand) and known.plan is found)


def _check_channel(channel: Channel, who: Actor) -> None:
    if (channel in THE_EMPLOYERS) != (own_org(who) is not None):
        raise Problem(
            422, "channel-of-another-party", "A plan does not come to this party by that channel.", field="channel",
            do="Employers hand in by PORTAL, API or FORM_FK7459; FK notes PHONE, MEETING or INSURED.",
        )  # fmt: skip


async def _document(request: Request, act: Acting, situation: Registered, ref: UUID | None) -> Document | None:
    """The uploaded file that the plan names. One that was uploaded long ago stays usable where a plan names it."""
    if ref is None:
        return None
    runtime = request.app.state.runtime
    kept = await Shelf(runtime.pool, runtime.keys).find(situation.employment.registration.employment_id, ref)
    named = any(v.document_ref == ref for plan in plans(situation) for v in plan.versions)
    if kept is None or not (named or kept.is_usable(act.now)):
        raise Problem(
            422, "unknown-document", "No such file has been uploaded for this employment lately.", field="documentRef",
            do="Upload the file, then hand in the plan with the documentRef you are given, within 23 hours.",
        )  # fmt: skip
    return Document(document_ref=ref, sha256=kept.sha256, bytes=kept.bytes)


def _standing(contents: Contents, body: NewPlan) -> Callable[[Situation, Sequence[PlanEvent]], dict[str, Any]]:
    """The answer: the version that was made now, or the one that says the same and stands."""

    def answer(situation: Situation, facts: Sequence[PlanEvent]) -> dict[str, Any]:
        held = next((f for f in facts if isinstance(f, PlanSubmitted | PlanRevised)), None)
        if held is None:
            assert isinstance(situation, PlanAtHand), "handing in changes nothing only where a plan is at hand"
            held = _held(contents, situation)
        return {
            "planId": str(held.plan_id),
            "version": held.version,
            "status": 201 if facts else 200,
            "warned": wording.fields_about_health(body.texts()),
        }

    return answer


def _held(contents: Contents, situation: PlanAtHand) -> HandedIn:
    newest = situation.plan.newest
    found = None if says_the_same(contents, newest) else copy_of(contents, situation)
    return found or newest


def _taken(answer: Mapping[str, Any]) -> PlanTaken:
    return PlanTaken(plan_id=answer["planId"], version=answer["version"], warnings=warned(answer["warned"]))
