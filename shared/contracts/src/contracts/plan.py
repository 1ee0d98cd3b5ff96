"""What can have happened to an employer's plan for return to work (SFB 30:6). Each event is declared here, once."""

from enum import StrEnum
from typing import Annotated

from chassis.classes import DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts
from contracts.values import Count, Day, Days, Moment, OrgNr, Ref, Sha256
from contracts.values import EmploymentKind as EmploymentKind

W, L, D, P = DataClass.W, DataClass.L, DataClass.D, DataClass.P


class Channel(StrEnum):
    """How the plan reached FK. Any written or oral plan counts; FK 7459 is not compulsory."""

    PORTAL = "PORTAL"
    API = "API"
    FORM_FK7459 = "FORM_FK7459"
    PHONE = "PHONE"
    MEETING = "MEETING"
    INSURED = "INSURED"


class Initiative(StrEnum):
    OWN = "OWN"
    REQUESTED = "REQUESTED"


class Exemption(StrEnum):
    """Why an employer may be without activities, or without a plan at all (SFB 30:6)."""

    NONE = "NONE"
    BACK_WITHIN_60 = "BACK_WITHIN_60"
    FULL_RETURN_UNAIDED = "FULL_RETURN_UNAIDED"
    HEALTH_EXCLUDES = "HEALTH_EXCLUDES"


class ActivityKind(StrEnum):
    PART_TIME = "PART_TIME"
    TASKS = "TASKS"
    WORKPLACE = "WORKPLACE"
    HOURS = "HOURS"
    RELOCATION_TEMP = "RELOCATION_TEMP"
    RELOCATION_PERM = "RELOCATION_PERM"
    AIDS = "AIDS"
    TRAINING = "TRAINING"
    OHS = "OHS"
    WORK_TRAINING = "WORK_TRAINING"
    OTHER = "OTHER"


class Quality(StrEnum):
    GOOD = "GOOD"
    PARTLY = "PARTLY"
    POOR = "POOR"


class Shortcoming(StrEnum):
    """The quality points a plan did not earn."""

    NO_ACTIVITY = "NO_ACTIVITY"
    NO_RESPONSIBLE = "NO_RESPONSIBLE"
    NO_START_END = "NO_START_END"
    NO_FOLLOW_UP = "NO_FOLLOW_UP"
    EMPLOYEE_NOT_CONSULTED = "EMPLOYEE_NOT_CONSULTED"
    NO_RETURN_TARGET = "NO_RETURN_TARGET"


class MissCause(StrEnum):
    """Why an activity was not done, as the employer tells it. NOT_TOLD: it was asked, and the time to say so ran out;
    it counts like a cause on the employer's side until one is told."""

    EMPLOYER = "EMPLOYER"
    PERSON = "PERSON"
    HEALTH = "HEALTH"
    OTHER = "OTHER"
    NOT_TOLD = "NOT_TOLD"


class TipKind(StrEnum):
    TIP = "TIP"
    NOTIFICATION = "NOTIFICATION"


class TipGround(StrEnum):
    """What FK tells Arbetsmiljöverket of: no plan, activities not done, poor activities, work not adapted."""

    NO_PLAN = "NO_PLAN"
    NOT_DONE = "NOT_DONE"
    POOR = "POOR"
    NO_ADAPTATION = "NO_ADAPTATION"


class TipOutcome(StrEnum):
    """What Arbetsmiljöverket did about a tip. The codes are ours: the agency decides by its own order."""

    INSPECTION = "INSPECTION"
    WRITTEN_ENQUIRY = "WRITTEN_ENQUIRY"
    NO_ACTION = "NO_ACTION"


class FileFault(StrEnum):
    """Why a document could not be taken in."""

    NOT_PDF = "NOT_PDF"
    TOO_LARGE = "TOO_LARGE"
    ENCRYPTED = "ENCRYPTED"
    SCRIPTED = "SCRIPTED"
    TOO_MANY_PAGES = "TOO_MANY_PAGES"
    UNREADABLE = "UNREADABLE"
    MALWARE = "MALWARE"


@record
class PlanActivity:
    """One activity of a plan. `responsible` is a person's or function's name and so is sealed, like the description."""

    activity_id: Ref
    kind: Annotated[ActivityKind, W]
    description: Annotated[str, W]
    responsible: Annotated[str | None, W]
    start: Day | None
    end: Day | None
    follow_up: Day | None
    target_pct: Annotated[int | None, D]


@record
class EmploymentRegistered:
    """An employment that a sick-leave case concerns, as plan-service knows it.

    `expected_days` is for how long the incapacity may be assumed to last as far as is known at that moment. It is the
    case's; where that changes, `ExpectedDaysChanged` follows."""

    employment_id: Ref
    case_id: Ref
    person_ref: Ref
    org_nr: OrgNr
    employment_kind: Annotated[EmploymentKind, W]
    workplace: Annotated[str, W]
    spell_start: Day
    expected_days: Days


@record
class ExpectedDaysChanged:
    """The incapacity may be assumed to last longer than it was when the employment was registered. From 60 days on the
    employer owes a plan (SFB 30:6), also where this is assumed only later."""

    employment_id: Ref
    case_id: Ref
    org_nr: OrgNr
    employment_kind: Annotated[EmploymentKind, W]
    spell_start: Day
    expected_days: Days


@record
class EmployerPlanRequested:
    """FK asks for the plan (SFB 110:31). Reveals only name and dates."""

    request_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    due: Day


@record
class PlanSubmitted:
    """A first version of a plan, by any channel."""

    plan_id: Ref
    version: Count
    employment_id: Ref
    person_ref: Ref
    org_nr: OrgNr
    channel: Annotated[Channel, W]
    initiative: Annotated[Initiative, W]
    submitted_at: Moment
    spell_day: Days
    drawn_up_on: Day
    employee_consulted: Annotated[bool, W]
    not_consulted_reason: Annotated[str | None, W]
    exemption: Annotated[Exemption, W]
    activities: tuple[PlanActivity, ...]
    return_date: Day | None
    document_ref: Ref | None
    sha256: Sha256 | None
    bytes: Annotated[int | None, P]


@record
class PlanRevised:
    """A later version of a plan: as PlanSubmitted, with what changed."""

    plan_id: Ref
    version: Count
    employment_id: Ref
    person_ref: Ref
    org_nr: OrgNr
    channel: Annotated[Channel, W]
    submitted_at: Moment
    spell_day: Days
    drawn_up_on: Day
    employee_consulted: Annotated[bool, W]
    not_consulted_reason: Annotated[str | None, W]
    exemption: Annotated[Exemption, W]
    activities: tuple[PlanActivity, ...]
    return_date: Day | None
    document_ref: Ref | None
    sha256: Sha256 | None
    bytes: Annotated[int | None, P]
    changes: Annotated[tuple[str, ...], W]


@record
class PlanFileRejected:
    """A document came from the employer that cannot be read or must not be kept. The plan counts as received without a
    readable file.

    `sha256` is None for a file that was too large: it is not read to its end."""

    upload_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    reason: Annotated[FileFault, W]
    sha256: Sha256 | None


@record
class PlanAssessed:
    """FK's judgement of one version: points 0-6, and what was missing."""

    plan_id: Ref
    version: Count
    employment_id: Ref
    has_activities: Annotated[bool, W]
    score: Annotated[int, W]
    quality: Annotated[Quality, W]
    shortcomings: Annotated[tuple[Shortcoming, ...], W]


@record
class EmployerPlanNotReceived:
    """A requested plan had not come when the last reminder's time was out. Not handed in is not the same as not
    drawn up. `reminders`: how many had been handed over by then, which may be none where none could be."""

    request_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    reminders: Count
    last_due: Day


# --- activities. Timers of kind PLAN_ACTIVITY_MISSED and PLAN_ACTIVITY_NOT_TOLD are about the employment: which of its
# --- activities are late, or missed without a word of why, follows from the plan and the timer's day


@record
class PlanActivityStarted:
    """An activity of the newest version has begun. `at` is the day on which it did."""

    plan_id: Ref
    activity_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    at: Day


@record
class PlanActivityCompleted:
    """An activity is done, on the day `at`: also after it was missed."""

    plan_id: Ref
    activity_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    at: Day


@record
class PlanActivityMissed:
    """An activity was not done. `cause` is None where its time ran out and nobody has said why: a question, which
    nothing may rest on yet.

    `at` is the day it was said, or the day the time ran out. A cause told afterwards, or that none was told in time,
    comes as a fact of its own with the same `activity_id`: whoever counts misses counts activities."""

    plan_id: Ref
    activity_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    at: Day
    cause: Annotated[MissCause | None, W]


# --- tips to Arbetsmiljöverket: about an employer, never about a person. They stand in streams of their own, with
# --- neither case nor correlation nor causation, and `tip_id` tells of no employment


@record
class TipProposed:
    """FK's handler has found ground for a tip about an employer."""

    tip_id: Ref
    org_nr: OrgNr
    grounds: Annotated[tuple[TipGround, ...], W]


@record
class SupervisionTipSent:
    """FK tells Arbetsmiljöverket about an employer. `facts` and `workplace` are free text and read from this service;
    they name no person. `case_count`: how many cases the tip rests on."""

    tip_id: Ref
    kind: Annotated[TipKind, W]
    org_nr: OrgNr
    workplace: Annotated[str, W]
    grounds: Annotated[tuple[TipGround, ...], W]
    case_count: Count
    facts: Annotated[str, W]


@record
class SupervisionTipAcknowledged:
    """Arbetsmiljöverket has the tip. `at` is the Swedish date."""

    tip_id: Ref
    org_nr: OrgNr
    at: Day


@record
class SupervisionTipOutcome:
    """What Arbetsmiljöverket did about it."""

    tip_id: Ref
    org_nr: OrgNr
    outcome: Annotated[TipOutcome, W]
    at: Day


# --- what this service has heard of a case and keeps to decide by; both live in the service


@record
class CaseEndNoted:
    """FK has closed the case, so no plan is asked for any more."""

    case_id: Ref
    closed_at: Moment


@record
class CaseReopeningNoted:
    """FK follows the case again. `opening` counts how often it was opened."""

    case_id: Ref
    opening: Count


PlanEvent = (
    EmploymentRegistered
    | ExpectedDaysChanged
    | EmployerPlanRequested
    | PlanSubmitted
    | PlanRevised
    | PlanFileRejected
    | PlanAssessed
    | EmployerPlanNotReceived
    | PlanActivityStarted
    | PlanActivityCompleted
    | PlanActivityMissed
)
TipEvent = TipProposed | SupervisionTipSent | SupervisionTipAcknowledged | SupervisionTipOutcome
CaseNote = CaseEndNoted | CaseReopeningNoted

PLAN = Facts(
    "plan",
    [
        Fact("EmploymentRegistered", 1, EmploymentRegistered, person="person_ref"),
        Fact("ExpectedDaysChanged", 1, ExpectedDaysChanged),
        Fact("EmployerPlanRequested", 1, EmployerPlanRequested),
        Fact("PlanSubmitted", 1, PlanSubmitted, person="person_ref"),
        Fact("PlanRevised", 1, PlanRevised, person="person_ref"),
        Fact("PlanFileRejected", 1, PlanFileRejected),
        Fact("PlanAssessed", 1, PlanAssessed),
        Fact("EmployerPlanNotReceived", 1, EmployerPlanNotReceived),
        Fact("PlanActivityStarted", 1, PlanActivityStarted),
        Fact("PlanActivityCompleted", 1, PlanActivityCompleted),
        Fact("PlanActivityMissed", 1, PlanActivityMissed),
        Fact("TipProposed", 1, TipProposed, linked=False),
        Fact("SupervisionTipSent", 1, SupervisionTipSent, person="tip_id", linked=False),
        Fact("SupervisionTipAcknowledged", 1, SupervisionTipAcknowledged, linked=False),
        Fact("SupervisionTipOutcome", 1, SupervisionTipOutcome, linked=False),
        Fact("CaseEndNoted", 1, CaseEndNoted, published=False),
        Fact("CaseReopeningNoted", 1, CaseReopeningNoted, published=False),
    ],
)
