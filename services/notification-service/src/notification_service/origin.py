"""Which event does a rule answer, and from which day does it count?"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis.decider import record
from chassis.view import Heard
from notification_service.checks import PLACEHOLDER
from notification_service.days import day_of, days_after, reachable, working_days_after
from notification_service.rules import OCCURRED, Count, Due, Rule, Rulebook


@record
class Origin:
    """The event that a rule answers, or one part of it, and when it happened. `case_id` is None for what stands apart
    from every case."""

    book: Rulebook
    rule: Rule
    fact: Any
    happened: datetime
    recorded: datetime
    told_by: str
    case_id: UUID | None


def happened_at(book: Rulebook, heard: Heard) -> datetime:
    """When the event happened, by its own word where it has one."""
    field = book.occurred.get(heard.name)
    return getattr(heard.fact, field) if field else heard.envelope.occurred_at


def anchor(due: Due, fact: Any) -> date | str | None:
    """The day or moment that days are counted from; None where the event leaves it open, and so nothing is due."""
    return OCCURRED if due.anchor == OCCURRED else getattr(fact, due.anchor)


def due_day(due: Due, origin: Origin) -> date:
    start = origin.happened if due.anchor == OCCURRED else getattr(origin.fact, due.anchor)
    return counted(day_of(start), due)


def counted(start: date, due: Due) -> date:
    match due.count:
        case Count.DAYS:
            return days_after(start, due.number)
        case Count.WORKING_DAYS:
            return reachable(working_days_after(start, due.number))
        case Count.SPELL_DAY:
            return days_after(start, due.number - 1)


def filled(template: str, fact: Any) -> str:
    return PLACEHOLDER.sub(lambda found: str(getattr(fact, found[1])), template)
