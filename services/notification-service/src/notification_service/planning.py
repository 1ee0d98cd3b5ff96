"""A rule and an event: which deadline follows, with which concrete times?

Times are worked out once, when the deadline is set, in Swedish local days. What was announced late is not dated back: a
step that should have come before the event was recorded comes at once, or not at all when its rule says until when it
is worth doing.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from chassis.decider import record
from chassis.view import Heard
from contracts.notification import Condition, Step, StepKind, Task
from notification_service.checks import PLACEHOLDER
from notification_service.days import at, end_of, local_day, sendable_from, working_days_after
from notification_service.domain.agenda import DONE_BY_HAND
from notification_service.domain.commands import SetDeadline
from notification_service.rules import OCCURRED, Count, Due, Duty, Ends, Rule, Rulebook, RuleStep, Where

NAMES = UUID("6a5d7c3e-0f4b-5d1c-9a53-2f6f8f1f7a10")
"""The namespace of deadline ids and of matters made from several fields. It never changes."""


@record
class Origin:
    """The event that a rule answers, and when it happened."""

    book: Rulebook
    rule: Rule
    fact: Any
    happened: datetime
    recorded: datetime
    case_id: UUID


def happened_at(book: Rulebook, heard: Heard) -> datetime:
    """When the event happened, by its own word where it has one."""
    field = book.occurred.get(heard.name)
    return getattr(heard.fact, field) if field else heard.envelope.occurred_at


def applies(rule: Rule, heard: Heard) -> bool:
    return heard.name in rule.on and all(_holds(w, heard.fact) for w in rule.where)


def matter(fact: Any, fields: tuple[str, ...]) -> UUID:
    """What an event concerns: the id in its one field, or a name made from several."""
    values = [getattr(fact, f) for f in fields]
    return values[0] if len(values) == 1 else uuid5(NAMES, "|".join(map(str, values)))


def deadline(book: Rulebook, rule: Rule, heard: Heard, case_id: UUID) -> SetDeadline:
    """The command that sets this rule's deadline in this case because of this event."""
    origin = Origin(
        book=book,
        rule=rule,
        fact=heard.fact,
        happened=happened_at(book, heard),
        recorded=heard.envelope.occurred_at,
        case_id=case_id,
    )
    due = _due_day(rule.duty.due, origin)
    own = [s for s in rule.steps if s.until is None or local_day(origin.recorded) <= due + timedelta(days=s.until)]
    steps = [step for s in own for step in _steps(s, rule.duty, due, origin)]
    tasks = tuple(_task(s.duty, _time(s, due, origin), origin) for s in own if s.duty is not None)
    return SetDeadline(
        task=_made(rule.duty, due, _id(rule.id, origin), steps, origin), tasks=tasks, rule_version=book.version
    )


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
        owner_role=duty.owner,
        owner_ref=_filled(duty.owner_ref, origin.fact),
        escalate_to=tuple(s.code for s in steps if s.does is StepKind.ESCALATE),
        owner_sees=duty.owner_sees,
        rule=origin.rule.id,
        steps=steps,
        met_by=tuple(_condition(e, deadline_id, origin.fact) for e in duty.met_by),
        cancelled_by=(*(_condition(e, deadline_id, origin.fact) for e in duty.cancelled_by), *_with_the_case(origin)),
    )


# --- steps ---


def _steps(step: RuleStep, duty: Duty, due: date, origin: Origin) -> list[Step]:
    time = _time(step, due, origin)
    if step.does is not StepKind.REMIND:
        return [Step(at=time, does=step.does, code=step.code)]
    to = _filled(duty.owner_ref, origin.fact)
    return [Step(at=time, does=step.does, code=step.code, channel=c, recipient_ref=to) for c in step.channels]


def _time(step: RuleStep, due: date, origin: Origin) -> datetime:
    day, book = due + timedelta(days=step.after_due), origin.book
    if step.does is StepKind.REMIND:
        return sendable_from(max(at(day, book.sending.start), origin.recorded), book.sending)
    return max(at(day, book.work), origin.recorded)


def _escalation(duty: Duty, due: date, origin: Origin) -> list[Step]:
    """Being missed, and who is told next."""
    if duty.escalation is None:
        return []

    def morning(days: int) -> datetime:
        return max(at(due + timedelta(days=days), origin.book.work), origin.recorded)

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


def _due_day(due: Due, origin: Origin) -> date:
    anchor = origin.happened if due.anchor == OCCURRED else getattr(origin.fact, due.anchor)
    return _counted(local_day(anchor) if isinstance(anchor, datetime) else anchor, due)


def _counted(start: date, due: Due) -> date:
    match due.count:
        case Count.DAYS:
            return start + timedelta(days=due.number)
        case Count.WORKING_DAYS:
            return working_days_after(start, due.number)
        case Count.SPELL_DAY:
            return start + timedelta(days=due.number - 1)


def _id(rule: str, origin: Origin) -> UUID:
    about = (str(getattr(origin.fact, name)) for name in origin.rule.about)
    return uuid5(NAMES, "|".join((rule, *about)))


def _condition(ends: Ends, deadline_id: UUID, fact: Any) -> Condition:
    about = deadline_id if ends.event == DONE_BY_HAND else matter(fact, ends.same)
    return Condition(event=ends.event, matter=about, earlier=ends.earlier)


def _with_the_case(origin: Origin) -> tuple[Condition, ...]:
    """Whatever is open in a case ends with it."""
    return tuple(
        Condition(event=e.event, matter=origin.case_id, earlier=True, undone_by=e.undone_by)
        for e in origin.book.endings
    )


def _filled(template: str, fact: Any) -> str:
    return PLACEHOLDER.sub(lambda found: str(getattr(fact, found[1])), template)


def _holds(condition: Where, fact: Any) -> bool:
    value = getattr(fact, condition.field)
    if condition.at_least is not None:
        return value >= condition.at_least
    return (value.value if isinstance(value, Enum) else value) in condition.one_of
