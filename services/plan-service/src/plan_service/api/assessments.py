"""Assessments: FK judges what a plan says."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from chassis.http import Act
from contracts.plan import PlanEvent
from plan_service.api.bodies import Assessed, NewAssessment
from plan_service.api.employments import SFB_PLAN_DUTY
from plan_service.api.relation import Assessor, of
from plan_service.domain.commands import AssessPlan
from plan_service.domain.employment import employment
from plan_service.domain.plan import assessment
from plan_service.domain.situations import PlanAtHand, Situation

router = APIRouter(prefix="/employments/{employment_id}/plans/{plan_id}/assessments", tags=["assessments"])


@router.post(
    "",
    status_code=201,
    response_model=Assessed,
    responses={
        412: {"description": "The employment has changed since it was read"},
        428: {"description": "If-Match is missing"},
    },
    summary="Assess a version of a plan",
    description="One point each: an activity; who is responsible; start and end; a day to follow up; the employee "
    "consulted, or why not; a goal for the return. 5 or 6 points with an activity are GOOD, 3 or 4 PARTLY, fewer POOR. "
    "Where a lawful ground for having no activities is given there is nothing to score (409).",
)
async def assess(employment_id: UUID, plan_id: UUID, body: NewAssessment, act: Act, who: Assessor) -> Assessed:
    situation = of(await act.load(employment, employment_id), who)
    act.concerning(case_id=situation.employment.registration.case_id, legal_basis=SFB_PLAN_DUTY)
    done = await act(
        employment,
        employment_id,
        AssessPlan(plan_id=plan_id, version=body.version),
        answer=_points,
        match_needed=True,
    )
    return Assessed(plan_id=plan_id, version=body.version, **done.answer)


def _points(situation: Situation, facts: Sequence[PlanEvent]) -> dict[str, Any]:
    """What the assessment says. The same version gives the same points, so they stand also when nothing followed."""
    assert isinstance(situation, PlanAtHand), "only a plan at hand is assessed"
    judged = assessment(situation.plan.newest)
    return {
        "has_activities": judged.has_activities,
        "score": judged.score,
        "quality": judged.quality,
        "shortcomings": judged.shortcomings,
    }
