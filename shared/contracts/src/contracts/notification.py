"""What can have happened to a deadline, and to the message about it. Each event is declared here, once."""

from enum import StrEnum
from typing import Annotated, Any

from chassis.classes import DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts
from contracts.values import Code, Count, Moment, Ref

P = DataClass.P
Codes = tuple[Code, ...]


class ReminderChannel(StrEnum):
    SMS = "SMS"
    EMAIL = "EMAIL"
    PORTAL = "PORTAL"
    DIGITAL_POST = "DIGITAL_POST"
    SDK = "SDK"
    LETTER = "LETTER"


class StepKind(StrEnum):
    """What a deadline does when one of its times comes. WAIT: it is seen whether the case was closed when the deadline
    came up, which cannot be told before every service has been heard up to that time."""

    MISS = "MISS"
    REMIND = "REMIND"
    ESCALATE = "ESCALATE"
    TIMER = "TIMER"
    TASK = "TASK"
    WAIT = "WAIT"


@record
class Step:
    """One thing a deadline does, at `at`. `code` is a template (REMIND), a role (ESCALATE), a timer's kind (TIMER), a
    task's kind (TASK), and the deadline's own kind for MISS; `attempt` counts reminders and levels of escalation.
    `channel` and `recipient_ref` go with REMIND only."""

    at: Moment
    does: Annotated[StepKind, P]
    code: Code
    attempt: Count = 1
    channel: Annotated[ReminderChannel | None, P] = None
    recipient_ref: Code | None = None


@record
class Condition:
    """An event that ends a deadline when it concerns `matter`: an id, or a name made from several fields.

    `earlier`: an event that came before the deadline was set ends it too, so that it is not set at all; unless an event
    called `undone_by` had come for the same matter by the time at which the deadline came up, which is `since`. With
    `since` alone the event ends it from that time on: another service tells it, so what is heard first says nothing of
    what came first."""

    event: Code
    matter: Ref
    earlier: Annotated[bool, P]
    undone_by: Code | None = None
    since: Moment | None = None


@record
class Task:
    """A deadline that another deadline sets when its TASK step with the same `kind` comes."""

    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    owner_role: Code
    owner_ref: Code
    escalate_to: Codes
    owner_sees: Annotated[bool, P]
    rule: Code
    steps: tuple[Step, ...]
    met_by: tuple[Condition, ...]
    cancelled_by: tuple[Condition, ...]


@record
class DeadlineSet:
    """Somebody has to do something by `due_at`. `rule` and `rule_version` say which row of which rule file set it.

    `about` is what it concerns (an employment, a request, a plan). `owner_ref` is who: `employer:<organisation number>`
    or `role:<role code>`. `owner_sees` is false where the deadline itself would tell its owner what FK assumes: that a
    plan deadline was set says that a long absence is expected. What ends it, and what it does on the way, stands in
    StepsPlanned."""

    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    owner_role: Code
    owner_ref: Code
    escalate_to: Codes
    owner_sees: Annotated[bool, P]
    attempt: Count
    rule: Code
    rule_version: Code


@record
class StepsPlanned:
    """What a deadline will do from now on, in order, and what ends it; lives in the service. A later plan replaces an
    earlier one. `parent` is the deadline whose TASK step this came from."""

    deadline_id: Ref
    parent: Ref | None
    steps: tuple[Step, ...]
    tasks: tuple[Task, ...]
    met_by: tuple[Condition, ...]
    cancelled_by: tuple[Condition, ...]


@record
class DeadlineHeldBack:
    """As far as is known the case was closed when this came up, so it is not set; should it turn out that the case had
    been opened again by then, it is. Lives in the service."""

    task: Task
    tasks: tuple[Task, ...]
    rule_version: Code


@record
class MatterSettled:
    """An event came that can end deadlines about `matters`, whether or not any is open; lives in the service. So a
    deadline that is set after what would have met it is never set in vain."""

    event: Code
    matters: tuple[Ref, ...]
    at: Moment


@record
class MatterCounted:
    """One more different `item` of what is counted as `of`; lives in the service. Some deadlines are set only when
    enough has come."""

    of: Ref
    item: Ref


@record
class DeadlineMet:
    """What was asked for was done, at `met_at`: later than the due date when it was missed first."""

    deadline_id: Ref
    kind: Code
    about: Ref
    met_at: Moment


@record
class DeadlineMissed:
    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    owner_role: Code


@record
class DeadlineEscalated:
    """The next level is told, with the original due date."""

    deadline_id: Ref
    kind: Code
    about: Ref
    due_at: Moment
    to_role: Code
    attempt: Count


@record
class DeadlineCancelled:
    """The matter fell away; `reason` is the event that took it away."""

    deadline_id: Ref
    kind: Code
    about: Ref
    reason: Code


@record
class TaskDone:
    """Somebody says that a task which no event of ours can show is done."""

    deadline_id: Ref
    kind: Code
    about: Ref


@record
class TaskDelegated:
    """Who a task belongs to, or has come to, gives it to another role of the same organisation; the owner still answers
    for it. `to` is that role."""

    deadline_id: Ref
    kind: Code
    about: Ref
    to: Code


@record
class ReminderDue:
    """A message has been decided on and waits to be handed over; lives in the service."""

    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    due_at: Moment
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count


@record
class ReminderWithdrawn:
    """The matter was settled before the message was handed over, so it is not sent; lives in the service."""

    reminder_id: Ref
    deadline_id: Ref
    about: Ref


@record
class ReminderRerouted:
    """A message could not go by `channel`, so it goes `instead`; lives in the service. `cause`: there is no gateway,
    the party did not choose that channel, no number is known, or it is refused."""

    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    channel: Annotated[ReminderChannel, P]
    instead: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    cause: Code


@record
class ReminderSent:
    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count


@record
class ReminderFailed:
    """The message cannot reach the party: no contact is known, or its own mail server refuses it for good."""

    reminder_id: Ref
    deadline_id: Ref
    about: Ref
    channel: Annotated[ReminderChannel, P]
    template_id: Code
    recipient_ref: Code
    attempt: Count
    cause: Code


@record
class TimerElapsed:
    """A time that another service asked to be told of has come; the owner reacts with a fact of its own.

    `timer_id` is the deadline that the timer is a step of; `reminders`: how many about it had been handed over by then,
    each counted once by however many channels it went."""

    timer_id: Ref
    kind: Code
    due_at: Moment
    about: Ref
    reminders: Count = 0


@record
class ContactSet:
    """Where a party wants its messages. `address` is for e-mail, `phone` for SMS, blank where none is given; both are
    sealed with the party's own key."""

    party_ref: Code
    party_key: Ref
    channels: Annotated[tuple[ReminderChannel, ...], P]
    language: Code
    address: Annotated[str, DataClass.I]
    phone: Annotated[str, DataClass.I] = ""


AgendaEvent = (
    DeadlineSet
    | StepsPlanned
    | DeadlineHeldBack
    | MatterSettled
    | MatterCounted
    | DeadlineMet
    | DeadlineMissed
    | DeadlineEscalated
    | DeadlineCancelled
    | TaskDone
    | TaskDelegated
    | ReminderDue
    | ReminderWithdrawn
    | ReminderRerouted
    | ReminderSent
    | ReminderFailed
    | TimerElapsed
)
NotificationEvent = AgendaEvent | ContactSet


def _undone_by_nothing(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew no event that undoes another's effect."""

    def conditions(of: dict[str, Any]) -> dict[str, Any]:
        return {name: [{**c, "undoneBy": None} for c in of[name]] for name in ("metBy", "cancelledBy")}

    return {**raw, **conditions(raw), "tasks": [{**task, **conditions(task)} for task in raw["tasks"]]}


def _since_whenever(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 2 went by what had been heard when the deadline was set."""

    def conditions(of: dict[str, Any]) -> dict[str, Any]:
        return {name: [{**c, "since": None} for c in of[name]] for name in ("metBy", "cancelledBy")}

    return {**raw, **conditions(raw), "tasks": [{**task, **conditions(task)} for task in raw["tasks"]]}


def _none_counted(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say how many reminders had gone: none is known to have."""
    return {"reminders": 0, **raw}


def _no_phone(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew e-mail only."""
    return {"phone": "", **raw}


NOTIFICATION = Facts(
    "notification",
    [
        Fact("DeadlineSet", 1, DeadlineSet),
        Fact(
            "StepsPlanned",
            3,
            StepsPlanned,
            published=False,
            upcasts={1: _undone_by_nothing, 2: _since_whenever},
        ),
        Fact("DeadlineHeldBack", 1, DeadlineHeldBack, published=False),
        Fact("MatterSettled", 1, MatterSettled, published=False),
        Fact("MatterCounted", 1, MatterCounted, published=False),
        Fact("DeadlineMet", 1, DeadlineMet),
        Fact("DeadlineMissed", 1, DeadlineMissed),
        Fact("DeadlineEscalated", 1, DeadlineEscalated),
        Fact("DeadlineCancelled", 1, DeadlineCancelled),
        Fact("TaskDone", 1, TaskDone),
        Fact("TaskDelegated", 1, TaskDelegated),
        Fact("ReminderDue", 1, ReminderDue, published=False),
        Fact("ReminderWithdrawn", 1, ReminderWithdrawn, published=False),
        Fact("ReminderRerouted", 1, ReminderRerouted, published=False),
        Fact("ReminderSent", 1, ReminderSent),
        Fact("ReminderFailed", 1, ReminderFailed),
        Fact("TimerElapsed", 2, TimerElapsed, upcasts={1: _none_counted}),
        Fact("ContactSet", 2, ContactSet, person="party_key", upcasts={1: _no_phone}),
    ],
)
