"""Before a meeting: proposed, called, answered, moved, cancelled."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from fastapi import APIRouter

from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act
from contracts.meeting import MeetingKind, Party
from meeting_service.api.bodies import MeetingTaken, NewAnswer, NewCancellation, NewMeeting, NewProposal, NewTime
from meeting_service.api.finding import seen
from meeting_service.api.relation import Caller, Guest, Here, Proposer, meeting_of, party, taking_off
from meeting_service.api.versions import change
from meeting_service.domain.commands import (
    AnswerMeeting,
    CallMeeting,
    CancelMeeting,
    Invited,
    MoveMeeting,
    ProposeMeeting,
)
from meeting_service.domain.heard import consent_of
from meeting_service.domain.meetings import Meetings
from meeting_service.domain.outcomes import refs_of
from meeting_service.domain.situations import Called
from meeting_service.settings import settings

router = APIRouter(prefix="/cases/{case_id}", tags=["meetings"])

SFB_COORDINATION = "SFB 30:8"


@router.post(
    "/meeting-proposals",
    status_code=201,
    response_model=MeetingTaken,
    summary="Propose a meeting",
    description="The insured person, an employer in the case, or a party that the person has consented to wishes a "
    "meeting. FK decides whether to call it.",
)
async def propose(case_id: UUID, body: NewProposal, act: Act, who: Proposer, here: Here) -> MeetingTaken:
    today, meeting_id = local_day(act.now), act.new_id()
    await seen(here, case_id, who, today, rests=True)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    command = ProposeMeeting(meeting_id=meeting_id, by=party(who), today=today, **dict(body))
    done = await change(act, case_id, command)
    return MeetingTaken(meeting_id=done["meetingId"])


@router.post(
    "/meetings",
    status_code=201,
    response_model=MeetingTaken,
    summary="Call a meeting",
    description="FK calls; health care or an employer calls WORKPLACE_CARE. A status meeting has at least three "
    "parties. Every outside party needs the person's consent in its scope, in force now (`consent-missing`), and the "
    "meeting lies 14 days ahead unless the parties agree (`notice-too-short`). Where others than FK, the person and "
    "health care are invited, the purpose tells of no health (`purpose-tells-of-health`).",
)
async def call(case_id: UUID, body: NewMeeting, act: Act, who: Caller, here: Here) -> MeetingTaken:
    today, meeting_id = local_day(act.now), body.proposal_id or act.new_id()
    known = await seen(here, case_id, who, today, rests=True)
    if body.proposal_id is not None:
        meeting_of(known, meeting_id, who, today)
    command = CallMeeting(
        meeting_id=meeting_id,
        by=party(who),
        kind=body.kind,
        situation_code=body.situation_code,
        arrangement=body.arranged(settings().notice_days),
        invited=_with_caller(tuple(i.as_given() for i in body.participants), who),
        purpose=body.purpose,
        today=today,
        at=act.now,
    )
    refs = refs_of(command.invited, known.grounds)
    consents = _consents(known, body.kind, refs, today)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION, consent_ids=consents)
    done = await change(act, case_id, command)
    return MeetingTaken(meeting_id=done["meetingId"])


def _consents(known: Meetings, kind: MeetingKind, refs: Sequence[str], today: date) -> tuple[UUID, ...]:
    """Those under which outside parties are invited."""
    found = [consent_of(known.grounds, kind, ref, today) for ref in refs]
    return tuple(c.consent_id for c in found if c is not None)


def _with_caller(invited: tuple[Invited, ...], who: Actor) -> tuple[Invited, ...]:
    """Who calls a meeting sits at it."""
    me = Invited(role=Party(who.org_type), org_id=who.org_id, required=True)
    return invited if any((i.role, i.org_id) == (me.role, me.org_id) for i in invited) else (me, *invited)


@router.post(
    "/meetings/{meeting_id}/answers",
    status_code=201,
    response_model=MeetingTaken,
    summary="Answer an invitation",
    description="YES, NO, or another time is wished, to the time that `arrangement` names. Who is invited answers, "
    "until the meeting begins; the newest answer counts. A meeting that is moved asks anew, and an answer to the time "
    "before does not count for the new one (`another-time-stands`).",
)
async def answer(case_id: UUID, meeting_id: UUID, body: NewAnswer, act: Act, who: Guest, here: Here) -> MeetingTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today)
    meeting_of(known, meeting_id, who, today)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    command = AnswerMeeting(meeting_id=meeting_id, by=party(who), today=today, at=act.now, **dict(body))
    await change(act, case_id, command)
    return MeetingTaken(meeting_id=meeting_id)


@router.post(
    "/meetings/{meeting_id}/times",
    status_code=201,
    response_model=MeetingTaken,
    summary="Move a meeting",
    description="The caller sets another time or form. Everybody is asked anew, and every outside party's consent is "
    "looked at anew.",
)
async def move(case_id: UUID, meeting_id: UUID, body: NewTime, act: Act, who: Caller, here: Here) -> MeetingTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, rests=True)
    found = meeting_of(known, meeting_id, who, today)
    consents: tuple[UUID, ...] = ()
    if isinstance(found, Called):
        consents = _consents(known, found.meeting.called.kind, found.meeting.refs, today)
    arrangement = body.arranged(settings().notice_days)
    command = MoveMeeting(
        meeting_id=meeting_id, by=party(who), arrangement=arrangement, reason=body.reason, today=today, at=act.now
    )
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION, consent_ids=consents)
    await change(act, case_id, command)
    return MeetingTaken(meeting_id=meeting_id)


@router.post(
    "/meetings/{meeting_id}/cancellation",
    status_code=201,
    response_model=MeetingTaken,
    summary="Cancel a meeting",
    description="The caller takes it off. Who proposed a meeting takes the proposal back, and FK turns it down.",
)
async def cancel(
    case_id: UUID, meeting_id: UUID, body: NewCancellation, act: Act, who: Guest, here: Here
) -> MeetingTaken:
    today = local_day(act.now)
    known = await seen(here, case_id, who, today, among=taking_off)
    meeting_of(known, meeting_id, who, today)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    command = CancelMeeting(meeting_id=meeting_id, by=party(who), reason=body.reason, at=act.now)
    await change(act, case_id, command)
    return MeetingTaken(meeting_id=meeting_id)
