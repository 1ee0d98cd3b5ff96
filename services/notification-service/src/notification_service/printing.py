"""What do the rules say, for somebody who reads no TOML? The rule file as a Markdown table."""

from contracts.notification import StepKind
from notification_service.rules import OCCURRED, Count, Due, Duty, Ends, Rule, Rulebook, RuleStep, Where

COLUMNS = ("row", "when", "what has to be done", "by whom, by when", "on the way", "until", "source")


def rule_table(book: Rulebook) -> str:
    """One line a rule, the tasks that rules set on the way, who is told when nothing happens, then what ends
    everything."""
    lines = [line for rule in book.rules for line in _lines(rule)]
    for e in book.escalations:
        levels = "; ".join(f"{v.after} days after the due day: {v.to}" for v in e.levels)
        told = f"{_days(e.missed_after)} after the due day: missed" + (f"; {levels}" if levels else "")
        lines.append([str(e.row), "a deadline is missed", f"`{e.id}`", "", told, "met or cancelled", e.source])
    for e in book.endings:
        ends = "every deadline of the case ends, and what waits to be sent is withdrawn; no other is set"
        lines.append([str(e.row), f"`{e.event}`", ends, "", "", f"`{e.undone_by}`", e.source])
    head = [list(COLUMNS), ["---"] * len(COLUMNS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (*head, *lines))


def _lines(rule: Rule) -> list[list[str]]:
    when = " or ".join(f"`{e}`" for e in rule.on) + (f", for each of its `{rule.each}`" if rule.each else "")
    when += "".join(f"; {_condition(w)}" for w in rule.where)
    if rule.tally is not None:
        each, same = (" and ".join(f"`{f}`" for f in fields) for fields in (rule.tally.each, rule.tally.same))
        when += f"; from the {rule.tally.at_least}th different {each} of one {same} on"
    first = [
        str(rule.row),
        when,
        f"**{rule.duty.kind}**: {rule.says}",
        _owner(rule.duty),
        "; ".join(_step(s, rule.row) for s in rule.steps),
        _until(rule.duty),
        rule.source,
    ]
    tasks = [_task(s, s.duty) for s in rule.steps if s.duty is not None]
    return [first, *tasks]


def _task(step: RuleStep, duty: Duty) -> list[str]:
    when = f"{_on(step.after_due)} and the deadline above is open"
    return [
        str(step.row),
        when,
        f"**{duty.kind}**: {step.says}",
        _owner(duty).replace("it happened", "it is set"),
        "",
        _until(duty),
        step.source,
    ]


def _owner(duty: Duty) -> str:
    unseen = "" if duty.owner_sees else ", who is not shown it"
    told = f"; then `{duty.escalation.id}`" if duty.escalation else "; passing it is no breach"
    return f"{duty.owner}{unseen}, {_due(duty.due)}{told}"


def _due(due: Due) -> str:
    anchor = "it happened" if due.anchor == OCCURRED else f"`{due.anchor}`"
    match due.count:
        case Count.SPELL_DAY:
            return f"spell day {due.number} counted from {anchor}"
        case Count.WORKING_DAYS:
            return f"{due.number} working days after {anchor}"
        case Count.DAYS:
            return f"{due.number} days after {anchor}" if due.number else f"on {anchor}"


def _condition(where: Where) -> str:
    if where.absent:
        return f"`{where.field}` not given"
    if where.other_than:
        return f"`{where.field}` other than `{where.other_than}`"
    if where.at_least is not None:
        return f"`{where.field}` at least {where.at_least}"
    return f"`{where.field}` {' or '.join(where.one_of)}"


def _step(step: RuleStep, of_rule: int) -> str:
    row = "" if step.row == of_rule else f" (row {step.row})"
    late = "" if step.until is None else f", not when announced later than {_on(step.until)}"
    match step.does:
        case StepKind.REMIND:
            ahead = ", before it when that is a holiday" if step.ahead else ""
            what = f"message `{step.code}` by {' and '.join(step.channels)}{ahead}"
        case StepKind.TASK:
            what = f"task {step.code}"
        case StepKind.TIMER:
            what = f"`TimerElapsed` {step.code}"
        case StepKind.ESCALATE | StepKind.MISS | StepKind.WAIT:
            what = f"escalated to {step.code}"
    return f"{_on(step.after_due)}: {what}{late}{row}"


def _on(after_due: int) -> str:
    if after_due == 0:
        return "on the due day"
    return f"{_days(abs(after_due))} {'after' if after_due > 0 else 'before'} the due day"


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def _until(duty: Duty) -> str:
    met, off = (", ".join(_ends(e) for e in ends) for ends in (duty.met_by, duty.cancelled_by))
    return "; ".join([*([f"met by {met}"] if met else []), *([f"cancelled by {off}"] if off else [])])


def _ends(ends: Ends) -> str:
    when = "".join(f", {_condition(w)}" for w in ends.where)
    return f"`{ends.event}`" + when + (" (also earlier)" if ends.earlier else "")
