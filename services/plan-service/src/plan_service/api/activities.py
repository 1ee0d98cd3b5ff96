"""A plan's activities: the employer, or FK who was told, says how far each has come."""

from uuid import UUID

from fastapi import APIRouter

from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Acting
from contracts.plan import MissCause
from plan_service.api.bodies import ActivityTold, Happened, NewMiss
from plan_service.api.employments import SFB_PLAN_DUTY
from plan_service.api.relation import Writer, of
from plan_service.domain.commands import CompleteActivity, MissActivity, StartActivity
from plan_service.domain.employment import employment

router = APIRouter(prefix="/employments/{employment_id}/plans/{plan_id}/activities/{activity_id}", tags=["activities"])


@router.post(
    "/starts",
    status_code=201,
    response_model=ActivityTold,
    summary="Say that an activity has begun",
    description="The employer, or FK who was told by telephone or at a meeting. Where there is no plan yet it is "
    "refused (409). Said twice it changes nothing.",
)
async def start(
    employment_id: UUID, plan_id: UUID, activity_id: UUID, body: Happened, act: Act, who: Writer
) -> ActivityTold:
    today = local_day(act.now)
    command = StartActivity(plan_id=plan_id, activity_id=activity_id, on=body.on or today, today=today)
    return await _told(employment_id, command, act, who)


@router.post(
    "/completions",
    status_code=201,
    response_model=ActivityTold,
    summary="Say that an activity is done",
    description="Also after it was missed. An activity that nobody has reported as done 7 days after its last day "
    "counts as missed.",
)
async def complete(
    employment_id: UUID, plan_id: UUID, activity_id: UUID, body: Happened, act: Act, who: Writer
) -> ActivityTold:
    today = local_day(act.now)
    command = CompleteActivity(plan_id=plan_id, activity_id=activity_id, on=body.on or today, today=today)
    return await _told(employment_id, command, act, who)


@router.post(
    "/misses",
    status_code=201,
    response_model=ActivityTold,
    summary="Say that an activity was not done, and why",
    description="Also afterwards, when its time had run out in silence: then the cause is added.",
)
async def miss(
    employment_id: UUID, plan_id: UUID, activity_id: UUID, body: NewMiss, act: Act, who: Writer
) -> ActivityTold:
    today = local_day(act.now)
    cause = MissCause(body.cause)
    command = MissActivity(plan_id=plan_id, activity_id=activity_id, on=body.on or today, cause=cause, today=today)
    return await _told(employment_id, command, act, who)


async def _told(
    employment_id: UUID, command: StartActivity | CompleteActivity | MissActivity, act: Acting, who: Actor
) -> ActivityTold:
    situation = of(await act.load(employment, employment_id), who)
    act.concerning(case_id=situation.employment.registration.case_id, legal_basis=SFB_PLAN_DUTY)
    await act(employment, employment_id, command)
    return ActivityTold(plan_id=command.plan_id, activity_id=command.activity_id)
