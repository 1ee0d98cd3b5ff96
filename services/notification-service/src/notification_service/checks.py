"""Do the rules speak of events, fields and codes that exist? Asked when they are loaded, not when they are needed."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from chassis.facts import Declared, Field
from contracts.notification import StepKind
from notification_service.domain.answers import DONE_BY_HAND
from notification_service.reading import RuleError
from notification_service.rules import OCCURRED, PARTY, Count, Duty, Ends, Escalation, Rule, Rulebook, Where

PLACEHOLDER = re.compile(r"\{(\w+)\}")
Events = Mapping[str, Declared]


def check(book: Rulebook, events: Events) -> Rulebook:
    """The same rules, or RuleError naming the file, the rule and the field. `events` are all that can be heard."""
    for name, field in book.occurred.items():
        found = _field(f"{book.file}, occurred", "occurred", name, field, events)
        _must(found.type is datetime, f"{book.file}, occurred, field {name!r}: {field!r} is not a moment.")
    for escalation in book.escalations:
        _check_escalation(f"{book.file}: escalation {escalation.id!r}", escalation)
    for name, field in book.apart.items():
        found = _field(f"{book.file}, apart", "apart", name, field, events)
        _must(found.type is UUID, f"{book.file}, apart, field {name!r}: {field!r} is not an id.")
    for ending in book.endings:
        for name in (ending.event, ending.undone_by):
            _must(name in events, f"{book.file}, ending: no event called {name!r} is heard here.")
    for rule in book.rules:
        _check_rule(f"{book.file}: rule {rule.id!r}", rule, events)
        _check_place(f"{book.file}: rule {rule.id!r}", rule, book, events)
    return book


def _check_escalation(where: str, escalation: Escalation) -> None:
    after = [escalation.missed_after, *(level.after for level in escalation.levels)]
    _must(after[0] >= 1, f"{where}, field 'missed_after': nothing is missed before the day after it is due.")
    _must(after == sorted(set(after)), f"{where}, field 'levels': each level must come after the one before it.")


def _check_rule(where: str, rule: Rule, events: Events) -> None:
    for name in rule.on:
        _must(name in events, f"{where}, field 'on': no event called {name!r} is heard here.")
        told = Told(where, name, rule.each, events)
        told.check_each()
        _check_about(told, rule.about)
        _check_due(told, rule.duty)
        for condition in rule.where:
            _check_where(told, condition)
        if rule.tally is not None:
            for field in (*rule.tally.same, *rule.tally.each):
                told.field("tally", field)
        for step_where, duty in _duties(where, rule):
            at = Told(step_where, name, rule.each, events)
            _check_owner(at, duty)
            for ends in (*duty.met_by, *duty.cancelled_by):
                _check_ends(at, ends)
    kinds = [s.code for s in rule.steps if s.does is StepKind.TASK]
    _must(len(kinds) == len(set(kinds)), f"{where}, field 'step': two TASK steps have the same kind.")


def _check_place(where: str, rule: Rule, book: Rulebook, events: Events) -> None:
    """What carries no case is kept apart, and nothing that is kept in a case can end it or be ended by it."""
    duties = (rule.duty, *(s.duty for s in rule.steps if s.duty is not None))
    ending = (e.event for d in duties for e in (*d.met_by, *d.cancelled_by) if e.event != DONE_BY_HAND)
    named = (*rule.on, *ending)
    for name in named:
        apart = not events[name].fact.linked
        _must(apart == (name in book.apart), f"{where}: {name} carries {'no' if apart else 'a'} case; see 'apart'.")
    _must(len({name in book.apart for name in named}) == 1, f"{where}: some of its events carry a case, some none.")


def _duties(where: str, rule: Rule) -> Iterable[tuple[str, Duty]]:
    yield where, rule.duty
    for n, step in enumerate(rule.steps, 1):
        if step.duty is not None:
            yield f"{where}, step {n}", step.duty


class Told:
    """One event of a rule, and the item of it that the rule speaks of: which fields can be read?"""

    def __init__(self, where: str, event: str, each: str, events: Events) -> None:
        self.where, self.event, self.events = where, event, events
        self._each = each

    def check_each(self) -> None:
        if self._each:
            found = next((f for f in self.events[self.event].shape.fields if f.name == self._each), None)
            many = found is not None and found.many and found.nested is not None
            _must(many, f"{self.where}, field 'each': {self.event} has no list called {self._each!r}.")

    def field(self, of: str, name: str, *, optional: bool = False) -> Field:
        """The item's field, otherwise the event's. `optional`: it may be left open."""
        items = next((f for f in self.events[self.event].shape.fields if f.name == self._each), None)
        if items is not None and items.nested is not None and (f := _named(items.nested.fields, name)) is not None:
            return _readable(self.where, of, self.event, f, optional=optional)
        return _field(self.where, of, self.event, name, self.events, optional=optional)


def _check_about(told: Told, about: tuple[str, ...]) -> None:
    fields = [told.field("about", name) for name in about]
    _must(fields[0].type is UUID, f"{told.where}, field 'about': {about[0]!r} is not an id.")


def _check_due(told: Told, duty: Duty) -> None:
    due = duty.due
    if due.anchor != OCCURRED:
        found = told.field("due", due.anchor, optional=True)
        _must(
            found.type in (date, datetime), f"{told.where}, field 'due': {due.anchor!r} of {told.event} is not a day."
        )
    _must(due.number >= (1 if due.count is Count.SPELL_DAY else 0), f"{told.where}, field 'due': must not be negative.")


def _check_where(told: Told, condition: Where) -> None:
    where, name = told.where, condition.field
    found = told.field("where", name, optional=condition.absent or bool(condition.one_of))
    if condition.absent:
        _must(found.optional, f"{where}, field 'where': {name!r} of {told.event} is always there.")
    elif condition.other_than:
        other = told.field("where", condition.other_than)
        _must(other.type is found.type, f"{where}, field 'where': {name!r} is never what {other.name!r} is.")
    elif condition.at_least is not None:
        _must(found.type is int, f"{where}, field 'where': {name!r} of {told.event} is not a number.")
    elif issubclass(found.type, Enum):
        known = {str(member.value) for member in found.type}
        for code in condition.one_of:
            _must(code in known, f"{where}, field 'where': {name!r} can never be {code!r}.")
    else:
        _must(found.type is str, f"{where}, field 'where': {name!r} of {told.event} is not a code.")


def _check_owner(told: Told, duty: Duty) -> None:
    for name in PLACEHOLDER.findall(duty.owner_ref):
        told.field("owner_ref", name)
    if duty.owner == PARTY:
        whole = PLACEHOLDER.fullmatch(duty.owner_ref) is not None
        _must(whole, f"{told.where}, field 'owner_ref': must name the field that names the party, as '{{ref}}'.")
        return
    bare = PLACEHOLDER.sub("0", duty.owner_ref)
    _must(re.fullmatch(r"(employer|role):[a-z0-9._]+", bare) is not None,
          f"{told.where}, field 'owner_ref': must be employer:<number> or role:<role>.")  # fmt: skip


def _check_ends(told: Told, ends: Ends) -> None:
    where = told.where
    if ends.event == DONE_BY_HAND:
        for name in ends.same:
            told.field("met_by", name)
        _must(ends.where == (), f"{where}, field 'met_by': {DONE_BY_HAND} has no fields to ask about.")
        return
    _must(ends.event in told.events, f"{where}, field 'met_by': no event called {ends.event!r} is heard here.")
    _must(ends.same != (), f"{where}, field 'met_by': 'same' is missing for {ends.event}.")
    theirs = Told(where, ends.event, "", told.events)
    for name in ends.same:
        ours = told.field("met_by", name, optional=True)
        same = theirs.field("met_by", name, optional=True)
        _must(ours.type is same.type, f"{where}, field 'met_by': {name!r} is not the same thing in {ends.event}.")
    for condition in ends.where:
        _check_where(theirs, condition)


def _field(where: str, of: str, event: str, name: str, events: Events, *, optional: bool = False) -> Field:
    """The field of an event."""
    if event not in events:
        raise RuleError(f"{where}, field {of!r}: no event called {event!r} is heard here.")
    found = _named(events[event].shape.fields, name)
    if found is None:
        raise RuleError(f"{where}, field {of!r}: {event} has no field {name!r}.")
    return _readable(where, of, event, found, optional=optional)


def _named(fields: Iterable[Field], name: str) -> Field | None:
    return next((f for f in fields if f.name == name), None)


def _readable(where: str, of: str, event: str, found: Field, *, optional: bool) -> Field:
    """A sealed field cannot be used, because other services' sealed fields are never heard."""
    if found.sealed or found.nested is not None or found.many or (found.optional and not optional):
        raise RuleError(f"{where}, field {of!r}: {found.name!r} of {event} is not always there to be read.")
    return found


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuleError(otherwise)
