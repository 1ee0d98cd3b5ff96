"""What do we know of an employment during a sick leave, and how does each fact change it?

The employer draws up a plan for return to work by day 30 (SFB 30:6). Handing it to FK is not compulsory until FK asks
for it (SFB 110:31): so "asked" and "not received" are situations of their own, and silence before that is no breach.
"""

from dataclasses import replace
from typing import assert_never
from uuid import UUID

from chassis.decider import record
from contracts.plan import (
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentRegistered,
    ExpectedDaysChanged,
    FileFault,
    PlanActivityCompleted,
    PlanActivityMissed,
    PlanActivityStarted,
    PlanAssessed,
    PlanEvent,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
)
from plan_service.domain.activities import tell
from plan_service.domain.plan import Plan, exempt


@record
class Employment:
    """What holds in every situation: the registration, and what has come and gone.

    `expected` is what the case has said since of how long it is to last; `requests` are the ids of all requests, oldest
    first; `earlier` are plans set aside because FK asked for another; `rejected` are the files refused since the last
    request: ground and SHA-256 (None where the file was too large)."""

    registration: EmploymentRegistered
    expected: ExpectedDaysChanged | None = None
    requests: tuple[UUID, ...] = ()
    earlier: tuple[Plan, ...] = ()
    rejected: tuple[tuple[FileFault, str | None], ...] = ()

    @property
    def expected_days(self) -> int:
        return (self.expected or self.registration).expected_days


@record
class NotRegistered:
    """no such employment"""


@record
class Registered:
    """any registered employment"""

    employment: Employment


@record
class NotAsked(Registered):
    """no plan, and not asked for"""


@record
class Asked(Registered):
    """FK has asked and waits"""

    request: EmployerPlanRequested


@record
class NotReceived(Registered):
    """asked for, but the time ran out"""


@record
class FileUnreadable(Registered):
    """received as a file that cannot be taken in"""


@record
class PlanAtHand(Registered):
    """any plan at hand"""

    plan: Plan


@record
class Unassessed(PlanAtHand):
    """plan at hand, newest version not assessed"""


@record
class Assessed(PlanAtHand):
    """plan at hand, newest version assessed"""


@record
class Exempted(PlanAtHand):
    """plan at hand, a lawful ground for no activities"""


Situation = NotRegistered | NotAsked | Asked | NotReceived | FileUnreadable | Unassessed | Assessed | Exempted


def evolve(situation: Situation, fact: PlanEvent) -> Situation:
    if isinstance(fact, EmploymentRegistered):
        return NotAsked(employment=Employment(registration=fact))
    assert not isinstance(situation, NotRegistered), "every stream begins with EmploymentRegistered"
    known = situation.employment
    match fact:
        case ExpectedDaysChanged():
            return replace(situation, employment=replace(known, expected=fact))
        case EmployerPlanRequested():
            asked = replace(known, requests=(*known.requests, fact.request_id), earlier=plans(situation), rejected=())
            return Asked(employment=asked, request=fact)
        case PlanSubmitted():
            return _at_hand(replace(known, earlier=plans(situation)), Plan(versions=(fact,)))
        case PlanRevised():
            held = plans(situation)[-1]
            return _at_hand(known, replace(held, versions=(*held.versions, fact)))
        case PlanAssessed():
            held = plans(situation)[-1]
            return Assessed(employment=known, plan=replace(held, assessments=(*held.assessments, fact)))
        case PlanFileRejected():
            return _file_rejected(situation, replace(known, rejected=(*known.rejected, (fact.reason, fact.sha256))))
        case EmployerPlanNotReceived():
            return NotReceived(employment=known)
        case PlanActivityStarted() | PlanActivityCompleted() | PlanActivityMissed():
            assert isinstance(situation, PlanAtHand), "activities are those of the plan at hand"
            plan = situation.plan
            return replace(situation, plan=replace(plan, told=tell(plan.told, fact, plan.newest)))
        case _:
            assert_never(fact)


def _at_hand(known: Employment, plan: Plan) -> Situation:
    return (Exempted if exempt(plan.newest) else Unassessed)(employment=known, plan=plan)


def _file_rejected(before: Situation, known: Employment) -> Situation:
    """A plan that can be read stays at hand; in any other situation something has come after all."""
    return replace(before, employment=known) if isinstance(before, PlanAtHand) else FileUnreadable(employment=known)


def plans(situation: NotRegistered | Registered) -> tuple[Plan, ...]:
    """Every plan handed in for the employment, oldest first."""
    if isinstance(situation, NotRegistered):
        return ()
    at_hand = (situation.plan,) if isinstance(situation, PlanAtHand) else ()
    return (*situation.employment.earlier, *at_hand)
