"""We heard something, so we ask ourselves: what does it settle, and what has to happen next?

The rules say both. One reaction serves every event: first whatever the event settles, then the deadlines it sets.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.decider import Refused
from chassis.react import Ask, Reaction
from chassis.view import Heard
from notification_service.domain.agenda import agenda_for
from notification_service.domain.commands import SettleMatter
from notification_service.origin import happened_at
from notification_service.planning import applying, deadline
from notification_service.said import matter
from notification_service.versions import TOLD_BY, Rules


class CaseMissing(Refused):
    reason = "The event does not say which case it belongs to, so no agenda can hold its deadlines."
    do = "The service that sent it must put the case id into the envelope."


def reactions(rules: Rules) -> dict[tuple[str, str], Reaction]:
    """What this service does about every event that some rule speaks of."""

    def react(heard: Heard, now: datetime) -> Sequence[Ask]:
        return answer(rules, heard)  # `now` plays no part: what happened has its own time

    return {(TOLD_BY[name], name): react for name in sorted(rules.speaks_of())}


def answer(rules: Rules, heard: Heard) -> Sequence[Ask]:
    """The commands that answer one event, in order. Raises CaseMissing when there are some and no case to put them."""
    book = rules.in_force(heard.envelope.occurred_at)
    settled = [matter(heard.fact, same, where) for same, where in rules.settles(heard.name)]
    matters = tuple(dict.fromkeys(m for m in settled if m is not None))
    if rules.ends_or_begins_a_case(heard.name):
        matters = (*matters, _case(heard))
    rules_and_parts = list(applying(book, heard))
    if not matters and not rules_and_parts:
        return []
    apart = book.apart.get(heard.name)
    case_id = None if apart else _case(heard)
    asks: list[tuple[str, str, object]] = []
    if matters:
        asks.append(("settle", "", SettleMatter(event=heard.name, matters=matters, at=happened_at(book, heard))))
    for rule, part in rules_and_parts:
        command = deadline(book, rule, heard, part, case_id)
        asks.append((rule.id, str(command.task.deadline_id) if rule.each else "", command))
    keeper = agenda_for(case_id)
    id = getattr(heard.fact, apart) if apart else case_id
    return [
        Ask(aggregate=keeper, id=id, command=c, rule=f"{r}:{which}" if which else r, case_id=case_id)
        for r, which, c in asks
    ]


def _case(heard: Heard) -> UUID:
    case_id = heard.envelope.case_id or getattr(heard.fact, "case_id", None)
    if case_id is None:
        raise CaseMissing
    return case_id
