"""Consents: given, withdrawn, read."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from case_service.api import shown
from case_service.api.bodies import ConsentTaken, NewConsent, NewWithdrawal
from case_service.api.finding import open_case, seen
from case_service.api.relation import AF_ORG, CARE, PERSON, Consenter, Here, Reader, consent_of
from case_service.deciding import consent_id_of, giving
from case_service.domain.commands import CaseUnknown
from case_service.domain.consent import GiveConsent, WithdrawConsent, consent, covered_by, lasts_until
from case_service.domain.situations import Opened
from case_service.views import consents
from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Acting, Problem, Reading, Reads
from contracts.case import Scope

router = APIRouter(tags=["consents"])

SECRECY = "OSL 10:1"
OF_CARE = frozenset({Scope.KOORD_MEASURE, Scope.KOORD_TO_FK, Scope.CARE})
OF_AF = frozenset({Scope.AF, Scope.SUS_REG})


@router.post(
    "/consents",
    status_code=201,
    response_model=ConsentTaken,
    summary="Give consent",
    description="The person lifts secrecy towards one party, for one purpose and named kinds of data. The person gives "
    "it; FK notes what was given orally or on paper, health care what concerns itself (with the person's number "
    "instead of the case). A consent that covers everything is none (422). One that is in force is made to last longer "
    "by giving it anew with a later last day; anything else new is refused (409) until it is withdrawn. It ends with "
    "the case: when that is opened again, it is given again.",
)
async def give(body: NewConsent, act: Act, who: Consenter, read: Reads, here: Here) -> ConsentTaken:
    act.tells_version = who.org_type != CARE  # the person's dealings with it are not for health care to follow
    if (before := await act.answered()) is not None:
        return ConsentTaken(consent_id=before.answer["consentId"])
    counterparty, today = _counterparty(body, who), local_day(act.now)
    valid_from, data_classes = body.valid_from or today, covered_by(body.data_classes)
    valid_to = lasts_until(valid_from, body.valid_to, today)  # all this before anybody is looked up
    known = (await _case(body, act, who, read, here)).case.opened
    consent_id = consent_id_of(known.case_id, body.scope, counterparty)
    command = GiveConsent(
        consent_id=consent_id,
        case_id=known.case_id,
        person_ref=known.person_ref,
        scope=body.scope,
        counterparty=counterparty,
        purpose=body.purpose,
        data_classes=data_classes,
        valid_from=valid_from,
        valid_to=valid_to,
        form=body.form,
        evidence_ref=body.evidence_ref,
        opening=None,  # found out in `giving`
        today=today,
        at=act.now,
    )
    act.concerning(case_id=known.case_id, legal_basis=SECRECY, consent_ids=(consent_id,))
    done = await act.guarded(consent, consent_id, giving(here.load, command), answer={"consentId": str(consent_id)})
    return ConsentTaken(consent_id=done.answer["consentId"])


def _counterparty(body: NewConsent, who: Actor) -> str:
    """Who the consent is about. Health care notes only consents about itself."""
    if who.org_type == CARE:
        if body.scope not in OF_CARE or body.counterparty not in (None, who.org_id) or body.person_id is None:
            raise Problem(
                422, "consent-of-another-party", "Health care notes consents about itself, with the person's number.",
                field="scope", do="Leave the counterparty out, and give personId with a scope of health care.",
            )  # fmt: skip
        return who.org_id
    counterparty = AF_ORG if body.scope in OF_AF else body.counterparty
    if counterparty is None or body.counterparty not in (None, counterparty):
        raise Problem(
            422, "counterparty-needed", "A consent names the party it is about.", field="counterparty",
            do="Give the party's organisation number; for AF leave it out.",
        )  # fmt: skip
    return counterparty


async def _case(body: NewConsent, act: Acting, who: Actor, read: Reading, here: Any) -> Opened:
    if body.person_id is not None and who.org_type == PERSON:
        raise CaseUnknown  # a person names the case; looking numbers up is not for persons
    case_id = body.case_id or await open_case(act, read, here, body.person_id or "")
    return await seen(act, case_id, who)


@router.post(
    "/consents/{consent_id}/withdrawal",
    status_code=202,
    response_model=ConsentTaken,
    summary="Withdraw consent",
    description="From now on. What was sent under it stays where it is; nothing more is sent. It cannot be backdated.",
)
async def withdraw(consent_id: UUID, body: NewWithdrawal, act: Act, who: Consenter) -> ConsentTaken:
    act.tells_version = who.org_type != CARE
    given = consent_of(await act.load(consent, consent_id), who).given
    act.concerning(case_id=given.case_id, legal_basis=SECRECY, consent_ids=(consent_id,))
    command = WithdrawConsent(effective_at=body.effective_at, at=act.now)
    await act(consent, consent_id, command, answer={})
    return ConsentTaken(consent_id=consent_id)


@router.get(
    "/cases/{case_id}/consents",
    response_model=shown.ConsentList,
    summary="List the consents of a case",
    description="Every consent that was given in the case, with what has become of it.",
)
async def listed(case_id: UUID, who: Reader, act: Act, read: Reads) -> dict[str, Any]:
    await seen(act, case_id, who)
    async with read(consents.consents) as connection:
        found = await consents.of_case(connection, case_id)
    return {"items": [shown.consent(c, local_day(act.now)) for c in found]}
