"""We heard something, so we ask ourselves: what does it settle, and what has to happen next?

The rules say both. One reaction serves every event: first whatever the event settles, then the deadlines it sets.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.decider import Refused
from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.plan import PLAN
from notification_service.checks import check
from notification_service.days import local_day
from notification_service.domain.agenda import agenda
from notification_service.domain.commands import SettleMatter
from notification_service.planning import applies, deadline, happened_at, matter
from notification_service.rules import Rulebook

HEARD = {d.name: d for d in PLAN}
"""Every event that a rule may speak of."""


class CaseMissing(Refused):
    reason = "The event does not say which case it belongs to, so no agenda can hold its deadlines."
    do = "The service that sent it must put the case id into the envelope."


class Rules:
    """All versions of the rules. An event is answered by the version in force on the day it happened."""

    def __init__(self, books: Sequence[Rulebook]) -> None:
        """Raises RuleError when a rule speaks of what does not exist, and ValueError when there is no rule file."""
        if not books:
            raise ValueError("No rule file was found.")
        self.books = sorted((check(b, HEARD) for b in books), key=lambda b: b.valid_from)
        self._settles = _settling(self.books)

    def in_force(self, moment: datetime) -> Rulebook:
        """The newest version valid on that day; the oldest for what happened before any was."""
        day = local_day(moment)
        return next((b for b in reversed(self.books) if b.valid_from <= day), self.books[0])

    def settles(self, event: str) -> Sequence[tuple[str, ...]]:
        """The fields by which this event can settle deadlines, under any version of the rules."""
        return self._settles.get(event, ())

    def speaks_of(self) -> frozenset[str]:
        """Every event that some rule sets, meets or cancels a deadline on."""
        return frozenset(self._settles) | {event for b in self.books for r in b.rules for event in r.on}

    def react(self, heard: Heard, now: datetime) -> Sequence[Ask]:
        """The commands that answer one event, in order. `now` plays no part: what happened has its own time."""
        book = self.in_force(heard.envelope.occurred_at)
        asks: list[tuple[str, object]] = []
        if keys := self.settles(heard.name):
            matters = tuple(dict.fromkeys(matter(heard.fact, k) for k in keys))
            asks.append(("settle", SettleMatter(event=heard.name, matters=matters, at=happened_at(book, heard))))
        asks += [(rule.id, deadline(book, rule, heard)) for rule in book.rules if applies(rule, heard)]
        if not asks:
            return []
        case_id = _case(heard)
        return [Ask(aggregate=agenda, id=case_id, command=c, rule=r, case_id=case_id) for r, c in asks]


def _settling(books: Sequence[Rulebook]) -> Mapping[str, Sequence[tuple[str, ...]]]:
    duties = [d for b in books for r in b.rules for d in (r.duty, *(s.duty for s in r.steps)) if d is not None]
    keys: dict[str, dict[tuple[str, ...], None]] = {}
    for ends in (e for d in duties for e in (*d.met_by, *d.cancelled_by) if e.same):
        keys.setdefault(ends.event, {})[ends.same] = None
    return {event: tuple(fields) for event, fields in keys.items()}


def _case(heard: Heard) -> UUID:
    case_id = heard.envelope.case_id or getattr(heard.fact, "case_id", None)
    if case_id is None:
        raise CaseMissing
    return case_id


def reactions(rules: Rules) -> dict[tuple[str, str], Reaction]:
    """What this service does about every event it listens to."""
    return {(PLAN.service, name): rules.react for name in sorted(rules.speaks_of())}
