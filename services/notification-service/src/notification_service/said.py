"""What does an event say, item by item: does a condition hold, and which matters does it concern?"""

from collections.abc import Sequence
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from notification_service.rules import Ends, Rule, Where

NAMES = UUID("6a5d7c3e-0f4b-5d1c-9a53-2f6f8f1f7a10")
"""The namespace of deadline ids and of matters made from several fields. It never changes."""


class Part:
    """One item of an event, such as one participant of a meeting, with the event's own fields behind it."""

    def __init__(self, fact: Any, item: Any) -> None:
        self._fact, self._item = fact, item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._item if hasattr(self._item, name) else self._fact, name)


def parts(rule: Rule, fact: Any) -> Sequence[Any]:
    """The event itself, or one part for each of its items when the rule speaks of them."""
    return [Part(fact, item) for item in getattr(fact, rule.each)] if rule.each else [fact]


def holds(conditions: Sequence[Where], fact: Any) -> bool:
    return all(_holds(c, fact) for c in conditions)


def matter(fact: Any, same: Sequence[str], where: Sequence[Where] = ()) -> UUID | None:
    """What an event concerns: the id in its one field, or a name made from several and from the conditions that hold.

    None when a condition does not hold or a field says nothing: then it concerns nothing of this kind."""
    if not holds(where, fact):
        return None
    return named([getattr(fact, f) for f in same], where)


def awaited(ends: Ends, fact: Any) -> UUID | None:
    """The matter by which `ends` ends a deadline that this event sets; whether its conditions hold is seen then."""
    return named([getattr(fact, f) for f in ends.same], ends.where)


def named(values: Sequence[Any], where: Sequence[Where]) -> UUID | None:
    if any(v is None for v in values):
        return None
    if len(values) == 1 and isinstance(values[0], UUID) and not where:
        return values[0]
    return uuid5(NAMES, "|".join([*map(str, values), *map(_words, where)]))


def _holds(condition: Where, fact: Any) -> bool:
    value = getattr(fact, condition.field)
    if condition.absent:
        return value is None
    if condition.other_than:
        return value != getattr(fact, condition.other_than)
    if condition.at_least is not None:
        return value is not None and value >= condition.at_least
    return (value.value if isinstance(value, Enum) else value) in condition.one_of


def _words(condition: Where) -> str:
    """A condition in words that stay the same for ever: they are part of stored names."""
    if condition.at_least is not None:
        return f"{condition.field}>={condition.at_least}"
    if condition.absent:
        return f"{condition.field}=none"
    return f"{condition.field}={'/'.join(sorted(condition.one_of))}{condition.other_than}"
