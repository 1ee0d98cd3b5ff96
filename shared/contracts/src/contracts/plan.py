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

    Sick-leave start and expected length come with the registration until case-service announces them."""

    employment_id: Ref
    case_id: Ref
    person_ref: Ref
    org_nr: OrgNr
    employment_kind: Annotated[EmploymentKind, W]
    workplace: Annotated[str, W]
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
    """A document came that cannot be read or must not be kept. The plan counts as received without a readable file.

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
    drawn up."""

    request_id: Ref
    employment_id: Ref
    org_nr: OrgNr
    reminders: Count
    last_due: Day


PlanEvent = (
    EmploymentRegistered
    | EmployerPlanRequested
    | PlanSubmitted
    | PlanRevised
    | PlanFileRejected
    | PlanAssessed
    | EmployerPlanNotReceived
)

PLAN = Facts(
    "plan",
    [
        Fact("EmploymentRegistered", 1, EmploymentRegistered, person="person_ref"),
        Fact("EmployerPlanRequested", 1, EmployerPlanRequested),
        Fact("PlanSubmitted", 1, PlanSubmitted, person="person_ref"),
        Fact("PlanRevised", 1, PlanRevised, person="person_ref"),
        Fact("PlanFileRejected", 1, PlanFileRejected),
        Fact("PlanAssessed", 1, PlanAssessed),
        Fact("EmployerPlanNotReceived", 1, EmployerPlanNotReceived),
    ],
)
