"""The meeting and what follows: held, minuted, amended, commented on."""

import hashlib
from uuid import UUID

from fastapi import APIRouter

from chassis.days import local_day
from chassis.http import Act
from meeting_service.api.bodies import MeetingTaken, MinutesTaken, NewAmendment, NewComment, NewHolding, NewMinutes
from meeting_service.api.calling import SFB_COORDINATION
from meeting_service.api.finding import seen
from meeting_service.api.relation import Caller, Here, MinutesCommenter, meeting_of, party
from meeting_service.api.versions import change
from meeting_service.domain.commands import AmendMinutes, ApproveMinutes, CommentMinutes, HoldMeeting
from meeting_service.domain.outcomes import minutes_ref_of
from meeting_service.domain.parties import person_of

router = APIRouter(prefix="/cases/{case_id}/meetings/{meeting_id}", tags=["minutes"])


@router.post(
    "/holding",
    status_code=201,
    response_model=MeetingTaken,
    summary="Record that a meeting was held",
    description="By its caller, once its time has come, with those who were there. An outside party whose consent "
    "holds no more cannot have been (`consent-missing`).",
)
async def hold(case_id: UUID, meeting_id: UUID, body: NewHolding, act: Act, who: Caller, here: Here) -> MeetingTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, rests=True)
    meeting_of(known, meeting_id, who, today)
    person = person_of(known.grounds.noted.person_ref)
    command = HoldMeeting(
        meeting_id=meeting_id,
        by=party(who),
        form=body.form,
        present=tuple(p.ref(person) for p in body.present),
        today=today,
        at=act.now,
    )
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await change(act, case_id, command)
    return MeetingTaken(meeting_id=meeting_id)


@router.post(
    "/minutes",
    status_code=201,
    response_model=MinutesTaken,
    summary="Approve the minutes",
    description="By the caller, with what was agreed: who does what by when. Each agreement becomes a "
    "deadline. Where an employer or others read them than FK, the person and health care, what seems to tell of health "
    "is refused (`text-tells-of-health`, `agreement-tells-of-health`).",
)
async def approve(case_id: UUID, meeting_id: UUID, body: NewMinutes, act: Act, who: Caller, here: Here) -> MinutesTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today)
    meeting_of(known, meeting_id, who, today)
    command = ApproveMinutes(
        meeting_id=meeting_id,
        by=party(who),
        text=body.text,
        sha256=_sha256(body.text),
        agreements=body.promises(person_of(known.grounds.noted.person_ref)),
        today=today,
    )
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await change(act, case_id, command)
    return MinutesTaken(meeting_id=meeting_id, minutes_ref=minutes_ref_of(meeting_id))


@router.post(
    "/minutes/amendments",
    status_code=201,
    response_model=MinutesTaken,
    summary="Amend the minutes",
    description="By the caller, whole and with the reason. Agreements that are left out no longer stand. If-Match is "
    "needed: the ETag of the meeting.",
)
async def amend(case_id: UUID, meeting_id: UUID, body: NewAmendment, act: Act, who: Caller, here: Here) -> MinutesTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today)
    meeting_of(known, meeting_id, who, today)
    command = AmendMinutes(
        meeting_id=meeting_id,
        by=party(who),
        reason=body.reason,
        text=body.text,
        sha256=_sha256(body.text),
        agreements=body.promises(person_of(known.grounds.noted.person_ref)),
        today=today,
    )
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await change(act, case_id, command, match_needed=True)
    return MinutesTaken(meeting_id=meeting_id, minutes_ref=minutes_ref_of(meeting_id))


@router.post(
    "/minutes/comments",
    status_code=201,
    response_model=MinutesTaken,
    summary="Comment on the minutes",
    description="A participant agrees, disagrees or adds. What is said stands beside the minutes, whatever becomes of "
    "them. What seems to tell of health is refused where an employer would read it (`text-tells-of-health`).",
)
async def comment(
    case_id: UUID, meeting_id: UUID, body: NewComment, act: Act, who: MinutesCommenter, here: Here
) -> MinutesTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today)
    meeting_of(known, meeting_id, who, today)
    command = CommentMinutes(meeting_id=meeting_id, by=party(who), stance=body.stance, text=body.text, today=today)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await change(act, case_id, command)
    return MinutesTaken(meeting_id=meeting_id, minutes_ref=minutes_ref_of(meeting_id))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
