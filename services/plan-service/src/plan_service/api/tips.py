"""Tips to Arbetsmiljöverket about an employer. The bodies name the employment in which the grounds are seen, never the
addresses: an address stands in logs, and a tip must lead to nobody's sick leave."""

import hmac
from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from chassis.days import local_day
from chassis.http import Act, Page, Paging, Problem, Reads, paged
from chassis.perform import Guarded
from contracts.plan import TipGround
from plan_service.api import shown, wording
from plan_service.api.bodies import NewOutcome, NewSending, NewTip, TipTaken
from plan_service.api.relation import AV, Inspector, Tipper, TipReader, of
from plan_service.domain.employment import employment
from plan_service.domain.grounds import bases, basis, grounds_shown, known_names
from plan_service.domain.situations import Registered
from plan_service.domain.tip import (
    Acknowledged,
    AcknowledgeTip,
    Concluded,
    ConcludeTip,
    ProposeTip,
    SendTip,
    Sent,
    TipUnknown,
    tip,
)
from plan_service.views import tips as views

router = APIRouter(prefix="/tips", tags=["tips"])

SUPERVISION = "AML 7:1"
"""Arbetsmiljöverket sees to it that employers keep the Work Environment Act."""


async def _secret(request: Request) -> bytes:
    return request.app.state.runtime.secret_for("tip")


Secret = Annotated[bytes, Depends(_secret)]


def tip_id(secret: bytes, rests_on: UUID, grounds: Iterable[TipGround]) -> UUID:
    """One tip for what it rests on and its grounds, whoever proposes it: a keyed hash, so that nobody without the key
    can go from an employment to its tip, and nobody at all the other way."""
    said = f"{rests_on}|{'|'.join(sorted(grounds))}".encode()
    n = int.from_bytes(hmac.digest(secret, said, "sha256")[:16], "big")
    return UUID(int=n & ~(0xF << 76) & ~(3 << 62) | (8 << 76) | (2 << 62))


def _is_about(id: UUID, situation: Registered, secret: bytes) -> bool:
    every = [c for n in range(1, len(TipGround) + 1) for c in combinations(TipGround, n)]
    return any(tip_id(secret, b, grounds) == id for b in bases(situation) for grounds in every)


@router.post(
    "",
    status_code=201,
    response_model=TipTaken,
    summary="Propose a tip about an employer",
    description="FK's handler has found ground for a tip. Each ground must be shown by what is recorded about the "
    "employment: NO_PLAN only after a requested plan's time ran out and nothing came. Proposing the same again gives "
    "the tip that is there.",
)
async def propose(body: NewTip, act: Act, who: Tipper, secret: Secret) -> TipTaken:
    situation = of(await act.load(employment, body.employment_id), who)
    grounds = tuple(sorted(set(body.grounds)))
    id = tip_id(secret, basis(situation), grounds)
    act.concerning(legal_basis=SUPERVISION)

    async def look() -> Guarded[ProposeTip]:
        now, guard = await act.look(employment, body.employment_id)
        known = of(now, who)
        org_nr = known.employment.registration.org_nr
        command = ProposeTip(tip_id=id, org_nr=org_nr, grounds=grounds, shown=grounds_shown(known))
        return Guarded(command=command, guards=(guard,))

    done = await act.guarded(tip, id, look, answer={"tipId": str(id)})
    return TipTaken(tip_id=done.answer["tipId"])


@router.post(
    "/{tip_id}/sendings",
    status_code=201,
    response_model=TipTaken,
    summary="Send a tip to Arbetsmiljöverket",
    description="The grounds are looked at once more. A text that contains a person (a number in any spelling, an "
    "e-mail address, a telephone number, a name known from the plan) or tells of health is refused (409).",
)
async def send(tip_id: UUID, body: NewSending, act: Act, who: Tipper, secret: Secret) -> TipTaken:
    about_health = bool(wording.fields_about_health({"facts": body.facts, "workplace": body.workplace}))
    act.concerning(legal_basis=SUPERVISION)

    async def look() -> Guarded[SendTip]:
        now, guard = await act.look(employment, body.employment_id)
        known = of(now, who)
        if not _is_about(tip_id, known, secret):
            raise TipUnknown
        command = SendTip(
            kind=body.kind,
            workplace=body.workplace,
            case_count=body.case_count,
            facts=body.facts,
            shown=grounds_shown(known),
            known_names=known_names(known),
            about_health=about_health,
        )
        return Guarded(command=command, guards=(guard,))

    await act.guarded(tip, tip_id, look)
    return TipTaken(tip_id=tip_id)


@router.post(
    "/{tip_id}/acknowledgements",
    status_code=201,
    response_model=TipTaken,
    summary="Acknowledge a tip",
    description="Arbetsmiljöverket says that it has it.",
)
async def acknowledge(tip_id: UUID, act: Act, who: Inspector) -> TipTaken:
    await _seen_by_inspector(act, tip_id)
    act.concerning(legal_basis=SUPERVISION)
    await act(tip, tip_id, AcknowledgeTip(today=local_day(act.now)))
    return TipTaken(tip_id=tip_id)


@router.post(
    "/{tip_id}/outcomes",
    status_code=201,
    response_model=TipTaken,
    summary="Tell what was done about a tip",
    description="Arbetsmiljöverket tells FK, once it has acknowledged the tip.",
)
async def conclude(tip_id: UUID, body: NewOutcome, act: Act, who: Inspector) -> TipTaken:
    await _seen_by_inspector(act, tip_id)
    act.concerning(legal_basis=SUPERVISION)
    await act(tip, tip_id, ConcludeTip(outcome=body.outcome, today=local_day(act.now)))
    return TipTaken(tip_id=tip_id)


async def _seen_by_inspector(act: Act, id: UUID) -> None:
    """What has not been sent does not exist to Arbetsmiljöverket."""
    if not isinstance(await act.load(tip, id), Sent | Acknowledged | Concluded):
        raise TipUnknown


@router.get(
    "",
    response_model=shown.TipPage,
    response_model_exclude_unset=True,
    summary="List tips",
    description="FK sees all, Arbetsmiljöverket those that were sent, in the order in which they were.",
)
async def listed(
    who: TipReader,
    read: Reads,
    page: Page,
    status: Annotated[views.TipStatus | None, Query(description="Only these")] = None,
) -> dict[str, Any]:
    after, only_sent = _after(page), who.org_type == AV
    async with read(views.tips) as connection:
        found = await views.some(connection, status, after, page.limit + 1, only_sent)
    answer = paged(found, page, key=lambda t: (t.sent_number if only_sent else t.number,))
    return answer | {"items": [shown.tip(t, who) for t in answer["items"]]}


@router.get(
    "/{tip_id}",
    response_model=shown.TipShown,
    response_model_exclude_unset=True,
    summary="Read a tip",
    description="With what was written. To Arbetsmiljöverket a tip that has not been sent does not exist.",
)
async def one(tip_id: UUID, who: TipReader, act: Act, read: Reads) -> shown.TipShown:
    async with read(views.tips) as connection:
        row = await views.one(connection, tip_id, only_sent=who.org_type == AV)
    if row is None:
        raise TipUnknown
    situation = await act.load(tip, tip_id)
    sent = situation.sent if isinstance(situation, Sent | Acknowledged | Concluded) else None
    return shown.tip(row, who, sent)


def _after(page: Paging) -> int:
    match page.after:
        case None:
            return 0
        case (int(number),):
            return number
        case _:
            raise Problem(
                422, "invalid-cursor", "This is not the `next` of a page of tips.", field="after",
                do="Begin without `after`, then send what `next` said.",
            )  # fmt: skip
