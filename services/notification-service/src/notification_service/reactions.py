"""We heard something, so we ask ourselves: what does it settle, and what has to happen next?

The rules say both. One reaction serves every event: first whatever the event settles, then the deadlines it sets.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.decider import Refused
from chassis.react import Ask, Reaction
from chassis.view import Heard
from notification_service.domain.agenda import agenda
from notification_service.domain.commands import SettleMatter
from notification_service.planning import applies, deadline, happened_at, matter
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
    asks: list[tuple[str, object]] = []
    matters = tuple(dict.fromkeys(matter(heard.fact, k) for k in rules.settles(heard.name)))
    if rules.ends_or_begins_a_case(heard.name):
        matters = (*matters, _case(heard))
    if matters:
        asks.append(("settle", SettleMatter(event=heard.name, matters=matters, at=happened_at(book, heard))))
    applying = [rule for rule in book.rules if applies(rule, heard)]
    if not asks and not applying:
        return []
    case_id = _case(heard)
    asks += [(rule.id, deadline(book, rule, heard, case_id)) for rule in applying]
    return [Ask(aggregate=agenda, id=case_id, command=c, rule=r, case_id=case_id) for r, c in asks]


def _case(heard: Heard) -> UUID:
    case_id = heard.envelope.case_id or getattr(heard.fact, "case_id", None)
    if case_id is None:
        raise CaseMissing
    return case_id
