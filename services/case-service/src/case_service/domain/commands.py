"""What may be asked about a case, and for which reasons is it refused?"""

from datetime import date, datetime
from uuid import UUID

from chassis.decider import Invalid, Refused, Unknown, record
from contracts.case import (
    AssumedNeed,
    Barrier,
    Benefit,
    CertificateReceived,
    ConsentGiven,
    Counter,
    IkrMethod,
    InfoAim,
    NeedLevel,
    NeedType,
    NextStep,
    Outcome,
    Protection,
    ReopenReason,
    Responsible,
)
from contracts.values import EmploymentKind

# --- commands: `today` is the Swedish date, `at` the moment in UTC ---


@record
class Employment:
    """An employment as the caller gives it; its id follows from the case and the employer."""

    org_nr: str | None
    employment_kind: EmploymentKind
    workplace: str


@record
class OpenCase:
    """open a case

    `earlier_open`: is the person's case before this one open?"""

    case_id: UUID
    person_ref: UUID
    person_id: str
    employments: tuple[Employment, ...]
    spell_start: date
    expected_end: date
    prior_chain_days: int
    benefit: Benefit
    protection_level: Protection
    today: date
    earlier_open: bool = False


@record
class TakeSickNotice:
    """take in an employer's notice that sick pay has ended

    `earlier_open` as when a case is opened."""

    case_id: UUID
    person_ref: UUID
    person_id: str
    employment: Employment
    spell_start: date
    last_sick_pay_day: date
    expected_end: date | None
    today: date
    earlier_open: bool = False


@record
class AssignCase:
    """say who handles the case"""

    handler_ref: str
    unit: str
    substitute_ref: str | None
    until: date | None
    today: date


@record
class ExtendCase:
    """extend the case"""

    new_expected_end: date
    certificate_id: UUID | None


@record
class Period:
    """Days, both counted, and the degree in %."""

    start: date
    end: date
    pct: int


@record
class SetDegree:
    """set the degree of incapacity"""

    periods: tuple[Period, ...]


@record
class RegisterCertificate:
    """register a certificate

    `certificate` says what it says, with this case's id and person."""

    certificate: CertificateReceived


@record
class CompleteIkr:
    """record the initial assessment"""

    method: IkrMethod
    need_level: NeedLevel
    barriers: tuple[Barrier, ...]
    next_step: NextStep


@record
class DecideNeed:
    """decide whether rehabilitation is needed"""

    need: bool
    types: tuple[NeedType, ...]
    responsible: tuple[Responsible, ...]
    consulted_at: datetime | None
    person_view: str
    at: datetime


@record
class SendInfo:
    """tell FK that rehabilitation may be needed

    `sender` is the care organisation; `consent` its consent of scope KOORD_TO_FK in force, None where there is none."""

    sender: str
    consent: ConsentGiven | None
    person_id: str
    unit: str
    coordinator: str
    assumed_need: AssumedNeed
    aim: InfoAim
    contact_wanted: bool
    certificate_id: UUID | None
    consent_at: datetime
    at: datetime


@record
class AcknowledgeInfo:
    """acknowledge what health care told"""

    info_id: UUID
    at: datetime


@record
class RecordMilestone:
    """record that a milestone was reached"""

    counter: Counter
    day: int


@record
class CloseCase:
    """close the case"""

    outcome: Outcome
    today: date
    at: datetime


@record
class ReopenCase:
    """open the case again

    `followed`: has the person had a case after this one?"""

    reason: ReopenReason
    at: datetime
    followed: bool = False


Command = (
    OpenCase
    | TakeSickNotice
    | AssignCase
    | ExtendCase
    | SetDegree
    | RegisterCertificate
    | CompleteIkr
    | DecideNeed
    | SendInfo
    | AcknowledgeInfo
    | RecordMilestone
    | CloseCase
    | ReopenCase
)

# --- refusals ---


class CaseUnknown(Unknown):
    reason = "There is no such case here, or not for you."
    do = "Check the id, or find the person first."


class CaseAlreadyOpen(Refused):
    reason = "The person has an open case with other particulars."
    do = "Work in that case, or extend it."


class EarlierCaseOpen(Refused):
    reason = "The person's earlier case has been opened again, so no other is begun."
    do = "Send it again: then it goes to that case."


class CaseIsClosed(Refused):
    reason = "The case is closed."
    do = "Open it again first when the sick leave goes on."


class AlreadyClosed(Refused):
    reason = "The case was closed with another outcome."
    do = "Open it again first when the outcome was wrong."


class CaseNotClosed(Refused):
    reason = "The case is open."
    do = "There is nothing to open again."


class FollowedByAnotherCase(Refused):
    reason = "The person has had another case since, and only one at a time is open."
    do = "Work in the newest case, or open that one again."


class SickLeaveInFuture(Invalid):
    field = "spellStart"
    reason = "A sick leave cannot have started on a day that has not come."
    do = "Give the first sick day."


class EndsBeforeStart(Invalid):
    field = "expectedEnd"
    reason = "The sick leave would end before it began."
    do = "Give a day on or after the first sick day."


class SickPayOutsideSpell(Invalid):
    field = "lastSickPayDay"
    reason = "The last day of sick pay lies before the first sick day, or ahead."
    do = "Give the last day that sick pay was paid for."


class EmployerTwice(Invalid):
    field = "employments"
    reason = "The same employer stands there twice."
    do = "Give each employer once."


class EmployerNotNamed(Invalid):
    field = "employments"
    reason = "An employment needs its employer's organisation number; only the self-employed have none."
    do = "Give the number, or say that the person is self-employed."


class EndNotLater(Invalid):
    field = "newExpectedEnd"
    reason = "An extended sick leave ends later than it was expected to."
    do = "Give a later day. A sick leave that ends earlier is closed."


class DegreeUnknown(Invalid):
    field = "periods"
    reason = "The capacity for work is reduced by 25, 50, 75 or 100 %."
    do = "Give one of these; sick pay has no steps, the benefit has."


class PeriodReversed(Invalid):
    field = "periods"
    reason = "A period ends before it starts."
    do = "Give an end on or after the start."


class PeriodsOverlap(Invalid):
    field = "periods"
    reason = "Two periods overlap, here or with one that is known."
    do = "Let each day belong to one period."


class NeedContradicted(Invalid):
    field = "types"
    reason = "A need has at least one kind; where there is none, no kind is given."
    do = "Say which kinds of rehabilitation are needed, or that there is no need."


class CertificateKnownOtherwise(Refused):
    reason = "A certificate with this id is known, and says something else."
    do = "A new certificate needs an id of its own."


class ConsentTooNarrow(Refused):
    reason = "The person's consent does not cover what health care tells: who it is about, and that there is a need."
    do = "Ask the person for a consent that covers I and P."


class ConsentedAhead(Invalid):
    field = "consentAt"
    reason = "The person cannot have consented at a time that has not come."
    do = "Give the time at which the person consented."


class CertificateUnknown(Unknown):
    reason = "There is no such certificate in the case."
    do = "Take its id from the case."


class AssessmentUnknown(Unknown):
    reason = "There is no such assessment in the case."
    do = "Take its id from the case."


class InfoUnknown(Unknown):
    reason = "There is no such information from health care in the case."
    do = "Take the infoId from the case."


class StandInUntilPassed(Invalid):
    field = "until"
    reason = "The day until which somebody stands in has passed, or nobody stands in."
    do = "Give a day that lies ahead together with who stands in."
