"""What ended a deadline, of all that has been heard?

It depends on what has been heard and on when it happened, never on the order in which different services were heard.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from chassis.decider import but
from contracts.notification import (
    Condition,
    Step,
    StepKind,
    StepsPlanned,
    Task,
)
from notification_service.domain.deadline import (
    Came,
    Closed,
    Ending,
    HeldBack,
    NotSet,
    Occurrence,
    Open,
    Settled,
    Situation,
    open_deadline,
    with_steps,
)
from notification_service.domain.told import deadline_set


def heard_of(task: Task | StepsPlanned, came: Came) -> Mapping[Occurrence, int]:
    """How often each thing that can end it has been heard of by now."""
    about = ((c.event, c.matter) for c in (*task.met_by, *task.cancelled_by))
    return {occurrence: len(came.get(occurrence, ())) for occurrence in about}


def as_open(task: Task, rule_version: str, bygone: Mapping[Occurrence, int]) -> Open:
    """The deadline as it would be if it were set."""
    return Open(
        told=deadline_set(task, rule_version),
        reached=(),
        steps=tuple(sorted(task.steps, key=lambda s: s.at)),
        tasks=(),
        met_by=task.met_by,
        cancelled_by=task.cancelled_by,
        bygone=bygone,
    )


def ending_of(deadline: Open, came: Came) -> Ending | None:
    """What ended this deadline: of all that counts the one that happened first; None when nothing has.

    It depends on what has been heard, never on the order in which different services were."""
    ends = (
        Ending(event=c.event, at=at, met=met, sure_from=c.since if c.undone_by and c.since and at <= c.since else None)
        for met, conditions in ((True, deadline.met_by), (False, deadline.cancelled_by))
        for c in conditions
        for at in _counting(c, deadline, came)
    )
    return min(ends, key=lambda e: e.at, default=None)


def _counting(condition: Condition, deadline: Open, came: Came) -> Sequence[datetime]:
    """When this came in a way that ends the deadline."""
    heard, since = came.get((condition.event, condition.matter), ()), condition.since
    if since is not None and condition.undone_by is not None:
        undone = came.get((condition.undone_by, condition.matter), ())
        return [at for at in heard if not any(at <= u <= since for u in undone)]
    if since is not None:
        return [at for at in heard if at >= since]
    if condition.earlier and condition.undone_by is None:
        return heard
    return heard[(deadline.bygone or {}).get((condition.event, condition.matter), 0) :]


def miss_to_tell(settled: Settled) -> Step | None:
    """The miss that came before the settling and has not been told, if there is one."""
    misses = (s for s in settled.deadline.steps if s.does is StepKind.MISS)
    return next((s for s in misses if s.at <= settled.ending.at), None)


def in_vain(deadline: Open, came: Came) -> bool:
    """Is there no need to set it? What ends it has come, and not after it was missed."""
    ending = ending_of(deadline, came)
    return ending is not None and miss_to_tell(Settled(deadline=deadline, ending=ending)) is None


def planned(situation: Situation, plan: StepsPlanned, came: Came) -> Situation:
    """The deadline has been told its steps and conditions; later plans only change the steps."""
    match situation:
        case Open(bygone=bygone):
            return but(
                situation,
                steps=plan.steps,
                tasks=plan.tasks,
                met_by=plan.met_by,
                cancelled_by=plan.cancelled_by,
                bygone=heard_of(plan, came) if bygone is None else bygone,
            )
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=with_steps(deadline, plan.steps), ending=ending)
        case NotSet() | HeldBack() | Closed():
            return situation


def judged(situation: Situation, came: Came) -> Situation:
    """The same deadline in the light of all that has come. What may yet turn out to be undone ends nothing."""
    deadline = open_deadline(situation)
    if deadline is None:
        return situation
    ending = ending_of(deadline, came)
    return deadline if ending is None or ending.sure_from else Settled(deadline=deadline, ending=ending)
