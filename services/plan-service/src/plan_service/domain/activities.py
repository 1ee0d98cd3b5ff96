"""How far has an activity of a plan come, and which have not been done in time?"""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from chassis.decider import record
from contracts.plan import (
    MissCause,
    PlanActivity,
    PlanActivityCompleted,
    PlanActivityMissed,
    PlanActivityStarted,
    PlanRevised,
    PlanSubmitted,
)

GRACE = timedelta(days=7)
"""How long after its last day an activity may still be reported as done before it counts as missed. Ours to choose."""

TIME_TO_SAY_WHY = timedelta(days=7)
"""How long after it counts as missed an employer may still say why, before silence counts as its answer. As long as
notification-service waits for the answer (`ACTIVITY_NOT_TOLD`), whose timer asks us to look. Ours to choose."""

ActivityEvent = PlanActivityStarted | PlanActivityCompleted | PlanActivityMissed


@record
class Progress:
    """What has been told of one activity: the days, and why it was not done where somebody said so.

    What was missed may still be done: then both days stand. `missed_end` is the last day that was not kept, as the plan
    had it when the miss was recorded; where it had none, the day of the miss. `missed_in` is that version of the
    plan."""

    activity_id: UUID
    started: date | None = None
    completed: date | None = None
    missed: date | None = None
    missed_end: date | None = None
    missed_in: int | None = None
    cause: MissCause | None = None

    def after(self, fact: ActivityEvent, version: PlanSubmitted | PlanRevised) -> "Progress":
        """`version`: the one at hand."""
        end = end_of(version.activities, fact.activity_id)
        match fact:
            case PlanActivityStarted():
                return replace(self, started=fact.at)
            case PlanActivityCompleted():
                return replace(self, completed=fact.at)
            case PlanActivityMissed(cause=None) if self.miss_stands(end):
                return self  # silence takes no cause away
            case PlanActivityMissed():
                told = replace(self, missed=fact.at, missed_end=end or fact.at, cause=fact.cause)
                return replace(told, missed_in=version.version)

    def miss_stands(self, end: date | None) -> bool:
        """Is what was told of a miss about this last day? A later one is a new promise, and can be missed anew."""
        return self.missed_end is not None and (end is None or end <= self.missed_end)


Told = tuple[Progress, ...]
"""One entry for every activity of which something has been told, in the order in which it first was."""


def progress_of(told: Told, activity_id: UUID) -> Progress:
    return next((p for p in told if p.activity_id == activity_id), Progress(activity_id=activity_id))


def tell(told: Told, fact: ActivityEvent, version: PlanSubmitted | PlanRevised) -> Told:
    """What is known once this has happened too. `version`: the one at hand."""
    now = progress_of(told, fact.activity_id).after(fact, version)
    if all(p.activity_id != fact.activity_id for p in told):
        return (*told, now)
    return tuple(now if p.activity_id == fact.activity_id else p for p in told)


def end_of(planned: tuple[PlanActivity, ...], activity_id: UUID) -> date | None:
    """The last day of one activity, None where it has none."""
    return next((a.end for a in planned if a.activity_id == activity_id), None)


def overdue(planned: tuple[PlanActivity, ...], told: Told, today: date) -> tuple[PlanActivity, ...]:
    """The activities whose time to be reported as done is over. One whose miss is told already, before its last day or
    after, is not among them; one that got a later last day since is."""
    return tuple(
        a for a in planned if a.end is not None and _is_overdue(a.end, progress_of(told, a.activity_id), today)
    )


def _is_overdue(end: date, known: Progress, today: date) -> bool:
    return known.completed is None and not known.miss_stands(end) and end + GRACE <= today


def unexplained(version: PlanSubmitted | PlanRevised, told: Told, today: date) -> tuple[PlanActivity, ...]:
    """The activities missed in silence of which nobody has said why in time. A new version since is an answer too."""
    return tuple(
        a for a in version.activities if _is_unexplained(progress_of(told, a.activity_id), version.version, today)
    )


def _is_unexplained(known: Progress, version: int, today: date) -> bool:
    if known.missed is None or known.missed_in != version:
        return False
    return known.cause is None and known.completed is None and known.missed + TIME_TO_SAY_WHY < today
