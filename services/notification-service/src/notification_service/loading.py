"""How is a rule file read into records, or a clear word said about what is wrong in it?

`rules.py` says what the records are; `checks.py` whether they speak of events and fields that exist.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from contracts.notification import ReminderChannel, StepKind
from notification_service.days import SendingHours
from notification_service.reading import RuleError, Table
from notification_service.rules import (
    OCCURRED,
    PARTY,
    ROLES,
    Count,
    Due,
    Duty,
    Ending,
    Ends,
    Escalation,
    Level,
    Rule,
    Rulebook,
    RuleStep,
    Tally,
    Where,
)


def load(source: Traversable) -> Rulebook:
    """Read one rule file. Raises RuleError, which names the file, the rule and the field."""
    try:
        raw = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"{source.name}: cannot be read as TOML: {error}") from error
    table = Table(raw, source.name)
    escalations = tuple(_escalation(t) for t in table.tables("escalation", named="escalation"))
    known = {e.id: e for e in escalations}
    rules = tuple(_rule(t, known) for t in table.tables("rule", named="rule"))
    hours = table.table("hours")
    book = Rulebook(
        file=source.name,
        version=table.text("version", re.compile(r"\d{4}-\d{2}(\.\d+)?")),
        valid_from=table.day("valid_from"),
        work=hours.clock("work"),
        sending=SendingHours(start=hours.clock("messages"), end=hours.clock("sending_ends")),
        occurred=table.texts_by_name("occurred"),
        parties=table.texts_by_name("parties"),
        apart=table.texts_by_name("apart"),
        escalations=escalations,
        endings=tuple(_ending(t) for t in table.tables("ending")),
        rules=rules,
    )
    hours.nothing_else()
    table.nothing_else()
    return book


def shipped() -> list[Traversable]:
    """The rule files that come with this service."""
    folder = resources.files("notification_service") / "rules"
    return sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)


def _escalation(t: Table) -> Escalation:
    made = Escalation(
        id=t.text("id"),
        row=t.number("row"),
        source=t.text("source"),
        missed_after=t.number("missed_after"),
        levels=tuple(_level(level) for level in t.tables("levels")),
    )
    t.nothing_else()
    return made


def _ending(t: Table) -> Ending:
    made = Ending(row=t.number("row"), source=t.text("source"), event=t.text("event"), undone_by=t.text("undone_by"))
    t.nothing_else()
    return made


def _level(t: Table) -> Level:
    made = Level(after=t.number("after"), to=t.one_of("to", ROLES))
    t.nothing_else()
    return made


def _rule(t: Table, escalations: Mapping[str, Escalation]) -> Rule:
    row, source = t.number("row"), t.text("source")
    duty = _duty(t, escalations, anchored=True)
    made = Rule(
        id=t.text("id", re.compile(r"[a-z0-9-]{1,60}")),
        row=row,
        source=source,
        says=t.text("says"),
        on=t.texts("on"),
        each=t.text("each", default=""),
        where=tuple(_where(w) for w in t.tables("where")),
        tally=_tally(t.table("tally")) if "tally" in t else None,
        about=t.texts("about"),
        duty=duty,
        steps=tuple(_step(s, duty.due, row, source, escalations) for s in t.tables("step")),
    )
    t.nothing_else()
    return made


def _duty(t: Table, escalations: Mapping[str, Escalation], *, anchored: bool) -> Duty:
    owner = t.one_of("owner", ROLES | {PARTY})
    name = t.text("escalation", default="")
    if name and name not in escalations:
        raise t.wrong("escalation", f"no escalation is called {name!r}; there are: {', '.join(sorted(escalations))}")
    return Duty(
        kind=t.text("kind", re.compile(r"[A-Z0-9_]{1,60}")),
        due=_due(t.table("due"), anchored=anchored),
        owner=owner,
        owner_ref=t.text("owner_ref", default=f"role:{owner}"),
        owner_sees=t.flag("owner_sees", default=True),
        escalation=escalations.get(name),
        met_by=tuple(_ends(e) for e in t.tables("met_by")),
        cancelled_by=tuple(_ends(e) for e in t.tables("cancelled_by")),
    )


def _due(t: Table, *, anchored: bool) -> Due:
    given = [c for c in Count if c.value in t]
    if len(given) != 1:
        raise t.wrong("due", "needs exactly one of days, working_days or spell_day")
    anchor = t.text("from") if anchored else OCCURRED
    made = Due(anchor=anchor, count=given[0], number=t.number(given[0].value))
    t.nothing_else()
    return made


def _where(t: Table) -> Where:
    field = t.text("field")
    if sum(name in t for name in ("at_least", "one_of", "absent", "other_than")) != 1:
        raise t.wrong("where", "needs exactly one of at_least or one_of, absent or other_than")
    made = Where(
        field=field,
        at_least=t.number("at_least") if "at_least" in t else None,
        one_of=t.texts("one_of") if "one_of" in t else (),
        absent=t.flag("absent", default=False),
        other_than=t.text("other_than", default=""),
    )
    t.nothing_else()
    return made


def _tally(t: Table) -> Tally:
    made = Tally(same=t.texts("same"), each=t.texts("each"), at_least=t.number("at_least"))
    t.nothing_else()
    return made


def _ends(t: Table) -> Ends:
    made = Ends(
        event=t.text("event"),
        same=t.texts("same", default=()),
        earlier=t.flag("earlier", default=False),
        where=tuple(_where(w) for w in t.tables("where")),
    )
    t.nothing_else()
    return made


def _step(t: Table, due: Due, row: int, source: str, escalations: Mapping[str, Escalation]) -> RuleStep:
    does = StepKind(t.one_of("does", frozenset(StepKind) - {StepKind.MISS, StepKind.WAIT}))
    after_due = _offset(t, "after_due", "spell_day", due)
    until = _offset(t, "until_after_due", "until_spell_day", due)
    if after_due is None:
        raise t.wrong("after_due", "a step needs after_due, or spell_day when its rule has one")
    duty = _duty(t, escalations, anchored=False) if does is StepKind.TASK else None
    made = RuleStep(
        row=t.number("row", default=row),
        source=t.text("source", default=source),
        does=does,
        after_due=after_due,
        until=until,
        ahead=t.flag("ahead", default=False),
        code=duty.kind if duty else _code(t, does),
        channels=tuple(ReminderChannel(c) for c in _channels(t)) if does is StepKind.REMIND else (),
        duty=duty,
        says=t.text("says", default=""),
    )
    t.nothing_else()
    return made


def _offset(t: Table, plain: str, spell: str, due: Due) -> int | None:
    """Days after the due date, given as such or as a spell day."""
    if spell in t:
        if due.count is not Count.SPELL_DAY:
            raise t.wrong(spell, "only a rule that is due on a spell day can count spell days")
        return t.number(spell) - due.number
    return t.number(plain) if plain in t else None


def _code(t: Table, does: StepKind) -> str:
    match does:
        case StepKind.REMIND:
            return t.one_of("template", templates())
        case StepKind.ESCALATE:
            return t.one_of("to", ROLES)
        case StepKind.TIMER | StepKind.TASK | StepKind.MISS | StepKind.WAIT:
            return t.text("kind", re.compile(r"[A-Z0-9_]{1,60}"))


def _channels(t: Table) -> tuple[str, ...]:
    channels = t.texts("channels")
    for c in channels:
        if c not in frozenset[Any](ReminderChannel):
            raise t.wrong("channels", f"{c!r} is not a channel; there are: {', '.join(ReminderChannel)}")
    return channels


def templates() -> frozenset[str]:
    """The names of the message texts that come with this service."""
    folder = resources.files("notification_service") / "templates"
    return frozenset(f.name.removesuffix(".txt") for f in folder.iterdir() if f.name.endswith(".txt"))
