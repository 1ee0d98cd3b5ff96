"""Do the rules speak of events, fields and codes that exist? Asked when they are loaded, not when they are needed."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from chassis.facts import Declared, Field
from contracts.notification import StepKind
from notification_service.domain.agenda import DONE_BY_HAND
from notification_service.reading import RuleError
from notification_service.rules import OCCURRED, Count, Duty, Ends, Escalation, Rule, Rulebook, Where

PLACEHOLDER = re.compile(r"\{(\w+)\}")
Events = Mapping[str, Declared]


def check(book: Rulebook, events: Events) -> Rulebook:
    """The same rules, or RuleError naming the file, the rule and the field. `events` are all that can be heard."""
    for name, field in book.occurred.items():
        found = _field(f"{book.file}, occurred", "occurred", name, field, events)
        _must(found.type is datetime, f"{book.file}, occurred, field {name!r}: {field!r} is not a moment.")
    for escalation in book.escalations:
        _check_escalation(f"{book.file}: escalation {escalation.id!r}", escalation)
    for ending in book.endings:
        for name in (ending.event, ending.undone_by):
            _must(name in events, f"{book.file}, ending: no event called {name!r} is heard here.")
    for rule in book.rules:
        _check_rule(f"{book.file}: rule {rule.id!r}", rule, events)
    return book


def _check_escalation(where: str, escalation: Escalation) -> None:
    after = [escalation.missed_after, *(level.after for level in escalation.levels)]
    _must(after[0] >= 1, f"{where}, field 'missed_after': nothing is missed before the day after it is due.")
    _must(after == sorted(set(after)), f"{where}, field 'levels': each level must come after the one before it.")


def _check_rule(where: str, rule: Rule, events: Events) -> None:
    for event in rule.on:
        _must(event in events, f"{where}, field 'on': no event called {event!r} is heard here.")
        _check_about(where, event, rule.about, events)
        _check_due(where, event, rule.duty, events)
        for condition in rule.where:
            _check_where(where, event, condition, events)
        for step_where, duty in _duties(where, rule):
            _check_owner(step_where, event, duty, events)
            for ends in (*duty.met_by, *duty.cancelled_by):
                _check_ends(step_where, event, ends, events)
    kinds = [s.code for s in rule.steps if s.does is StepKind.TASK]
    _must(len(kinds) == len(set(kinds)), f"{where}, field 'step': two TASK steps have the same kind.")


def _duties(where: str, rule: Rule) -> Iterable[tuple[str, Duty]]:
    yield where, rule.duty
    for n, step in enumerate(rule.steps, 1):
        if step.duty is not None:
            yield f"{where}, step {n}", step.duty


def _check_about(where: str, event: str, about: tuple[str, ...], events: Events) -> None:
    fields = [_field(where, "about", event, name, events) for name in about]
    _must(fields[0].type is UUID, f"{where}, field 'about': {about[0]!r} is not an id.")


def _check_due(where: str, event: str, duty: Duty, events: Events) -> None:
    due = duty.due
    if due.anchor != OCCURRED:
        found = _field(where, "due", event, due.anchor, events)
        _must(found.type in (date, datetime), f"{where}, field 'due': {due.anchor!r} of {event} is not a day.")
    _must(due.number >= (1 if due.count is Count.SPELL_DAY else 0), f"{where}, field 'due': must not be negative.")


def _check_where(where: str, event: str, condition: Where, events: Events) -> None:
    found = _field(where, "where", event, condition.field, events)
    if condition.at_least is not None:
        _must(found.type is int, f"{where}, field 'where': {condition.field!r} of {event} is not a number.")
    elif issubclass(found.type, Enum):
        known = {str(member.value) for member in found.type}
        for code in condition.one_of:
            _must(code in known, f"{where}, field 'where': {condition.field!r} can never be {code!r}.")
    else:
        _must(found.type is str, f"{where}, field 'where': {condition.field!r} of {event} is not a code.")


def _check_owner(where: str, event: str, duty: Duty, events: Events) -> None:
    for name in PLACEHOLDER.findall(duty.owner_ref):
        _field(where, "owner_ref", event, name, events)
    bare = PLACEHOLDER.sub("0", duty.owner_ref)
    _must(re.fullmatch(r"(employer|role):[a-z0-9._]+", bare) is not None,
          f"{where}, field 'owner_ref': must be employer:<number> or role:<role>.")  # fmt: skip


def _check_ends(where: str, event: str, ends: Ends, events: Events) -> None:
    if ends.event == DONE_BY_HAND:
        _must(ends.same == (), f"{where}, field 'met_by': {DONE_BY_HAND} is about the task itself and needs no 'same'.")
        return
    _must(ends.event in events, f"{where}, field 'met_by': no event called {ends.event!r} is heard here.")
    _must(ends.same != (), f"{where}, field 'met_by': 'same' is missing for {ends.event}.")
    for name in ends.same:
        ours = _field(where, "met_by", event, name, events)
        theirs = _field(where, "met_by", ends.event, name, events)
        _must(ours.type is theirs.type, f"{where}, field 'met_by': {name!r} is not the same thing in {ends.event}.")


def _field(where: str, of: str, event: str, name: str, events: Events) -> Field:
    """The field of an event; a sealed one cannot be used, because other services' sealed fields are never heard."""
    if event not in events:
        raise RuleError(f"{where}, field {of!r}: no event called {event!r} is heard here.")
    found = next((f for f in events[event].shape.fields if f.name == name), None)
    if found is None:
        raise RuleError(f"{where}, field {of!r}: {event} has no field {name!r}.")
    if found.sealed or found.nested is not None or found.many or found.optional:
        raise RuleError(f"{where}, field {of!r}: {name!r} of {event} is not always there to be read.")
    return found


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuleError(otherwise)
