"""Who reads what a case says about somebody's health? Those at FK who work in it, and the insured person."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter

from case_service.api.finding import seen
from case_service.api.relation import HealthReader
from case_service.domain.commands import AssessmentUnknown, CertificateUnknown
from chassis.http import Act, Body

router = APIRouter(prefix="/cases/{case_id}", tags=["health"])


class CertifiedPeriodShown(Body):
    start: date
    end: date
    pct: int


class CertificateShown(Body):
    """What a physician has certified (FK 7804)."""

    certificate_id: UUID
    unit: str
    periods: list[CertifiedPeriodShown]
    diagnoses: list[str]
    function_limits: str
    activity_limits: str
    prognosis: str | None
    prognosis_days: int | None
    suggested_measures: list[str]
    contact_wanted: bool


class AssessmentShown(Body):
    """What FK found when it looked for needs of rehabilitation (IKR)."""

    assessment_id: UUID
    method: str
    need_level: str
    barriers: list[str]
    next_step: str


@router.get(
    "/certificates/{certificate_id}",
    response_model=CertificateShown,
    summary="Read a certificate",
    description="FK's handler and specialist, and the insured person: diagnosis, function, activity, prognosis. To "
    "nobody else, also with consent: an employer never gets it from here.",
)
async def certificate(case_id: UUID, certificate_id: UUID, who: HealthReader, act: Act) -> CertificateShown:
    known = (await seen(act, case_id, who)).case
    c = next((c for c in known.certificates if c.certificate_id == certificate_id), None)
    if c is None:
        raise CertificateUnknown
    return CertificateShown(
        certificate_id=c.certificate_id,
        unit=c.unit,
        periods=[CertifiedPeriodShown(start=p.start, end=p.end, pct=p.pct) for p in c.periods],
        diagnoses=list(c.diagnoses),
        function_limits=c.function_limits,
        activity_limits=c.activity_limits,
        prognosis=c.prognosis,
        prognosis_days=c.prognosis_days,
        suggested_measures=list(c.suggested_measures),
        contact_wanted=c.contact_wanted,
    )


@router.get(
    "/assessments/{assessment_id}",
    response_model=AssessmentShown,
    summary="Read an initial assessment (IKR)",
    description="FK's handler and specialist, and the insured person: method, need, barriers and the next step.",
)
async def assessment(case_id: UUID, assessment_id: UUID, who: HealthReader, act: Act) -> AssessmentShown:
    known = (await seen(act, case_id, who)).case
    a = next((a for a in known.assessments if a.assessment_id == assessment_id), None)
    if a is None:
        raise AssessmentUnknown
    return AssessmentShown(
        assessment_id=a.assessment_id,
        method=a.method,
        need_level=a.need_level,
        barriers=list(a.barriers),
        next_step=a.next_step,
    )
