"""Which steps does a deadline take, and at which concrete times?

What was announced late is not dated back: a step that should have come before the event was recorded comes at once, or
not at all when its rule says until when it is worth doing.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chassis.days import local_day
from contracts.notification import Step, StepKind
from notification_service.days import at, sendable_from, sending_day_by
from notification_service.origin import Origin, filled
from notification_service.rules import Duty, RuleStep


def is_worth_doing(step: RuleStep, due: date, origin: Origin) -> bool:
    if step.until is None:
        return True
    last = due + timedelta(days=step.until)
    comes = time_of(step, due, origin) if step.ahead else origin.recorded
    return max(local_day(comes), local_day(origin.recorded)) <= last


def steps_of(step: RuleStep, duty: Duty, due: date, origin: Origin) -> list[Step]:
    time = time_of(step, due, origin)
    if step.does is not StepKind.REMIND:
        return [Step(at=time, does=step.does, code=step.code)]
    to = filled(duty.owner_ref, origin.fact)
    return [Step(at=time, does=step.does, code=step.code, channel=c, recipient_ref=to) for c in step.channels]


def time_of(step: RuleStep, due: date, origin: Origin) -> datetime:
    day, book = due + timedelta(days=step.after_due), origin.book
    if step.ahead:
        day = sending_day_by(day)
    if step.does is StepKind.REMIND:
        return sendable_from(max(at(day, book.sending.start), origin.recorded), book.sending)
    return max(at(day, book.work), origin.recorded)


def escalation_of(duty: Duty, due: date, origin: Origin) -> list[Step]:
    """Being missed, and who is told next."""
    if duty.escalation is None:
        return []

    def morning(days: int) -> datetime:
        return max(at(due + timedelta(days=days), origin.book.work), origin.recorded)

    missed = Step(at=morning(duty.escalation.missed_after), does=StepKind.MISS, code=duty.kind)
    levels = (Step(at=morning(v.after), does=StepKind.ESCALATE, code=v.to) for v in duty.escalation.levels)
    return [missed, *levels]


def numbered(steps: list[Step]) -> tuple[Step, ...]:
    """In order of time, with the reminders and levels counted. Channels of one reminder have one number."""
    ordered = sorted(steps, key=lambda s: s.at)
    counts: dict[tuple[Any, ...], int] = {}
    made: list[Step] = []
    for s in ordered:
        kind = (s.does, s.code, s.channel) if s.does is StepKind.REMIND else (s.does,)
        counts[kind] = counts.get(kind, 0) + 1
        made.append(replace(s, attempt=counts[kind]))
    return tuple(made)
