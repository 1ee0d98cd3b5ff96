"""What is sent in and what is answered: the bodies of the case's addresses, with examples."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from case_service.api.fields import HsaIdIn, Line, OrgNrIn, PersonId, Prose, UnitIn, UserIn, Yes
from case_service.domain.commands import Employment, Period
from chassis.days import Day, When
from chassis.http import Body
from contracts.case import (
    AssumedNeed,
    Barrier,
    Benefit,
    ConsentForm,
    Covered,
    DeclineReason,
    EmploymentStatus,
    IkrMethod,
    InfoAim,
    NeedLevel,
    NeedType,
    NextStep,
    Outcome,
    Prognosis,
    Protection,
    Purpose,
    ReferralPurpose,
    ReopenReason,
    Responsible,
    Scope,
    SuggestedMeasure,
)
from contracts.values import EmploymentKind

NOBODY = "196408233234"
"""The tax agency's own example of a personal identity number; it belongs to nobody."""

Pct = Annotated[int, Field(strict=True, description="25, 50, 75 or 100 %")]


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


# --- people and opening ---


class Search(Body):
    """A number to look up. It is sent in a body, never in an address."""

    model_config = example(personId=NOBODY)

    person_id: PersonId


class EmployedSearch(Search):
    """A number, and where the person is employed."""

    model_config = example(personId=NOBODY, orgNr="5560360793")

    org_nr: OrgNrIn = Field(description="The employer's organisation number")


class EmploymentIn(Body):
    """An employment that the case concerns."""

    org_nr: OrgNrIn | None = Field(None, description="The employer; left out for the self-employed")
    employment_kind: EmploymentKind
    workplace: Line

    def as_given(self) -> Employment:
        return Employment(org_nr=self.org_nr, employment_kind=self.employment_kind, workplace=self.workplace)


EMPLOYMENT = {"orgNr": "5560360793", "employmentKind": "ORDINARY", "workplace": "Lagret i Norrköping"}


class NewCase(Body):
    """A sick leave that FK begins to follow."""

    model_config = example(
        personId=NOBODY, employments=[EMPLOYMENT], spellStart="2026-03-02", expectedEnd="2026-06-29", benefit="SICKNESS"
    )

    person_id: PersonId
    employments: tuple[EmploymentIn, ...] = Field((), max_length=20)
    spell_start: Day = Field(description="First sick day")
    expected_end: Day = Field(description="Last day that the incapacity may be assumed to last")
    prior_chain_days: Annotated[int, Field(strict=True, ge=0, le=20_000)] = Field(
        0, description="Days of earlier spells that count in the rehabilitation chain (SFB 27:51)"
    )
    benefit: Benefit = Benefit.SICKNESS
    protection_level: Protection = Protection.NONE


class NewNotice(Body):
    """An employer's notice that sick pay has ended and the employee is still ill (SjLL 12)."""

    model_config = example(
        personId=NOBODY,
        employmentKind="ORDINARY",
        workplace="Lagret i Norrköping",
        spellStart="2026-03-02",
        lastSickPayDay="2026-03-15",
    )

    person_id: PersonId
    employment_kind: EmploymentKind
    workplace: Line
    spell_start: Day
    last_sick_pay_day: Day
    expected_end: Day | None = None


# --- handling ---


class NewAssignment(Body):
    """Who handles the case, and who stands in for a while."""

    model_config = example(handlerRef="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a10", unit="norr-2")

    handler_ref: UserIn
    unit: UnitIn
    substitute_ref: UserIn | None = None
    until: Day | None = None


class NewExtension(Body):
    model_config = example(newExpectedEnd="2026-08-31")

    new_expected_end: Day
    certificate_id: UUID | None = None


class PeriodIn(Body):
    start: Day
    end: Day
    incapacity_pct: Pct

    def as_given(self) -> Period:
        return Period(start=self.start, end=self.end, pct=self.incapacity_pct)


class NewDegrees(Body):
    """How much the capacity for work is reduced, period by period."""

    model_config = example(periods=[{"start": "2026-03-16", "end": "2026-04-30", "incapacityPct": 100}])

    periods: tuple[PeriodIn, ...] = Field(min_length=1, max_length=50)


class NewIkr(Body):
    """FK's first look for needs of rehabilitation."""

    model_config = example(method="IKR", needLevel="CLEAR", barriers=["STAMINA"], nextStep="STATUS_MEETING")

    method: IkrMethod
    need_level: NeedLevel
    barriers: tuple[Barrier, ...] = Field((), max_length=20)
    next_step: NextStep


class NewDecision(Body):
    """Whether rehabilitation is needed. "No" is a decision too."""

    model_config = example(
        need=True,
        types=["OCCUPATIONAL"],
        responsible=["AF", "EMPLOYER"],
        personView="Vill tillbaka, men inte till truck.",
    )

    need: Yes
    types: tuple[NeedType, ...] = Field((), max_length=3)
    responsible: tuple[Responsible, ...] = Field((), max_length=7)
    consulted_at: When | None = None
    person_view: Annotated[str, Field(max_length=2000)] = ""


class NewClosing(Body):
    model_config = example(outcome="ORDINARY_WORK")

    outcome: Outcome


class NewReopening(Body):
    model_config = example(reason="RELAPSE")

    reason: ReopenReason


# --- health care ---


class CertifiedPeriodIn(Body):
    start: Day
    end: Day
    pct: Pct


class NewCertificate(Body):
    """What a physician certifies (FK 7804)."""

    model_config = example(
        personId=NOBODY,
        certificateId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a12",
        unit="SE2321000016-1A2B",
        periods=[{"start": "2026-03-09", "end": "2026-04-30", "pct": 100}],
        diagnoses=["F438"],
        functionLimits="Nedsatt uthållighet.",
        activityLimits="Kan inte arbeta i högt tempo.",
        prognosis="LIKELY_AFTER_DAYS",
        prognosisDays=90,
        suggestedMeasures=["CONTACT_AT_WORKPLACE"],
        contactWanted=True,
    )

    person_id: PersonId
    certificate_id: UUID
    unit: HsaIdIn
    periods: tuple[CertifiedPeriodIn, ...] = Field(min_length=1, max_length=12)
    diagnoses: tuple[Annotated[str, Field(pattern=r"^[A-Z]\d{2}[A-Z0-9.]{0,5}$")], ...] = Field((), max_length=10)
    function_limits: Prose
    activity_limits: Prose
    prognosis: Prognosis
    prognosis_days: Annotated[int | None, Field(strict=True, ge=1, le=365)] = None
    suggested_measures: tuple[SuggestedMeasure, ...] = Field((), max_length=12)
    contact_wanted: Yes = False


class NewInfo(Body):
    """What health care may tell FK with the person's consent (lag 2019:1297): no diagnosis, no treatment."""

    model_config = example(
        personId=NOBODY,
        unit="SE2321000016-1A2B",
        coordinator="SE2321000016-9Z",
        aim="SHORTEN",
        contactWanted=True,
        consentAt="2026-03-20T09:00:00Z",
    )

    person_id: PersonId
    unit: HsaIdIn
    coordinator: HsaIdIn
    assumed_need: AssumedNeed = AssumedNeed.OCCUPATIONAL_REHAB
    aim: InfoAim
    contact_wanted: Yes
    certificate_id: UUID | None = None
    consent_at: When


# --- consents and referrals ---


class NewConsent(Body):
    """One consent: one scope, one party, and what it covers. Name the case, or (health care) the person's number."""

    model_config = example(
        caseId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a10",
        scope="AF",
        purpose="JOINT_ASSESSMENT",
        dataClasses=["P", "I", "D", "W", "M2", "L"],
        form="WRITTEN",
        evidenceRef="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a13",
    )

    case_id: UUID | None = None
    person_id: PersonId | None = None
    scope: Scope
    counterparty: OrgNrIn | None = Field(None, description="The other party; for AF and AF's register it is known")
    purpose: Purpose
    data_classes: tuple[Covered, ...] = Field(max_length=8)
    valid_from: Day | None = Field(None, description="Today when left out")
    valid_to: Day | None = Field(None, description="A year after the first day when left out, and at most")
    form: ConsentForm
    evidence_ref: UUID

    @model_validator(mode="after")
    def _one_of_them(self) -> "NewConsent":
        if (self.case_id is None) == (self.person_id is None):
            raise ValueError("Give either caseId or personId.")
        return self


class NewWithdrawal(Body):
    """The person takes a consent back, from now on."""

    model_config = example()

    effective_at: When | None = Field(None, description="Leave it out: a withdrawal works from now on")


class NewReferral(Body):
    """FK asks Arbetsförmedlingen to take part."""

    model_config = example(
        purpose="JOINT_ASSESSMENT",
        employmentStatus="EMPLOYED",
        incapacityPct=50,
        functionSummary="Kan arbeta sittande i lugnt tempo.",
        wishedBy="2026-05-15",
    )

    purpose: ReferralPurpose
    employment_status: EmploymentStatus
    incapacity_pct: Pct
    function_summary: Annotated[str, Field(min_length=1, max_length=2000)]
    wished_by: Day


class NewAcceptance(Body):
    model_config = example(officerRef="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a14")

    officer_ref: UserIn


class NewDeclination(Body):
    model_config = example(reason="NO_CAPACITY")

    reason: DeclineReason


class NewReassignment(Body):
    model_config = example(office="af-umea", officerRef="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a14")

    office: UnitIn
    officer_ref: UserIn


# --- answers ---


class EmploymentTaken(Body):
    employment_id: UUID
    org_nr: str | None


class CaseTaken(Body):
    case_id: UUID
    person_ref: UUID
    employments: tuple[EmploymentTaken, ...]


class NoticeTaken(Body):
    case_id: UUID
    employment_id: UUID


class Changed(Body):
    """It is recorded. Its ETag is that of the case."""

    case_id: UUID


class IkrTaken(Body):
    assessment_id: UUID


class DecisionTaken(Body):
    decision_id: UUID


class CertificateTaken(Body):
    certificate_id: UUID


class InfoTaken(Body):
    info_id: UUID


class ConsentTaken(Body):
    consent_id: UUID


class ReferralTaken(Body):
    referral_id: UUID
