"""Joint assessments of FK and Arbetsförmedlingen: recorded, read, commented on."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter

from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Reads
from contracts.case import Scope
from contracts.meeting import Party
from meeting_service.api import shown
from meeting_service.api.bodies import AssessmentTaken, NewAssessment, NewComment
from meeting_service.api.finding import seen
from meeting_service.api.relation import AssessmentReader, Assessor, Commenter, Here, meeting_of, party
from meeting_service.domain.assessment import (
    AssessmentUnknown,
    CommentAssessment,
    HoldJointAssessment,
    assessment_id_of,
)
from meeting_service.domain.meetings import Meetings, meetings
from meeting_service.domain.parties import ASSESSMENT_HOLDS

router = APIRouter(prefix="/cases/{case_id}/joint-assessments", tags=["joint assessments"])

SFB_WITH_AF = "SFB 30:10"


@router.post(
    "",
    status_code=201,
    response_model=AssessmentTaken,
    summary="Record a joint assessment",
    description="After AF has accepted the referral (`assessment-before-referral`), under the person's consents of "
    "scope AF and SUS_REG (`consent-missing`). One per referral.",
)
async def hold(case_id: UUID, body: NewAssessment, act: Act, who: Assessor, here: Here) -> AssessmentTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, rests=True)
    if body.meeting_id is not None:
        meeting_of(known, body.meeting_id, who, today)
    act.concerning(case_id=case_id, legal_basis=SFB_WITH_AF, consent_ids=_consents(known, body.referral_id))
    command = HoldJointAssessment(by=party(who), today=today, at=act.now, **dict(body))
    await act(meetings, case_id, command, answer={})
    return AssessmentTaken(assessment_id=assessment_id_of(body.referral_id))


def _consents(known: Meetings, referral_id: UUID) -> tuple[UUID, ...]:
    """Those that the assessment rests on."""
    sent = known.grounds.referrals.get(referral_id)
    return tuple(
        c.consent_id
        for c in known.grounds.consents.values()
        if sent and c.standing and c.scope in (Scope.AF, Scope.SUS_REG) and c.counterparty == sent.sent_to
    )


@router.get(
    "",
    response_model=shown.AssessmentList,
    summary="Read the joint assessments of a case",
    description="FK, the insured person, and AF as long as the person's consent holds and covers what they say.",
)
async def listed(case_id: UUID, who: AssessmentReader, act: Act, read: Reads, here: Here) -> shown.AssessmentList:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, read=read)
    if not _may_read(known, who, today):
        return shown.AssessmentList(items=[])
    return shown.AssessmentList(items=[shown.assessment(a) for a in known.assessments.values()])


def _may_read(known: Meetings, who: Actor, today: date) -> bool:
    """AF only under a consent that covers what an assessment says."""
    return who.org_type != Party.AF or known.grounds.consent(Scope.AF, who.org_id, today, ASSESSMENT_HOLDS) is not None


@router.post(
    "/{referral_id}/comments",
    status_code=201,
    response_model=AssessmentTaken,
    summary="Comment on a joint assessment",
    description="The insured person or AF agrees, disagrees or adds. It stands beside the assessment.",
)
async def comment(
    case_id: UUID, referral_id: UUID, body: NewComment, act: Act, who: Commenter, here: Here
) -> AssessmentTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today)
    if not _may_read(known, who, today):
        raise AssessmentUnknown
    act.concerning(case_id=case_id, legal_basis=SFB_WITH_AF)
    command = CommentAssessment(referral_id=referral_id, by=party(who), stance=body.stance, text=body.text)
    await act(meetings, case_id, command, answer={})
    return AssessmentTaken(assessment_id=assessment_id_of(referral_id))
