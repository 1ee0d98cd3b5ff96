"""Referrals to Arbetsförmedlingen: sent by FK, answered by AF."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from case_service.api import shown
from case_service.api.bodies import NewAcceptance, NewDeclination, NewReassignment, NewReferral, ReferralTaken
from case_service.api.cases import not_a_cursor
from case_service.api.finding import seen
from case_service.api.people import SFB_COORDINATION
from case_service.api.relation import AF, AF_ORG, Handler, Here, Officer, ReferralReader, referral_of
from case_service.deciding import accepting, consent_id_of, open_to_af, referring
from case_service.domain.commands import Period
from case_service.domain.outcomes import check_periods
from case_service.domain.referral import (
    HOLDS,
    DeclineReferral,
    ReassignReferral,
    ReferralUnknown,
    Sent,
    is_open_to_af,
    referral,
)
from case_service.views import cases, consents, referrals
from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Acting, Page, Reads, paged
from contracts.case import Scope

router = APIRouter(tags=["referrals"])


@router.post(
    "/cases/{case_id}/referrals",
    status_code=201,
    response_model=ReferralTaken,
    summary="Refer the person to Arbetsförmedlingen",
    description="Needs a decision that rehabilitation is needed, and the person's consent towards AF in force at the "
    "moment at which the referral is recorded: a withdrawal in between stops it (`consent-missing`).",
)
async def refer(case_id: UUID, body: NewReferral, act: Act, who: Handler, here: Here) -> ReferralTaken:
    await seen(act, case_id, who)
    today = local_day(act.now)
    check_periods([Period(start=today, end=today, pct=body.incapacity_pct)])
    referral_id, consent_id = act.new_id(), consent_id_of(case_id, Scope.AF, AF_ORG)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION, consent_ids=(consent_id,))
    look = referring(
        here.load,
        referral_id=referral_id,
        case_id=case_id,
        consent_id=consent_id,
        sent_to=AF_ORG,
        at=act.now,
        **dict(body),
    )
    done = await act.guarded(referral, referral_id, look, answer={"referralId": str(referral_id)})
    return ReferralTaken(referral_id=done.answer["referralId"])


@router.get(
    "/referrals",
    response_model=shown.ReferralPage,
    summary="List the referrals sent to us",
    description="AF's own, oldest first, as long as the person's consent holds and covers them.",
)
async def listed(who: Officer, act: Act, read: Reads, page: Page) -> dict[str, Any]:
    match page.after:
        case None:
            after = 0
        case (int(number),):
            after = number
        case _:
            raise not_a_cursor()
    async with read(referrals.referrals, consents.consents, cases.cases) as connection:
        found = await referrals.sent_to(connection, who.org_id, local_day(act.now), HOLDS, after, page.limit + 1)
    answer = paged(found, page, key=lambda r: (r.number,))
    return answer | {"items": [shown.referral(r, who) for r in answer["items"]]}


@router.get(
    "/referrals/{referral_id}",
    response_model=shown.ReferralShown,
    response_model_exclude_unset=True,
    summary="Read a referral",
    description="FK, the insured person, and the authority it was sent to as long as the person's consent holds and "
    "covers what it says.",
)
async def one(referral_id: UUID, who: ReferralReader, act: Act, here: Here, response: Response) -> shown.ReferralShown:
    situation, version = await here.load(referral, referral_id)
    sent = referral_of(situation, who)
    if who.org_type == AF:
        given, _ = await open_to_af(here.load, sent.sent, local_day(act.now))
        if not is_open_to_af(given, sent.sent):
            raise ReferralUnknown
    response.headers["ETag"] = f'"{version}"'
    return shown.whole_referral(sent, who)


@router.post(
    "/referrals/{referral_id}/acceptance",
    status_code=201,
    response_model=ReferralTaken,
    summary="Accept a referral",
    description="AF takes part, while the person's consent holds.",
)
async def accept(referral_id: UUID, body: NewAcceptance, act: Act, who: Officer, here: Here) -> ReferralTaken:
    await _answering(act, referral_id, who)
    look = accepting(here.load, referral_id, officer_ref=body.officer_ref, at=act.now)
    await act.guarded(referral, referral_id, look, answer={})
    return ReferralTaken(referral_id=referral_id)


@router.post(
    "/referrals/{referral_id}/declination",
    status_code=201,
    response_model=ReferralTaken,
    summary="Decline a referral",
    description="With the reason. FK then looks for another way.",
)
async def decline(referral_id: UUID, body: NewDeclination, act: Act, who: Officer) -> ReferralTaken:
    await _answering(act, referral_id, who)
    await act(referral, referral_id, DeclineReferral(reason=body.reason, at=act.now), answer={})
    return ReferralTaken(referral_id=referral_id)


@router.post(
    "/referrals/{referral_id}/reassignment",
    status_code=201,
    response_model=ReferralTaken,
    summary="Let another officer or office answer for a referral",
    description="Before or after it was accepted.",
)
async def reassign(referral_id: UUID, body: NewReassignment, act: Act, who: Officer) -> ReferralTaken:
    await _answering(act, referral_id, who)
    command = ReassignReferral(office=body.office, officer_ref=body.officer_ref, at=act.now)
    await act(referral, referral_id, command, answer={})
    return ReferralTaken(referral_id=referral_id)


async def _answering(act: Acting, referral_id: UUID, who: Actor) -> Sent:
    """The referral, if it was sent to this authority."""
    known = referral_of(await act.load(referral, referral_id), who)
    act.concerning(case_id=known.sent.case_id, legal_basis=SFB_COORDINATION, consent_ids=(known.sent.consent_id,))
    return known
