"""What does an employment show that Arbetsmiljöverket could be told of, and whose names are known from it?"""

from collections.abc import Iterator
from uuid import UUID

from contracts.plan import MissCause, Quality, TipGround
from plan_service.domain.anonymity import names_in
from plan_service.domain.situations import Assessed, NotReceived, PlanAtHand, Registered, plans

THE_EMPLOYERS = (MissCause.EMPLOYER, MissCause.NOT_TOLD)
"""A miss that nobody has explained counts as the employer's once the time to say why has run out, and not before:
notification-service counts the same two where it has a tip assessed."""


def grounds_shown(situation: Registered) -> frozenset[TipGround]:
    """NO_PLAN: FK asked, the time ran out, and not even an unreadable file came. NOT_DONE: an activity was missed for
    a cause on the employer's side, or without a word in time of why, and not done since. POOR: the newest version was
    assessed as POOR. That work was not adapted is for FK's handler to judge: nothing recorded here could show it."""
    shown = {TipGround.NO_ADAPTATION}
    if isinstance(situation, NotReceived):
        shown.add(TipGround.NO_PLAN)
    if isinstance(situation, PlanAtHand) and _missed(situation):
        shown.add(TipGround.NOT_DONE)
    if isinstance(situation, Assessed) and situation.plan.assessments[-1].quality is Quality.POOR:
        shown.add(TipGround.POOR)
    return frozenset(shown)


def _missed(situation: PlanAtHand) -> bool:
    told = situation.plan.told
    return any(p.missed is not None and p.completed is None and p.cause in THE_EMPLOYERS for p in told)


def basis(situation: Registered) -> UUID:
    """What a tip would rest on: the plan at hand, else the newest request, else the employment. One tip for each."""
    if isinstance(situation, PlanAtHand):
        return situation.plan.newest.plan_id
    requests = situation.employment.requests
    return requests[-1] if requests else situation.employment.registration.employment_id


def bases(situation: Registered) -> tuple[UUID, ...]:
    """Everything that a tip about this employment may ever have rested on."""
    handed_in = (plan.newest.plan_id for plan in plans(situation))
    return (*handed_in, *situation.employment.requests, situation.employment.registration.employment_id)


def known_names(situation: Registered) -> tuple[str, ...]:
    """The personal names that stand in what was handed in: whom nobody outside is to hear of."""
    return tuple(name for text in _texts(situation) for name in names_in(text))


def _texts(situation: Registered) -> Iterator[str]:
    for version in (v for plan in plans(situation) for v in plan.versions):
        for activity in version.activities:
            yield from (activity.responsible or "", activity.description)
        yield version.not_consulted_reason or ""
