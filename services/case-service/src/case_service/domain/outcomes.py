"""What exactly is written down when the table in `case.py` says yes? Here what is given is held against itself too."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from case_service.domain.commands import (
    AcknowledgeInfo,
    AssignCase,
    CloseCase,
    CompleteIkr,
    ConsentedAhead,
    DecideNeed,
    DegreeUnknown,
    EmployerNotNamed,
    EmployerTwice,
    Employment,
    EndNotLater,
    EndsBeforeStart,
    ExtendCase,
    NeedContradicted,
    OpenCase,
    Period,
    PeriodReversed,
    PeriodsOverlap,
    RecordMilestone,
    RegisterCertificate,
    ReopenCase,
    SendInfo,
    SetDegree,
    SickLeaveInFuture,
    SickPayOutsideSpell,
    StandInUntilPassed,
    TakeSickNotice,
)
from case_service.domain.situations import Case, days_from
from contracts.case import (
    Benefit,
    CaseAssigned,
    CaseClosed,
    CaseEmployment,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    CertificateReceived,
    EmployerSickNoticeReceived,
    InitialAssessmentDone,
    KoordineringsInfoAcknowledged,
    KoordineringsInfoSent,
    MilestoneReached,
    Protection,
    RehabNeedDecided,
    WorkCapacityDegreeChanged,
)
from contracts.values import EmploymentKind

DEGREES = frozenset({25, 50, 75, 100})
"""A quarter, half, three quarters, or all of the capacity for work (SFB 27:45)."""

MOST_CASES = 1000
"""More than anybody has."""

# --- ids: worked out, not drawn, so that two who ask at once name the same thing ---


def case_id_of(person_ref: UUID, number: int) -> UUID:
    """The id of a person's first, second, ... case."""
    return uuid5(person_ref, f"case/{number}")


def next_case_id(opened: CaseOpened) -> UUID:
    """The id of the case that comes, or came, after this one of the person's."""
    numbers = (n for n in range(1, MOST_CASES) if case_id_of(opened.person_ref, n) == opened.case_id)
    return case_id_of(opened.person_ref, next(numbers) + 1)


def employment_id_of(case_id: UUID, org_nr: str | None) -> UUID:
    return uuid5(case_id, f"employment/{org_nr or 'self'}")


def next_decision_id(known: Case) -> UUID:
    return uuid5(known.opened.case_id, f"decision/{len(known.decisions) + 1}")


def next_assessment_id(known: Case) -> UUID:
    return uuid5(known.opened.case_id, f"assessment/{len(known.assessments) + 1}")


def next_info_id(known: Case) -> UUID:
    return uuid5(known.opened.case_id, f"info/{len(known.infos) + 1}")


# --- opening ---


def opened(command: OpenCase) -> CaseOpened:
    if command.spell_start > command.today:
        raise SickLeaveInFuture
    if command.expected_end < command.spell_start:
        raise EndsBeforeStart
    employers = [e.org_nr for e in command.employments]
    if len(employers) != len(set(employers)):
        raise EmployerTwice
    return CaseOpened(
        case_id=command.case_id,
        person_ref=command.person_ref,
        person_id=command.person_id,
        employments=tuple(_employment(command.case_id, e) for e in command.employments),
        spell_start=command.spell_start,
        expected_end=command.expected_end,
        expected_days=days_from(command.spell_start, command.expected_end),
        prior_chain_days=command.prior_chain_days,
        chain_start=command.spell_start - timedelta(days=command.prior_chain_days),
        opened_on=command.today,
        opening=1,
        benefit=command.benefit,
        protection_level=command.protection_level,
        restricted=command.protection_level is not Protection.NONE,
    )


def _employment(case_id: UUID, e: Employment) -> CaseEmployment:
    if (e.org_nr is None) != (e.employment_kind is EmploymentKind.SELF):
        raise EmployerNotNamed
    return CaseEmployment(
        employment_id=employment_id_of(case_id, e.org_nr),
        org_nr=e.org_nr,
        employment_kind=e.employment_kind,
        workplace=e.workplace,
    )


def opened_by_notice(command: TakeSickNotice) -> CaseOpened:
    """FK follows the sick leave from the employer's notice on. What it is expected to last is what is known of it."""
    check_notice(command)  # what cannot be true of it is told first
    opening = OpenCase(
        case_id=command.case_id,
        person_ref=command.person_ref,
        person_id=command.person_id,
        employments=(command.employment,),
        spell_start=command.spell_start,
        expected_end=_expected_end(command),
        prior_chain_days=0,
        benefit=Benefit.SICKNESS,
        protection_level=Protection.NONE,
        today=command.today,
    )
    return opened(opening)


def _expected_end(command: TakeSickNotice) -> date:
    return command.expected_end or command.last_sick_pay_day


def check_notice(command: TakeSickNotice) -> None:
    """Raises SickLeaveInFuture or SickPayOutsideSpell."""
    if command.spell_start > command.today:
        raise SickLeaveInFuture
    if not command.spell_start <= command.last_sick_pay_day <= command.today:
        raise SickPayOutsideSpell


def notice(command: TakeSickNotice, known: Case | None) -> EmployerSickNoticeReceived:
    """What the incapacity is expected to last is the case's word (`known`; None where this notice opens it): it is the
    same incapacity, whoever the employer is."""
    check_notice(command)
    days = known.expected_days if known else days_from(command.spell_start, _expected_end(command))
    return EmployerSickNoticeReceived(
        case_id=command.case_id,
        person_ref=command.person_ref,
        employment=_employment(command.case_id, command.employment),
        spell_start=command.spell_start,
        last_sick_pay_day=command.last_sick_pay_day,
        expected_days=days,
    )


# --- on the way ---


def assigned(command: AssignCase, known: Case) -> CaseAssigned:
    if (command.until is None) != (command.substitute_ref is None):
        raise StandInUntilPassed
    if command.until is not None and command.until < command.today:
        raise StandInUntilPassed
    return CaseAssigned(
        case_id=known.opened.case_id,
        handler_ref=command.handler_ref,
        unit=command.unit,
        substitute_ref=command.substitute_ref,
        until=command.until,
    )


def extended(command: ExtendCase, known: Case) -> CaseExtended:
    if command.new_expected_end <= known.expected_end:
        raise EndNotLater
    return CaseExtended(
        case_id=known.opened.case_id,
        new_expected_end=command.new_expected_end,
        expected_days=days_from(known.opened.spell_start, command.new_expected_end),
        certificate_id=command.certificate_id,
        employment_ids=tuple(e.employment_id for e in known.employments),
    )


def degrees(command: SetDegree, known: Case) -> list[WorkCapacityDegreeChanged]:
    """The periods that are not known yet, oldest first."""
    check_periods(command.periods)
    held = {(d.start, d.end, d.incapacity_pct) for d in known.degrees}
    new = [p for p in sorted(command.periods, key=_start) if (p.start, p.end, p.pct) not in held]
    if any(p.start <= d.end and d.start <= p.end for p in new for d in known.degrees):
        raise PeriodsOverlap
    return [
        WorkCapacityDegreeChanged(case_id=known.opened.case_id, start=p.start, end=p.end, incapacity_pct=p.pct)
        for p in new
    ]


def check_periods(periods: Sequence[Period]) -> None:
    """Raises DegreeUnknown, PeriodReversed or PeriodsOverlap."""
    if any(p.pct not in DEGREES for p in periods):
        raise DegreeUnknown
    if any(p.end < p.start for p in periods):
        raise PeriodReversed
    if any(b.start <= a.end for a, b in pairwise(sorted(periods, key=_start))):
        raise PeriodsOverlap


def _start(period: Period) -> date:
    return period.start


def certified(command: RegisterCertificate) -> CertificateReceived:
    check_periods([Period(start=p.start, end=p.end, pct=p.pct) for p in command.certificate.periods])
    return command.certificate


def assessed(command: CompleteIkr, known: Case) -> InitialAssessmentDone:
    return InitialAssessmentDone(
        case_id=known.opened.case_id,
        person_ref=known.opened.person_ref,
        assessment_id=next_assessment_id(known),
        method=command.method,
        need_level=command.need_level,
        barriers=command.barriers,
        next_step=command.next_step,
    )


def decided(command: DecideNeed, known: Case) -> RehabNeedDecided:
    if command.need != bool(command.types):
        raise NeedContradicted
    return RehabNeedDecided(
        case_id=known.opened.case_id,
        person_ref=known.opened.person_ref,
        decision_id=next_decision_id(known),
        need=command.need,
        types=command.types,
        responsible=command.responsible,
        consulted_at=command.consulted_at,
        person_view=command.person_view,
        decided_at=command.at,
    )


def info_sent(command: SendInfo, known: Case) -> KoordineringsInfoSent:
    assert command.consent is not None
    if command.consent_at > command.at:
        raise ConsentedAhead
    return KoordineringsInfoSent(
        case_id=known.opened.case_id,
        person_ref=known.opened.person_ref,
        info_id=next_info_id(known),
        person_id=command.person_id,
        unit=command.unit,
        coordinator=command.coordinator,
        assumed_need=command.assumed_need,
        aim=command.aim,
        contact_wanted=command.contact_wanted,
        certificate_id=command.certificate_id,
        consent_id=command.consent.consent_id,
        consent_at=command.consent_at,
        sent_at=command.at,
    )


def acknowledged(command: AcknowledgeInfo, known: Case) -> KoordineringsInfoAcknowledged:
    return KoordineringsInfoAcknowledged(case_id=known.opened.case_id, info_id=command.info_id, ack_at=command.at)


def milestone(command: RecordMilestone, known: Case) -> MilestoneReached:
    return MilestoneReached(case_id=known.opened.case_id, day=command.day, counter=command.counter)


def closed(command: CloseCase, known: Case) -> CaseClosed:
    spell_days = days_from(known.opened.spell_start, command.today)
    return CaseClosed(
        case_id=known.opened.case_id,
        closed_at=command.at,
        outcome=command.outcome,
        spell_days=spell_days,
        chain_days=spell_days + known.opened.prior_chain_days,
    )


def reopened(command: ReopenCase, known: Case) -> CaseReopened:
    return CaseReopened(
        case_id=known.opened.case_id,
        opening=known.opening + 1,
        spell_start=known.opened.spell_start,
        chain_start=known.opened.chain_start,
        opened_on=known.opened.opened_on,
        reopened_at=command.at,
        reason=command.reason,
    )
