"""Given what we know of a case: what is answered to each thing that is asked? The table is `decide`.

Read `situations.py` for what we know and `commands.py` for what may be asked. The table is printed into the service's
README by `chassis.tables`.
"""

from dataclasses import replace
from typing import assert_never

from case_service.domain.commands import (
    AcknowledgeInfo,
    AlreadyClosed,
    AssignCase,
    CaseAlreadyOpen,
    CaseIsClosed,
    CaseNotClosed,
    CaseUnknown,
    CertificateKnownOtherwise,
    CloseCase,
    Command,
    CompleteIkr,
    ConsentTooNarrow,
    DecideNeed,
    EarlierCaseOpen,
    ExtendCase,
    FollowedByAnotherCase,
    InfoUnknown,
    OpenCase,
    RecordMilestone,
    RegisterCertificate,
    ReopenCase,
    SendInfo,
    SetDegree,
    TakeSickNotice,
)
from case_service.domain.consent import ConsentMissing
from case_service.domain.outcomes import (
    acknowledged,
    assessed,
    assigned,
    certified,
    closed,
    decided,
    degrees,
    employment_id_of,
    extended,
    info_sent,
    milestone,
    notice,
    opened,
    opened_by_notice,
    reopened,
)
from case_service.domain.situations import Case, Closed, NotOpened, Open, Situation, evolve
from chassis.decider import Aggregate, Decider
from contracts.case import CaseEvent, Covered, InitialAssessmentDone, KoordineringsInfoSent, RehabNeedDecided, Scope

INFO_HOLDS = frozenset({Covered.P, Covered.I})
"""The data classes of what health care tells: no diagnosis, no function, no days."""


def decide(command: Command, situation: Situation) -> list[CaseEvent]:
    match command, situation:
        case OpenCase() | TakeSickNotice(), NotOpened() if earlier_is_open(command):
            raise EarlierCaseOpen
        case OpenCase(), NotOpened():
            return [opened(command)]
        case OpenCase(), Open() if opened_otherwise(command, situation.case):
            raise CaseAlreadyOpen
        case OpenCase(), Open():
            return []  # it is open already
        case TakeSickNotice(), NotOpened():
            return [opened_by_notice(command), notice(command, None)]
        case TakeSickNotice(), Open() if noticed_before(command, situation.case):
            return []  # the notice is here already
        case TakeSickNotice(), Open():
            return [notice(command, situation.case)]
        case (
            AssignCase()
            | ExtendCase()
            | SetDegree()
            | RegisterCertificate()
            | CompleteIkr()
            | DecideNeed()
            | AcknowledgeInfo()
            | RecordMilestone()
            | CloseCase()
            | ReopenCase(),
            NotOpened(),
        ):
            raise CaseUnknown

        case SendInfo(), NotOpened():
            raise ConsentMissing
        case SendInfo(), Open() | Closed() if lacks_consent(command, situation.case):
            raise ConsentMissing
        case SendInfo(), Open() | Closed() if too_narrow(command):
            raise ConsentTooNarrow
        case SendInfo(), Open() if sent_before(command, situation.case):
            return []  # it is here already
        case SendInfo(), Open():
            return [info_sent(command, situation.case)]
        case AcknowledgeInfo(), Open() | Closed() if unknown_info(command, situation.case):
            raise InfoUnknown
        case AcknowledgeInfo(), Open() | Closed() if acknowledged_before(command, situation.case):
            return []  # it is acknowledged already
        case AcknowledgeInfo(), Open():
            return [acknowledged(command, situation.case)]

        case AssignCase(), Open() if assigned_so(command, situation.case):
            return []  # it is in those hands already
        case AssignCase(), Open():
            return [assigned(command, situation.case)]
        case ExtendCase(), Open() if extended_so(command, situation.case):
            return []  # it is expected to last until then already
        case ExtendCase(), Open():
            return [extended(command, situation.case)]
        case SetDegree(), Open():
            return [*degrees(command, situation.case)]
        case RegisterCertificate(), Open() if known_otherwise(command, situation.case):
            raise CertificateKnownOtherwise
        case RegisterCertificate(), Open() if registered_before(command, situation.case):
            return []  # it is here already
        case RegisterCertificate(), Open():
            return [certified(command)]
        case CompleteIkr(), Open() if assessed_so(command, situation.case):
            return []  # the newest assessment says the same
        case CompleteIkr(), Open():
            return [assessed(command, situation.case)]
        case DecideNeed(), Open() if decided_at_that_time(command, situation.case):
            return []  # this very decision is recorded
        case DecideNeed(), Open():
            return [decided(command, situation.case)]

        case RecordMilestone(), Open() if reached_before(command, situation.case):
            return []  # it is recorded already
        case RecordMilestone(), Open():
            return [milestone(command, situation.case)]
        case RecordMilestone(), Closed():
            return []  # a closed case has no days

        case CloseCase(), Open():
            return [closed(command, situation.case)]
        case CloseCase(), Closed() if ended_otherwise(command, situation):
            raise AlreadyClosed
        case CloseCase(), Closed():
            return []  # it is closed already
        case ReopenCase(), Open() if never_closed(situation.case):
            raise CaseNotClosed
        case ReopenCase(), Open():
            return []  # it is open again already
        case ReopenCase(), Closed() if is_followed(command):
            raise FollowedByAnotherCase
        case ReopenCase(), Closed():
            return [reopened(command, situation.case)]
        case (
            OpenCase()
            | TakeSickNotice()
            | AssignCase()
            | ExtendCase()
            | SetDegree()
            | RegisterCertificate()
            | CompleteIkr()
            | DecideNeed()
            | SendInfo()
            | AcknowledgeInfo(),
            Closed(),
        ):
            raise CaseIsClosed
        case _:
            assert_never((command, situation))


decider: Decider[Command, Situation, CaseEvent] = Decider(initial=NotOpened(), decide=decide, evolve=evolve)
case = Aggregate("case", decider)

# --- on what it depends ---


def earlier_is_open(command: OpenCase | TakeSickNotice) -> bool:
    """the person's case before this one is open"""
    return command.earlier_open


def opened_otherwise(command: OpenCase, known: Case) -> bool:
    """it was opened with other particulars"""
    return replace(opened(command), opened_on=known.opened.opened_on) != known.opened


def noticed_before(command: TakeSickNotice, known: Case) -> bool:
    """the employer has said the same before"""
    employment = employment_id_of(command.case_id, command.employment.org_nr)
    told = {(n.employment.employment_id, n.spell_start, n.last_sick_pay_day) for n in known.notices}
    return (employment, command.spell_start, command.last_sick_pay_day) in told


def lacks_consent(command: SendInfo, known: Case) -> bool:
    """no consent from that organisation to FK is in force for this case"""
    consent = command.consent
    return (
        consent is None
        or consent.scope is not Scope.KOORD_TO_FK
        or consent.counterparty != command.sender
        or consent.case_id != known.opened.case_id
        or consent.opening != known.opening
    )


def too_narrow(command: SendInfo) -> bool:
    """the consent does not cover all that is told"""
    return command.consent is not None and not set(command.consent.data_classes) >= INFO_HOLDS


def sent_before(command: SendInfo, known: Case) -> bool:
    """the same was sent at that moment"""
    return same_info(command, known) is not None


def unknown_info(command: AcknowledgeInfo, known: Case) -> bool:
    """no such information has come in the case"""
    return command.info_id not in {i.info_id for i in known.infos}


def acknowledged_before(command: AcknowledgeInfo, known: Case) -> bool:
    """it was acknowledged before"""
    return command.info_id in {a.info_id for a in known.acknowledged}


def assigned_so(command: AssignCase, known: Case) -> bool:
    """the same people have it until the same day"""
    a = known.assigned
    return a is not None and (a.handler_ref, a.unit, a.substitute_ref, a.until) == (
        command.handler_ref,
        command.unit,
        command.substitute_ref,
        command.until,
    )


def extended_so(command: ExtendCase, known: Case) -> bool:
    """it is expected to end on that day"""
    return command.new_expected_end == known.expected_end


def known_otherwise(command: RegisterCertificate, known: Case) -> bool:
    """another certificate has its id"""
    new = command.certificate
    return any(c.certificate_id == new.certificate_id and c != new for c in known.certificates)


def registered_before(command: RegisterCertificate, known: Case) -> bool:
    """it was registered before"""
    return command.certificate in known.certificates


def assessed_so(command: CompleteIkr, known: Case) -> bool:
    """the newest assessment says the same"""
    return same_assessment(command, known) is not None


def decided_at_that_time(command: DecideNeed, known: Case) -> bool:
    """the same was decided at that moment"""
    return same_decision(command, known) is not None


def reached_before(command: RecordMilestone, known: Case) -> bool:
    """the milestone was recorded before"""
    return (command.counter, command.day) in {(m.counter, m.day) for m in known.milestones}


def ended_otherwise(command: CloseCase, known: Closed) -> bool:
    """it ended otherwise"""
    return command.outcome != known.closed.outcome


def never_closed(known: Case) -> bool:
    """it was never closed"""
    return known.opening == 1


def is_followed(command: ReopenCase) -> bool:
    """the person has had a case after this one"""
    return command.followed


# --- what callers ask beforehand ---


def same_assessment(command: CompleteIkr, known: Case) -> InitialAssessmentDone | None:
    """The newest assessment, if it says the same."""
    newest = known.assessments[-1:]
    return next((a for a in newest if replace(assessed(command, known), assessment_id=a.assessment_id) == a), None)


def same_decision(command: DecideNeed, known: Case) -> RehabNeedDecided | None:
    """The decision that says the same and was made at that moment."""
    made = (d for d in known.decisions if d.decided_at == command.at)
    return next((d for d in made if replace(decided(command, known), decision_id=d.decision_id) == d), None)


def same_info(command: SendInfo, known: Case) -> KoordineringsInfoSent | None:
    """The information that says the same and was sent at that moment."""
    came = (i for i in known.infos if i.sent_at == command.at)
    return next((i for i in came if replace(info_sent(command, known), info_id=i.info_id) == i), None)
