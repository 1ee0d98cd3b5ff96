"""A rule and an event: which deadline follows, with which concrete times?

Times are worked out once, when the deadline is set, in Swedish local days. What was announced late is not dated back: a
step that should have come before the event was recorded comes at once, or not at all when its rule says until when it
is worth doing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from chassis.days import local_day
from chassis.decider import record
from chassis.view import Heard
from contracts.notification import Condition, Step, StepKind, Task
from notification_service.checks import PLACEHOLDER
from notification_service.days import (
    at,
    day_of,
    days_after,
    end_of,
    sendable_from,
    sending_day_by,
    within_reach,
    working_days_after,
)
from notification_service.domain.agenda import DONE_BY_HAND
from notification_service.domain.commands import SetDeadline, Tally
from notification_service.rules import OCCURRED, PARTY, Count, Due, Duty, Ends, Rule, Rulebook, RuleStep
from notification_service.said import NAMES, awaited, holds, parts


@record
class Origin:
    """The event that a rule answers, or one part of it, and when it happened. `case_id` is None for what stands apart
    from every case."""

    book: Rulebook
    rule: Rule
    fact: Any
    happened: datetime
    recorded: datetime
    case_id: UUID | None


def happened_at(book: Rulebook, heard: Heard) -> datetime:
    """When the event happened, by its own word where it has one."""
    field = book.occurred.get(heard.name)
    return getattr(heard.fact, field) if field else heard.envelope.occurred_at


def applying(book: Rulebook, heard: Heard) -> Iterable[tuple[Rule, Any]]:
    """Every rule that this event sets a deadline by, with the part of the event it is about."""
    for rule in (r for r in book.rules if heard.name in r.on):
        for part in parts(rule, heard.fact):
            if holds(rule.where, part) and _anchor(rule.duty.due, part) is not None:
                yield rule, part


def deadline(book: Rulebook, rule: Rule, heard: Heard, part: Any, case_id: UUID | None) -> SetDeadline:
    """The command that sets this rule's deadline because of this event, or of this part of it."""
    origin = Origin(
        book=book,
        rule=rule,
        fact=part,
        happened=happened_at(book, heard),
        recorded=heard.envelope.occurred_at,
        case_id=case_id,
    )
    due = _due_day(rule.duty.due, origin)
    own = [s for s in rule.steps if _worth_doing(s, due, origin)]
    steps = [step for s in own for step in _steps(s, rule.duty, due, origin)]
    tasks = tuple(_task(s.duty, _time(s, due, origin), origin) for s in own if s.duty is not None)
    return SetDeadline(
        task=_made(rule.duty, due, _id(rule.id, origin), steps, origin),
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
    due = _counted(local_day(opens), duty.due)
    return _made(duty, due, _id(f"{origin.rule.id}/{duty.kind}", origin), [], origin)


def _made(duty: Duty, due: date, deadline_id: UUID, own: list[Step], origin: Origin) -> Task:
    steps = _numbered([*_escalation(duty, due, origin), *own])
    return Task(
        deadline_id=deadline_id,
        kind=duty.kind,
        about=getattr(origin.fact, origin.rule.about[0]),
        due_at=end_of(due),
        owner_role=_owner_role(duty, origin),
        owner_ref=_filled(duty.owner_ref, origin.fact),
        escalate_to=tuple(s.code for s in steps if s.does is StepKind.ESCALATE),
        owner_sees=duty.owner_sees,
        rule=origin.rule.id,
        steps=steps,
        met_by=tuple(_conditions(duty.met_by, deadline_id, origin.fact)),
        cancelled_by=(*_conditions(duty.cancelled_by, deadline_id, origin.fact), *_with_the_case(origin)),
    )


def _owner_role(duty: Duty, origin: Origin) -> str:
    """The role that answers for the owner. What a party is stands before the colon of its name."""
    if duty.owner != PARTY:
        return duty.owner
    kind = _filled(duty.owner_ref, origin.fact).partition(":")[0]
    return origin.book.parties.get(kind, PARTY)


# --- steps ---


def _worth_doing(step: RuleStep, due: date, origin: Origin) -> bool:
    if step.until is None:
        return True
    last = days_after(due, step.until)
    comes = _time(step, due, origin) if step.ahead else origin.recorded
    return max(local_day(comes), local_day(origin.recorded)) <= last


def _steps(step: RuleStep, duty: Duty, due: date, origin: Origin) -> list[Step]:
    time = _time(step, due, origin)
    if step.does is not StepKind.REMIND:
        return [Step(at=time, does=step.does, code=step.code)]
    to = _filled(duty.owner_ref, origin.fact)
    return [Step(at=time, does=step.does, code=step.code, channel=c, recipient_ref=to) for c in step.channels]


def _time(step: RuleStep, due: date, origin: Origin) -> datetime:
    day, book = days_after(due, step.after_due), origin.book
    if step.ahead:
        day = sending_day_by(day)
    if step.does is StepKind.REMIND:
        return sendable_from(max(at(day, book.sending.start), origin.recorded), book.sending)
    return max(at(day, book.work), origin.recorded)


def _escalation(duty: Duty, due: date, origin: Origin) -> list[Step]:
    """Being missed, and who is told next."""
    if duty.escalation is None:
        return []

    def morning(days: int) -> datetime:
        return max(at(days_after(due, days), origin.book.work), origin.recorded)

    missed = Step(at=morning(duty.escalation.missed_after), does=StepKind.MISS, code=duty.kind)
    levels = (Step(at=morning(v.after), does=StepKind.ESCALATE, code=v.to) for v in duty.escalation.levels)
    return [missed, *levels]


def _numbered(steps: list[Step]) -> tuple[Step, ...]:
    """In order of time, with the reminders and levels counted. Channels of one reminder have one number."""
    ordered = sorted(steps, key=lambda s: s.at)
    counts: dict[tuple[Any, ...], int] = {}
    numbered: list[Step] = []
    for s in ordered:
        kind = (s.does, s.code, s.channel) if s.does is StepKind.REMIND else (s.does,)
        counts[kind] = counts.get(kind, 0) + 1
        numbered.append(replace(s, attempt=counts[kind]))
    return tuple(numbered)


# --- days, names and conditions ---


def _anchor(due: Due, fact: Any) -> date | str | None:
    """The day or moment that days are counted from; None where the event leaves it open, and so nothing is due."""
    return OCCURRED if due.anchor == OCCURRED else getattr(fact, due.anchor)


def _due_day(due: Due, origin: Origin) -> date:
    anchor = origin.happened if due.anchor == OCCURRED else getattr(origin.fact, due.anchor)
    return _counted(day_of(anchor), due)


def _counted(start: date, due: Due) -> date:
    match due.count:
        case Count.DAYS:
            return days_after(start, due.number)
        case Count.WORKING_DAYS:
            return within_reach(working_days_after(start, due.number))
        case Count.SPELL_DAY:
            return days_after(start, due.number - 1)


def _id(rule: str, origin: Origin) -> UUID:
    about = (str(getattr(origin.fact, name)) for name in origin.rule.about)
    return uuid5(NAMES, "|".join((rule, *about)))


def _conditions(endings: Sequence[Ends], deadline_id: UUID, fact: Any) -> Iterable[Condition]:
    """One for each that can come: where the event says nothing in a field, nothing can be the same."""
    for e in endings:
        about = deadline_id if e.event == DONE_BY_HAND and not e.same else awaited(e, fact)
        if about is not None:
            yield Condition(event=e.event, matter=about, earlier=e.earlier)


def _with_the_case(origin: Origin) -> tuple[Condition, ...]:
    """Whatever is open in a case ends with it."""
    if origin.case_id is None:
        return ()
    return tuple(
        Condition(event=e.event, matter=origin.case_id, earlier=True, undone_by=e.undone_by)
        for e in origin.book.endings
    )


def _filled(template: str, fact: Any) -> str:
    return PLACEHOLDER.sub(lambda found: str(getattr(fact, found[1])), template)
