"""What do we know of a case, and how does each fact change it?"""

from dataclasses import replace
from datetime import date, timedelta
from typing import assert_never

from chassis.decider import record
from contracts.case import (
    CaseAssigned,
    CaseClosed,
    CaseEmployment,
    CaseEvent,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    CertificateReceived,
    EmployerSickNoticeReceived,
    InitialAssessmentDone,
    KoordineringsInfoAcknowledged,
    KoordineringsInfoSent,
    MilestoneReached,
    RehabNeedDecided,
    WorkCapacityDegreeChanged,
)


@record
class Case:
    """What holds in every situation. Tuples are in the order in which things came."""

    opened: CaseOpened
    expected_end: date
    expected_days: int
    opening: int = 1
    employments: tuple[CaseEmployment, ...]
    notices: tuple[EmployerSickNoticeReceived, ...] = ()
    assigned: CaseAssigned | None = None
    degrees: tuple[WorkCapacityDegreeChanged, ...] = ()
    certificates: tuple[CertificateReceived, ...] = ()
    assessments: tuple[InitialAssessmentDone, ...] = ()
    decisions: tuple[RehabNeedDecided, ...] = ()
    infos: tuple[KoordineringsInfoSent, ...] = ()
    acknowledged: tuple[KoordineringsInfoAcknowledged, ...] = ()
    milestones: tuple[MilestoneReached, ...] = ()

    @property
    def newest_decision(self) -> RehabNeedDecided | None:
        return self.decisions[-1] if self.decisions else None


@record
class NotOpened:
    """no such case"""


@record
class Opened:
    """any case"""

    case: Case


@record
class Open(Opened):
    """an open case"""


@record
class Closed(Opened):
    """a closed case"""

    closed: CaseClosed


Situation = NotOpened | Open | Closed


def evolve(situation: Situation, fact: CaseEvent) -> Situation:
    if isinstance(fact, CaseOpened):
        return Open(
            case=Case(
                opened=fact,
                expected_end=fact.expected_end,
                expected_days=fact.expected_days,
                employments=fact.employments,
            )
        )
    assert not isinstance(situation, NotOpened), "every stream begins with CaseOpened"
    known = situation.case
    match fact:
        case CaseClosed():
            return Closed(case=known, closed=fact)
        case CaseReopened():
            return Open(case=replace(known, opening=fact.opening))
        case _:
            return replace(situation, case=_learnt(known, fact))


def _learnt(known: Case, fact: CaseEvent) -> Case:
    match fact:
        case EmployerSickNoticeReceived():
            ids = {e.employment_id for e in known.employments}
            new = () if fact.employment.employment_id in ids else (fact.employment,)
            return replace(known, notices=(*known.notices, fact), employments=(*known.employments, *new))
        case CaseAssigned():
            return replace(known, assigned=fact)
        case CaseExtended():
            return replace(known, expected_end=fact.new_expected_end, expected_days=fact.expected_days)
        case WorkCapacityDegreeChanged():
            return replace(known, degrees=(*known.degrees, fact))
        case CertificateReceived():
            return replace(known, certificates=(*known.certificates, fact))
        case InitialAssessmentDone():
            return replace(known, assessments=(*known.assessments, fact))
        case RehabNeedDecided():
            return replace(known, decisions=(*known.decisions, fact))
        case KoordineringsInfoSent():
            return replace(known, infos=(*known.infos, fact))
        case KoordineringsInfoAcknowledged():
            return replace(known, acknowledged=(*known.acknowledged, fact))
        case MilestoneReached():
            return replace(known, milestones=(*known.milestones, fact))
        case CaseOpened() | CaseClosed() | CaseReopened():
            return known
        case _:
            assert_never(fact)


def open_by(situation: Situation) -> int | None:
    """The number of the opening by which a case stands open; None where it does not."""
    return situation.case.opening if isinstance(situation, Open) else None


def days_from(start: date, on: date) -> int:
    """The day of a spell or a chain on a date, counted from 1."""
    return (on - start) // timedelta(days=1) + 1
