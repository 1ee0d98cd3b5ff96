"""How far has an activity of a plan come, and which have not been done in time?"""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from chassis.decider import record
from contracts.plan import MissCause, PlanActivity, PlanActivityCompleted, PlanActivityMissed, PlanActivityStarted

GRACE = timedelta(days=7)
"""How long after its last day an activity may still be reported as done before it counts as missed. Ours to choose."""

ActivityEvent = PlanActivityStarted | PlanActivityCompleted | PlanActivityMissed


@record
class Progress:
    """What has been told of one activity: the days, and why it was not done where somebody said so.

    What was missed may still be done: then both days stand."""

    activity_id: UUID
    started: date | None = None
    completed: date | None = None
    missed: date | None = None
    cause: MissCause | None = None

    def after(self, fact: ActivityEvent) -> "Progress":
        match fact:
            case PlanActivityStarted():
                return replace(self, started=fact.at)
            case PlanActivityCompleted():
                return replace(self, completed=fact.at)
            case PlanActivityMissed():
                return replace(self, missed=fact.at, cause=fact.cause)


Told = tuple[Progress, ...]
"""One entry for every activity of which something has been told, in the order in which it first was."""


def progress_of(told: Told, activity_id: UUID) -> Progress:
    return next((p for p in told if p.activity_id == activity_id), Progress(activity_id=activity_id))


def tell(told: Told, fact: ActivityEvent) -> Told:
    """What is known once this has happened too."""
    now = progress_of(told, fact.activity_id).after(fact)
    if all(p.activity_id != fact.activity_id for p in told):
        return (*told, now)
    return tuple(now if p.activity_id == fact.activity_id else p for p in told)


def overdue(planned: tuple[PlanActivity, ...], told: Told, today: date) -> tuple[PlanActivity, ...]:
    """The activities whose time to be reported as done is over. One that got a later last day after it was missed can
    be missed again."""
    return tuple(
        a for a in planned if a.end is not None and _is_overdue(a.end, progress_of(told, a.activity_id), today)
    )


def _is_overdue(end: date, known: Progress, today: date) -> bool:
    return known.completed is None and (known.missed is None or known.missed < end) and end + GRACE <= today
