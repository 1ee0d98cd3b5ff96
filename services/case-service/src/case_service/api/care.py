"""What health care tells FK: certificates, and (with the person's consent) that rehabilitation may be needed."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from case_service.api.bodies import CertificateTaken, Changed, InfoTaken, NewCertificate, NewInfo
from case_service.api.finding import came_of, open_case, seen
from case_service.api.people import SFB_COORDINATION
from case_service.api.relation import Coordinator, Handler, Here
from case_service.deciding import consent_id_of, informing
from case_service.domain.case import case, same_info
from case_service.domain.commands import AcknowledgeInfo, CaseUnknown, Period, RegisterCertificate, SendInfo
from case_service.domain.consent import ConsentMissing
from case_service.domain.outcomes import check_periods
from case_service.domain.situations import Opened, Situation
from case_service.people import canonical
from chassis.days import local_day
from chassis.http import Act, Reads
from chassis.perform import Guarded
from contracts.case import CaseEvent, CertificateReceived, CertifiedPeriod, Scope

router = APIRouter(tags=["health care"])

CARE_TO_FK, CERTIFICATE = "lag 2019:1297", "SFB 27:25"


@router.post(
    "/certificates",
    status_code=201,
    response_model=CertificateTaken,
    summary="Register a certificate",
    description="What a physician certifies (FK 7804), for the person's open case. FK's handler and specialist and the "
    "person read what it says about health, nobody else.",
)
async def certify(body: NewCertificate, act: Act, who: Coordinator, read: Reads, here: Here) -> CertificateTaken:
    act.tells_version = False  # how busy FK is with the case is not for health care
    if (before := await act.answered()) is not None:
        return CertificateTaken(certificate_id=before.answer["certificateId"])
    check_periods([Period(start=p.start, end=p.end, pct=p.pct) for p in body.periods])  # before anybody is looked up
    case_id = await open_case(act, read, here, body.person_id)
    known: Opened = await act.load(case, case_id)  # type: ignore[assignment]  # its row says that it is there
    given = {k: v for k, v in dict(body).items() if k not in ("person_id", "periods")}
    certificate = CertificateReceived(
        case_id=case_id,
        person_ref=known.case.opened.person_ref,
        periods=tuple(CertifiedPeriod(start=p.start, end=p.end, pct=p.pct) for p in body.periods),
        **given,
    )
    act.concerning(case_id=case_id, legal_basis=CERTIFICATE)
    answer = {"certificateId": str(body.certificate_id)}
    done = await act(case, case_id, RegisterCertificate(certificate=certificate), answer=answer)
    return CertificateTaken(certificate_id=done.answer["certificateId"])


@router.post(
    "/koordineringsinfo",
    status_code=201,
    response_model=InfoTaken,
    summary="Tell FK that rehabilitation may be needed (KoordineringsInfo)",
    description="A coordinator in health care tells FK, with the person's consent to exactly that (KOORD_TO_FK). No "
    "diagnosis and no treatment: such fields are not taken. Without consent the answer is `consent-missing`, whether "
    "or not FK knows the person. The consent covers who it is about and that there is a need (I and P), and was given "
    "before it is told.",
)
async def inform(body: NewInfo, act: Act, who: Coordinator, read: Reads, here: Here) -> InfoTaken:
    act.tells_version = False
    if (before := await act.answered()) is not None:
        return InfoTaken(info_id=before.answer["infoId"])
    number = canonical(body.person_id, local_day(act.now))
    try:
        case_id = await open_case(act, read, here, number)
    except CaseUnknown:
        raise ConsentMissing from None
    consent_id = consent_id_of(case_id, Scope.KOORD_TO_FK, who.org_id)
    act.concerning(case_id=case_id, legal_basis=CARE_TO_FK, consent_ids=(consent_id,))
    given = {k: v for k, v in dict(body).items() if k != "person_id"}
    look = informing(here.load, case_id, sender=who.org_id, person_id=number, at=act.now, **given)
    asked: list[SendInfo] = []

    async def looking() -> Guarded[SendInfo]:
        seen = await look()
        asked.append(seen.command)
        return seen

    def told(situation: Situation, facts: Sequence[CaseEvent]) -> dict[str, str]:
        made = came_of(situation, facts, lambda known: same_info(asked[-1], known))
        return {"infoId": str(made.info_id)}

    done = await act.guarded(case, case_id, looking, answer=told)
    return InfoTaken(info_id=done.answer["infoId"])


@router.post(
    "/cases/{case_id}/koordineringsinfo/{info_id}/acknowledgement",
    status_code=201,
    response_model=Changed,
    summary="Acknowledge what health care told",
    description="FK has seen it; the need of rehabilitation is then decided.",
)
async def acknowledge(case_id: UUID, info_id: UUID, act: Act, who: Handler) -> Changed:
    await seen(act, case_id, who)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await act(case, case_id, AcknowledgeInfo(info_id=info_id, at=act.now), answer={})
    return Changed(case_id=case_id)
