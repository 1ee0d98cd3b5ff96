"""What can have happened in a sick-leave case and to the consents in it. Each event is declared here, once."""

from enum import StrEnum
from typing import Annotated, Any

from chassis.classes import Coded, DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts
from contracts.values import Code, Count, Day, Days, EmploymentKind, HsaId, Moment, OrgId, OrgNr, Pct, Ref

P, I, D, W, M1, M2, L, E = (  # noqa: E741 - the domain's own letters
    DataClass.P, DataClass.I, DataClass.D, DataClass.W, DataClass.M1, DataClass.M2, DataClass.L, DataClass.E,
)  # fmt: skip

UserRef = Annotated[str, P, Coded(r"[A-Za-z0-9_.:-]{1,80}")]
"""A user as tokens name them, pseudonymous."""

Icd10 = Annotated[str, M1, Coded(r"[A-Z]\d{2}[A-Z0-9.]{0,5}")]


class Benefit(StrEnum):
    SICKNESS = "SICKNESS"
    REHAB = "REHAB"
    PREVENTIVE = "PREVENTIVE"
    TRAVEL = "TRAVEL"
    SGI0 = "SGI0"


class Protection(StrEnum):
    """How a person's particulars are protected in the population register."""

    NONE = "NONE"
    MARKED = "MARKED"
    PROTECTED_REGISTRATION = "PROTECTED_REGISTRATION"
    FICTITIOUS = "FICTITIOUS"


class Prognosis(StrEnum):
    """How likely a return is, in the words of the certificate FK 7804."""

    LIKELY = "LIKELY"
    LIKELY_AFTER_DAYS = "LIKELY_AFTER_DAYS"
    UNCLEAR = "UNCLEAR"
    UNLIKELY = "UNLIKELY"


class SuggestedMeasure(StrEnum):
    """What a certificate suggests for the return to work (FK 7804)."""

    WORK_TRAINING = "WORK_TRAINING"
    WORK_TECHNIQUE = "WORK_TECHNIQUE"
    CONTACT_AT_WORKPLACE = "CONTACT_AT_WORKPLACE"
    OCCUPATIONAL_HEALTH = "OCCUPATIONAL_HEALTH"
    CONFLICT_SOLVING = "CONFLICT_SOLVING"
    REDISTRIBUTED_TASKS = "REDISTRIBUTED_TASKS"
    WORKPLACE_VISIT = "WORKPLACE_VISIT"
    RISK_ASSESSMENT = "RISK_ASSESSMENT"
    AIDS = "AIDS"
    HOURS = "HOURS"
    OTHER = "OTHER"


class IkrMethod(StrEnum):
    IKR = "IKR"
    SASSAM = "SASSAM"


class NeedLevel(StrEnum):
    NONE = "NONE"
    POSSIBLE = "POSSIBLE"
    CLEAR = "CLEAR"


class Barrier(StrEnum):
    """What stands between the person and work, in the terms of function and activity."""

    MOBILITY = "MOBILITY"
    STAMINA = "STAMINA"
    CONCENTRATION = "CONCENTRATION"
    INTERACTION = "INTERACTION"
    PAIN = "PAIN"
    WORK_ENVIRONMENT = "WORK_ENVIRONMENT"
    SOCIAL = "SOCIAL"
    OTHER = "OTHER"


class NextStep(StrEnum):
    NONE = "NONE"
    ASK_EMPLOYER = "ASK_EMPLOYER"
    STATUS_MEETING = "STATUS_MEETING"
    ASK_CARE = "ASK_CARE"
    REFER_TO_AF = "REFER_TO_AF"


class NeedType(StrEnum):
    MEDICAL = "MEDICAL"
    OCCUPATIONAL = "OCCUPATIONAL"
    SOCIAL = "SOCIAL"


class Responsible(StrEnum):
    """Who answers for a measure that is needed."""

    FK = "FK"
    EMPLOYER = "EMPLOYER"
    CARE = "CARE"
    AF = "AF"
    MUN = "MUN"
    FINSAM = "FINSAM"
    PERSON = "PERSON"


class Scope(StrEnum):
    """With whom FK may share, or who may tell FK. One consent has one scope: a blanket consent is none."""

    EMP = "EMP"
    CARE = "CARE"
    AF = "AF"
    MUN = "MUN"
    FINSAM = "FINSAM"
    UNION = "UNION"
    OHS = "OHS"
    OTHER_AUTHORITY = "OTHER_AUTHORITY"
    KOORD_MEASURE = "KOORD_MEASURE"
    KOORD_TO_FK = "KOORD_TO_FK"
    SUS_REG = "SUS_REG"


class Purpose(StrEnum):
    COORDINATION = "COORDINATION"
    JOINT_ASSESSMENT = "JOINT_ASSESSMENT"
    MEETING = "MEETING"
    COORDINATION_MEASURES = "COORDINATION_MEASURES"
    REGISTRATION = "REGISTRATION"


class Covered(StrEnum):
    """The data classes that a consent covers, by their letters."""

    P = "P"
    I = "I"  # noqa: E741 - the domain's own letter
    D = "D"
    W = "W"
    M1 = "M1"
    M2 = "M2"
    L = "L"
    E = "E"


class ConsentForm(StrEnum):
    """How it was given. An oral consent counts when it is beyond doubt (OSL 10:1, 12:2)."""

    EID = "EID"
    WRITTEN = "WRITTEN"
    ORAL = "ORAL"


class AssumedNeed(StrEnum):
    OCCUPATIONAL_REHAB = "OCCUPATIONAL_REHAB"


class InfoAim(StrEnum):
    """What coordination measures are for (lag 2019:1297)."""

    SHORTEN = "SHORTEN"
    PREVENT = "PREVENT"
    RELIEVE = "RELIEVE"


class ReferralPurpose(StrEnum):
    JOINT_ASSESSMENT = "JOINT_ASSESSMENT"
    CONTACT = "CONTACT"
    TRANSITION = "TRANSITION"


class EmploymentStatus(StrEnum):
    EMPLOYED = "EMPLOYED"
    UNEMPLOYED = "UNEMPLOYED"
    SELF_EMPLOYED = "SELF_EMPLOYED"
    STUDENT = "STUDENT"
    PARENTAL_LEAVE = "PARENTAL_LEAVE"


class DeclineReason(StrEnum):
    NOT_ENROLLED = "NOT_ENROLLED"
    NO_CAPACITY = "NO_CAPACITY"
    HEALTH_EXCLUDES = "HEALTH_EXCLUDES"
    EMPLOYER_PATH_OPEN = "EMPLOYER_PATH_OPEN"
    OTHER = "OTHER"


class Counter(StrEnum):
    """What is counted: days of the spell, accumulated days of the rehabilitation chain, days of the case."""

    SPELL = "SPELL"
    CHAIN = "CHAIN"
    CASE = "CASE"


class Outcome(StrEnum):
    """How a case ended."""

    ORDINARY_WORK = "ORDINARY_WORK"
    ADAPTED_WORK = "ADAPTED_WORK"
    NEW_WORK = "NEW_WORK"
    STUDIES = "STUDIES"
    AF_PROGRAMME = "AF_PROGRAMME"
    UNEMPLOYED = "UNEMPLOYED"
    DISABILITY_PENSION = "DISABILITY_PENSION"
    DENIED = "DENIED"
    DECEASED = "DECEASED"
    OTHER = "OTHER"


class ReopenReason(StrEnum):
    RELAPSE = "RELAPSE"
    CLOSED_IN_ERROR = "CLOSED_IN_ERROR"
    DECISION_CHANGED = "DECISION_CHANGED"


# --- the person ---


@record
class PersonRegistered:
    """A number was seen here for the first time and got a reference; lives in the service. The stream is named after
    the number's keyed hash, so a number has one reference, whoever comes first."""

    person_ref: Ref
    person_id: Annotated[str, I]


# --- the case ---


@record
class CaseEmployment:
    """An employment that the case concerns. Self-employed people have no `org_nr` here: theirs is a person's number."""

    employment_id: Ref
    org_nr: OrgNr | None
    employment_kind: Annotated[EmploymentKind, W]
    workplace: Annotated[str, W]


@record
class EmployerSickNoticeReceived:
    """The employer says that its sick pay has ended and the person is still ill (SjLL 12). Opens a case where none is
    open. `expected_days` is for how long the case is expected to last when the notice comes; None where it was taken in
    before that was told."""

    case_id: Ref
    person_ref: Ref
    employment: CaseEmployment
    spell_start: Day
    last_sick_pay_day: Day
    expected_days: Days | None = None


@record
class CaseOpened:
    """FK begins to follow a sick leave.

    `chain_start` is the day from which the chain's days count: earlier spells less than 90 days apart are added
    (SFB 27:51), so it lies `prior_chain_days` before the spell's start. `opening` is 1, and counts on when the case is
    opened again."""

    case_id: Ref
    person_ref: Ref
    person_id: Annotated[str, I]
    employments: tuple[CaseEmployment, ...]
    spell_start: Day
    expected_end: Day
    expected_days: Days
    prior_chain_days: Days
    chain_start: Day
    opened_on: Day
    opening: Count
    benefit: Annotated[Benefit, E]
    protection_level: Annotated[Protection, I]
    restricted: Annotated[bool, P]


@record
class CaseAssigned:
    """Who handles the case, and who stands in until `until` where somebody does."""

    case_id: Ref
    handler_ref: UserRef
    unit: Code
    substitute_ref: UserRef | None
    until: Day | None


@record
class CaseExtended:
    """The incapacity may be assumed to last longer than it was. It holds for every employment that the case concerns:
    `employment_ids`."""

    case_id: Ref
    new_expected_end: Day
    expected_days: Days
    certificate_id: Ref | None
    employment_ids: tuple[Ref, ...]


@record
class WorkCapacityDegreeChanged:
    """How much the capacity for work is reduced: 25, 50, 75 or 100 %."""

    case_id: Ref
    start: Day
    end: Day
    incapacity_pct: Pct


@record
class CertifiedPeriod:
    start: Day
    end: Day
    pct: Pct


@record
class CertificateReceived:
    """A physician's certificate (FK 7804). What it says about health is sealed."""

    case_id: Ref
    person_ref: Ref
    certificate_id: Ref
    unit: HsaId
    periods: tuple[CertifiedPeriod, ...]
    diagnoses: tuple[Icd10, ...]
    function_limits: Annotated[str, M2]
    activity_limits: Annotated[str, M2]
    prognosis: Annotated[Prognosis, M2]
    prognosis_days: Annotated[int | None, M2]
    suggested_measures: Annotated[tuple[SuggestedMeasure, ...], W]
    contact_wanted: Annotated[bool, P]


@record
class InitialAssessmentDone:
    """FK has looked for needs of rehabilitation (IKR)."""

    case_id: Ref
    person_ref: Ref
    assessment_id: Ref
    method: Annotated[IkrMethod, P]
    need_level: Annotated[NeedLevel, L]
    barriers: Annotated[tuple[Barrier, ...], M2]
    next_step: Annotated[NextStep, W]


@record
class RehabNeedDecided:
    """Whether rehabilitation is needed. "No" is a decision too, and each decision may be followed by another."""

    case_id: Ref
    person_ref: Ref
    decision_id: Ref
    need: Annotated[bool, L]
    types: Annotated[tuple[NeedType, ...], L]
    responsible: Annotated[tuple[Responsible, ...], L]
    consulted_at: Moment | None
    person_view: Annotated[str, M2]
    decided_at: Moment


@record
class KoordineringsInfoSent:
    """Health care tells FK that rehabilitation may be needed (lag 2019:1297). No diagnosis. `consent_id` names the
    consent it was sent under."""

    case_id: Ref
    person_ref: Ref
    info_id: Ref
    person_id: Annotated[str, I]
    unit: HsaId
    coordinator: HsaId
    assumed_need: Annotated[AssumedNeed, P]
    aim: Annotated[InfoAim, P]
    contact_wanted: Annotated[bool, P]
    certificate_id: Ref | None
    consent_id: Ref
    consent_at: Moment
    sent_at: Moment


@record
class KoordineringsInfoAcknowledged:
    case_id: Ref
    info_id: Ref
    ack_at: Moment


@record
class MilestoneReached:
    """A day with a meaning of its own has come; notification-service keeps the time."""

    case_id: Ref
    day: Days
    counter: Annotated[Counter, D]


@record
class CaseClosed:
    case_id: Ref
    closed_at: Moment
    outcome: Annotated[Outcome, L]
    spell_days: Days
    chain_days: Days


@record
class CaseReopened:
    """FK follows the sick leave again; its days count on from where they began."""

    case_id: Ref
    opening: Count
    spell_start: Day
    chain_start: Day
    opened_on: Day
    reopened_at: Moment
    reason: Annotated[ReopenReason, L]


CaseEvent = (
    EmployerSickNoticeReceived
    | CaseOpened
    | CaseAssigned
    | CaseExtended
    | WorkCapacityDegreeChanged
    | CertificateReceived
    | InitialAssessmentDone
    | RehabNeedDecided
    | KoordineringsInfoSent
    | KoordineringsInfoAcknowledged
    | MilestoneReached
    | CaseClosed
    | CaseReopened
)

# --- consents ---


@record
class ConsentGiven:
    """The person lifts secrecy towards one party for one purpose (OSL 10:1, 12:2). `consent_id` stays the same when it
    is given anew, after an end or to last longer, and the newest `giving` replaces the one before. `counterparty` is
    the organisation that may see or may tell. `opening` is that of the case, as in `CaseReopened`: the consent holds
    while the case stands open by it, and no longer."""

    consent_id: Ref
    giving: Count
    case_id: Ref
    opening: Count
    person_ref: Ref
    scope: Annotated[Scope, P]
    counterparty: OrgId
    purpose: Annotated[Purpose, P]
    data_classes: Annotated[tuple[Covered, ...], P]
    valid_from: Day
    valid_to: Day
    form: Annotated[ConsentForm, P]
    evidence_ref: Ref


@record
class ConsentWithdrawn:
    """The person takes the consent back. It works forward from `effective_at`, which is when it was recorded."""

    consent_id: Ref
    giving: Count
    case_id: Ref
    scope: Annotated[Scope, P]
    counterparty: OrgId
    effective_at: Moment


@record
class ConsentExpired:
    """The consent's last day is over, or its case has been closed."""

    consent_id: Ref
    giving: Count
    case_id: Ref
    scope: Annotated[Scope, P]
    counterparty: OrgId
    effective_at: Moment


ConsentEvent = ConsentGiven | ConsentWithdrawn | ConsentExpired

# --- referrals to Arbetsförmedlingen ---


@record
class ReferralToAF:
    """FK asks Arbetsförmedlingen to take part. `sent_to` is the authority it went to, `consent_id` the consent it was
    sent under. The summary is about function, at most 2,000 characters, and sealed."""

    referral_id: Ref
    case_id: Ref
    person_ref: Ref
    sent_to: OrgId
    consent_id: Ref
    person_id: Annotated[str, I]
    purpose: Annotated[ReferralPurpose, P]
    employment_status: Annotated[EmploymentStatus, W]
    incapacity_pct: Pct
    function_summary: Annotated[str, M2]
    need_types: Annotated[tuple[NeedType, ...], L]
    wished_by: Day
    sent_at: Moment


@record
class ReferralAccepted:
    """AF takes part; `officer_ref` answers for it."""

    referral_id: Ref
    case_id: Ref
    officer_ref: UserRef
    at: Moment


@record
class ReferralDeclined:
    referral_id: Ref
    case_id: Ref
    reason: Annotated[DeclineReason, P]
    at: Moment


@record
class ReferralReassigned:
    """Another officer or office at AF answers for it from now on."""

    referral_id: Ref
    case_id: Ref
    office: Code
    officer_ref: UserRef
    at: Moment


ReferralEvent = ReferralToAF | ReferralAccepted | ReferralDeclined | ReferralReassigned


def _of_the_first_opening(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say. Where the case has been opened again since, the consent is taken for ended."""
    return {"opening": 1, **raw}


def _no_expected_days(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not tell for how long the case was expected to last."""
    return {"expectedDays": None, **raw}


def _no_employments(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which employments it held for."""
    return {"employmentIds": [], **raw}


CASE = Facts(
    "case",
    [
        Fact("PersonRegistered", 1, PersonRegistered, person="person_ref", published=False),
        Fact(
            "EmployerSickNoticeReceived",
            2,
            EmployerSickNoticeReceived,
            person="person_ref",
            upcasts={1: _no_expected_days},
        ),
        Fact("CaseOpened", 1, CaseOpened, person="person_ref"),
        Fact("CaseAssigned", 1, CaseAssigned),
        Fact("CaseExtended", 2, CaseExtended, upcasts={1: _no_employments}),
        Fact("WorkCapacityDegreeChanged", 1, WorkCapacityDegreeChanged),
        Fact("CertificateReceived", 1, CertificateReceived, person="person_ref"),
        Fact("InitialAssessmentDone", 1, InitialAssessmentDone, person="person_ref"),
        Fact("RehabNeedDecided", 1, RehabNeedDecided, person="person_ref"),
        Fact("KoordineringsInfoSent", 1, KoordineringsInfoSent, person="person_ref"),
        Fact("KoordineringsInfoAcknowledged", 1, KoordineringsInfoAcknowledged),
        Fact("MilestoneReached", 1, MilestoneReached),
        Fact("CaseClosed", 1, CaseClosed),
        Fact("CaseReopened", 1, CaseReopened),
        Fact("ConsentGiven", 2, ConsentGiven, upcasts={1: _of_the_first_opening}),
        Fact("ConsentWithdrawn", 1, ConsentWithdrawn),
        Fact("ConsentExpired", 1, ConsentExpired),
        Fact("ReferralToAF", 1, ReferralToAF, person="person_ref"),
        Fact("ReferralAccepted", 1, ReferralAccepted),
        Fact("ReferralDeclined", 1, ReferralDeclined),
        Fact("ReferralReassigned", 1, ReferralReassigned),
    ],
)
