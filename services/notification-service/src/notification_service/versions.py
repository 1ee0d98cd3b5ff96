"""Which version of the rules is in force, and by which fields can an event settle what was set under any of them?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from chassis.days import local_day
from contracts.case import CASE
from contracts.meeting import MEETING
from contracts.plan import PLAN
from notification_service.checks import check
from notification_service.domain.answers import DONE_BY_HAND
from notification_service.rules import Rulebook, Where

SOURCES = (CASE, PLAN, MEETING)
"""The services whose events are answered by rules."""

Key = tuple[tuple[str, ...], tuple[Where, ...]]
"""The fields that an event and a deadline have in common, and what must hold for the event to count."""

HEARD = {d.name: d for facts in SOURCES for d in facts if d.fact.published}
"""Every event that a rule may speak of."""

TOLD_BY = {d.name: facts.service for facts in SOURCES for d in facts if d.fact.published}
"""Which service tells an event."""

assert len(HEARD) == sum(d.fact.published for facts in SOURCES for d in facts), "two services call an event the same"


class Rules:
    """All versions of the rules. An event is answered by the version in force on the day it happened."""

    def __init__(self, books: Sequence[Rulebook]) -> None:
        """Raises RuleError when a rule speaks of what does not exist, and ValueError when there is no rule file."""
        if not books:
            raise ValueError("No rule file was found.")
        self.books = sorted((check(b, HEARD) for b in books), key=lambda b: b.valid_from)
        self._settles = _settling(self.books)
        self._endings = frozenset(name for b in self.books for e in b.endings for name in (e.event, e.undone_by))

    def in_force(self, moment: datetime) -> Rulebook:
        """The newest version valid on that day; the oldest for what happened before any was."""
        day = local_day(moment)
        return next((b for b in reversed(self.books) if b.valid_from <= day), self.books[0])

    def settles(self, event: str) -> Sequence[Key]:
        """By what this event can settle deadlines, under any version of the rules."""
        return self._settles.get(event, ())

    def ends_or_begins_a_case(self, event: str) -> bool:
        """Does this event end all that is open in its case, or undo such an end, under any version of the rules?"""
        return event in self._endings

    def speaks_of(self) -> frozenset[str]:
        """Every event that some rule sets, meets or cancels a deadline on."""
        told = frozenset(self._settles) - {DONE_BY_HAND}
        return self._endings | told | {event for b in self.books for r in b.rules for event in r.on}


def _settling(books: Sequence[Rulebook]) -> Mapping[str, Sequence[Key]]:
    duties = [d for b in books for r in b.rules for d in (r.duty, *(s.duty for s in r.steps)) if d is not None]
    keys: dict[str, dict[Key, None]] = {}
    for ends in (e for d in duties for e in (*d.met_by, *d.cancelled_by) if e.same):
        keys.setdefault(ends.event, {})[ends.same, ends.where] = None
    return {event: tuple(fields) for event, fields in keys.items()}
