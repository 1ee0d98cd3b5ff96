"""In which situation is a deadline, and how does one follow another?"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chassis.decider import but, record
from contracts.notification import (
    Condition,
    DeadlineSet,
    Step,
    Task,
)

Occurrence = tuple[str, UUID]
"""An event's name and the matter it concerns."""

Came = Mapping[Occurrence, tuple[datetime, ...]]
"""When each occurrence came, in the order in which it was heard."""

# --- the situations a deadline can be in ---


@record
class NotSet:
    """no such deadline"""


@record
class Open:
    """an open deadline

    `reached` are the roles it has been escalated or delegated to; `steps` are those still to come, in order of time;
    `bygone` counts what had been heard of each occurrence when it came up."""

    told: DeadlineSet
    reached: tuple[str, ...]
    steps: tuple[Step, ...]
    tasks: tuple[Task, ...]
    met_by: tuple[Condition, ...]
    cancelled_by: tuple[Condition, ...]
    bygone: Mapping[Occurrence, int] | None = None


@record
class HeldBack:
    """a deadline that is not set because the case seems to be closed"""

    task: Task
    tasks: tuple[Task, ...]
    rule_version: str
    bygone: Mapping[Occurrence, int]


@record
class Ending:
    """What settled the matter: which event, when, and whether it met the deadline or took it away.

    `sure_from`: it came before the deadline did, so it may have been undone in between; that is known once every
    service has been heard up to this time. None: nothing can undo it."""

    event: str
    at: datetime
    met: bool
    sure_from: datetime | None = None


@record
class Settled:
    """a deadline that was done too late, which has still to be told

    It is told when every source has been heard up to that time: another may yet have settled it earlier."""

    deadline: Open
    ending: Ending


@record
class Closed:
    """a deadline that was met or cancelled"""


Situation = NotSet | HeldBack | Open | Settled | Closed


# --- what it waits for ---


# --- how one situation follows another ---


def open_deadline(situation: Situation) -> Open | None:
    """The deadline itself while it is not closed."""
    match situation:
        case Open():
            return situation
        case Settled(deadline=deadline):
            return deadline
        case NotSet() | HeldBack() | Closed():
            return None


def stepped(situation: Situation) -> Situation:
    """The deadline has done its next step."""
    match situation:
        case Open(steps=steps):
            return with_steps(situation, steps[1:])
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=with_steps(deadline, deadline.steps[1:]), ending=ending)
        case NotSet() | HeldBack() | Closed():
            return situation


def reaching(situation: Situation, role: str) -> Situation:
    """The deadline has come to this role."""
    match situation:
        case Open():
            return but(situation, reached=(*situation.reached, role))
        case Settled(deadline=deadline, ending=ending):
            return Settled(deadline=but(deadline, reached=(*deadline.reached, role)), ending=ending)
        case NotSet() | HeldBack() | Closed():
            return situation


def with_steps(deadline: Open, steps: tuple[Step, ...]) -> Open:
    return but(deadline, steps=steps)
