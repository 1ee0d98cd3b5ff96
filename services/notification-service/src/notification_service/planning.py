"""A rule and an event: which deadline follows, with which concrete times?

Times are worked out once, when the deadline is set, in Swedish local days. `origin.py` says from which day is counted,
`steps.py` what is done on the way.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from chassis.days import local_day
from chassis.view import Heard
from contracts.notification import Condition, Step, StepKind, Task
from notification_service.days import end_of
from notification_service.domain.answers import DONE_BY_HAND
from notification_service.domain.commands import SetDeadline, Tally
from notification_service.origin import Origin, anchor, counted, due_day, filled, happened_at
from notification_service.rules import PARTY, Duty, Ends, Rule, Rulebook
from notification_service.said import NAMES, awaited, holds, parts
from notification_service.steps import escalation_of, is_worth_doing, numbered, steps_of, time_of
from notification_service.versions import TOLD_BY


def applying(book: Rulebook, heard: Heard) -> Iterable[tuple[Rule, Any]]:
    """Every rule that this event sets a deadline by, with the part of the event it is about."""
    for rule in (r for r in book.rules if heard.name in r.on):
        for part in parts(rule, heard.fact):
            if holds(rule.where, part) and anchor(rule.duty.due, part) is not None:
                yield rule, part


def deadline(book: Rulebook, rule: Rule, heard: Heard, part: Any, case_id: UUID | None) -> SetDeadline:
    """The command that sets this rule's deadline because of this event, or of this part of it."""
    origin = Origin(
        book=book,
        rule=rule,
        fact=part,
        happened=happened_at(book, heard),
        recorded=heard.envelope.occurred_at,
        told_by=heard.source,
        case_id=case_id,
    )
    due = due_day(rule.duty.due, origin)
    own = [s for s in rule.steps if is_worth_doing(s, due, origin)]
    steps = [step for s in own for step in steps_of(s, rule.duty, due, origin)]
    tasks = tuple(_task(s.duty, time_of(s, due, origin), origin) for s in own if s.duty is not None)
    return SetDeadline(
        task=_made(rule.duty, due, _id(rule.id, origin), steps, origin, origin.happened),
        tasks=tasks,
        rule_version=book.version,
        tally=_tally(rule, part),
    )


def _tally(rule: Rule, part: Any) -> Tally | None:
    if rule.tally is None:
        return None

    def name(fields: Sequence[str]) -> UUID:
        return uuid5(NAMES, "|".join([rule.id, *(str(getattr(part, f)) for f in fields)]))

    return Tally(of=name(rule.tally.same), item=name(rule.tally.each), at_least=rule.tally.at_least)


def _task(duty: Duty, opens: datetime, origin: Origin) -> Task:
    """A deadline that a TASK step sets; its days are counted from the day on which it is set."""
    due = counted(local_day(opens), duty.due)
    return _made(duty, due, _id(f"{origin.rule.id}/{duty.kind}", origin), [], origin, opens)


def _made(duty: Duty, due: date, deadline_id: UUID, own: list[Step], origin: Origin, since: datetime) -> Task:
    """`since` is when it came up: when the event happened, or the time of the step that sets it."""
    steps = numbered([*escalation_of(duty, due, origin), *own])
    return Task(
        deadline_id=deadline_id,
        kind=duty.kind,
        about=getattr(origin.fact, origin.rule.about[0]),
        due_at=end_of(due),
        owner_role=_owner_role(duty, origin),
        owner_ref=filled(duty.owner_ref, origin.fact),
        escalate_to=tuple(s.code for s in steps if s.does is StepKind.ESCALATE),
        owner_sees=duty.owner_sees,
        rule=origin.rule.id,
        steps=steps,
        met_by=tuple(_conditions(duty.met_by, deadline_id, origin, since)),
        cancelled_by=(*_conditions(duty.cancelled_by, deadline_id, origin, since), *_with_the_case(origin, since)),
    )


def _owner_role(duty: Duty, origin: Origin) -> str:
    """The role that answers for the owner. What a party is stands before the colon of its name."""
    if duty.owner != PARTY:
        return duty.owner
    kind = filled(duty.owner_ref, origin.fact).partition(":")[0]
    return origin.book.parties.get(kind, PARTY)


def _id(rule: str, origin: Origin) -> UUID:
    about = (str(getattr(origin.fact, name)) for name in origin.rule.about)
    return uuid5(NAMES, "|".join((rule, *about)))


def _conditions(endings: Sequence[Ends], deadline_id: UUID, origin: Origin, since: datetime) -> Iterable[Condition]:
    """One for each that can come: where the event says nothing in a field, nothing can be the same."""
    for e in endings:
        about = deadline_id if e.event == DONE_BY_HAND and not e.same else awaited(e, origin.fact)
        if about is not None:
            from_then = None if e.earlier or _in_order(e.event, origin) else since
            yield Condition(event=e.event, matter=about, earlier=e.earlier, since=from_then)


def _in_order(event: str, origin: Origin) -> bool:
    """Is it heard in the order in which it came? So is what the same service tells, and what is done here."""
    return TOLD_BY.get(event, origin.told_by) == origin.told_by


def _with_the_case(origin: Origin, since: datetime) -> tuple[Condition, ...]:
    """Whatever is open in a case ends with it."""
    if origin.case_id is None:
        return ()
    return tuple(
        Condition(event=e.event, matter=origin.case_id, earlier=True, undone_by=e.undone_by, since=since)
        for e in origin.book.endings
    )
