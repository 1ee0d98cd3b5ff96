"""Did every promise hold? What the writers were told, the log, the stream, what was heard and what came of it.

Lost: promised, and not there. Doubled: there more than once. Reordered: after something that came later. Gaps: a place
that is empty, or holds what belongs to another place.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from tests.faults.ledger import Account
from tests.faults.services import linked, parts_of

from chassis.decider import record

T = TypeVar("T")


@record
class Told:
    """A fact in the teller's log."""

    position: int
    stream: str
    event_id: UUID
    name: str
    n: int
    part: int
    recorded_at: datetime


@record
class Noted:
    """The hearer's answer in its own log, in log order: about the fact at the teller's `position`."""

    stream: str
    position: int


@record
class Mark:
    """What the hearer claimed at some time: everything recorded before `moment` stands at `position` or before."""

    moment: datetime
    position: int


@record
class Evidence:
    """All there is to be compared when a run has come to rest. `heard` and `stream` are in order of their places."""

    accounts: Sequence[Account]
    log: Sequence[Told]
    head: int
    stream: Sequence[tuple[int, str]]
    heard: Sequence[tuple[int, str]]
    noted: Sequence[Noted]
    chains: dict[str, str]
    marks: Sequence[Mark]


@dataclass
class Found:
    """How many times each promise was broken, and in words what was seen first."""

    counts: Counter[str] = field(default_factory=lambda: Counter(lost=0, doubled=0, reordered=0, gaps=0))
    words: list[str] = field(default_factory=list[str])

    def add(self, what: str, how_many: int, where: str) -> None:
        self.counts[what] += how_many
        if how_many:
            self.words.append(f"{how_many} {what}: {where}")


def compare(e: Evidence) -> Found:
    """Hold everything against everything."""
    found = Found()
    _promises(e, found)
    _order_of_the_log(e, found)
    ids = [str(t.event_id) for t in e.log]
    _copy("the stream", ids, e.stream, found)
    _copy("what was heard", ids, e.heard, found)
    _effects(e, found)
    _read_model(e, found)
    _moments(e, found)
    return found


def _promises(e: Evidence, found: Found) -> None:
    """Everything acknowledged is in the log, where it was said to be; no command is there twice or by half."""
    written: defaultdict[int, list[Told]] = defaultdict(list)
    for told in e.log:
        written[told.n].append(told)
    for account in e.accounts:
        for n, position in account.acknowledged.items():
            if n not in written:
                found.add("lost", parts_of(n), f"command {n} was acknowledged and is not in the log")
            elif written[n][-1].position != position:
                found.add("gaps", 1, f"command {n} was acknowledged at another position")
    for n, facts in written.items():
        found.add("doubled", max(0, len(facts) - parts_of(n)), f"command {n} is in the log more than once")
        found.add("lost", max(0, parts_of(n) - len(facts)), f"command {n} is in the log by half")
        together = [t.part for t in facts] == list(range(len(facts))) and len({t.stream for t in facts}) == 1
        found.add("reordered", not together, f"the facts of command {n} do not stand together")


def _order_of_the_log(e: Evidence, found: Found) -> None:
    positions = [t.position for t in e.log]
    places = set(range(1, e.head + 1)) ^ set(positions)
    found.add("gaps", len(places), "positions of the log without a fact, or behind its head")
    back = sum(a.recorded_at > b.recorded_at for a, b in pairwise(e.log))
    found.add("reordered", back, "recorded times that go back along the log")


def _copy(where: str, ids: Sequence[str], copied: Sequence[tuple[int, str]], found: Found) -> None:
    """A copy must hold the log's ids, each at its own place (the log's first fact stands at place 1)."""
    index = {event_id: place for place, event_id in enumerate(ids, 1)}
    found.add("lost", len(index.keys() - {i for _, i in copied}), f"in the log and not in {where}")
    found.add("doubled", _repeated(i for _, i in copied), f"more than once in {where}")
    found.add("reordered", _backwards([index.get(i, 0) for _, i in copied]), f"out of order in {where}")
    found.add("gaps", sum(index.get(i) != place for place, i in copied), f"at another place in {where}")


def _effects(e: Evidence, found: Found) -> None:
    """Every fact that asks for a reaction had one, and per stream in the order of what was told."""
    asked = {t.position for t in e.log if t.name == "Rung"}
    answered = Counter(n.position for n in e.noted)
    found.add("lost", len(asked - answered.keys()), "facts without their reaction")
    found.add("doubled", _repeated(n.position for n in e.noted), "reactions that were done again")
    found.add("gaps", len(answered.keys() - asked), "reactions to what was never told")
    per_stream: defaultdict[str, list[int]] = defaultdict(list)
    for n in e.noted:
        per_stream[n.stream].append(n.position)
    for stream, positions in per_stream.items():
        found.add("reordered", _backwards(positions), f"reactions of {stream}")


def _read_model(e: Evidence, found: Found) -> None:
    """The hearer's read model is what folding the log in order gives."""
    right: dict[str, str] = defaultdict(str)
    for told in e.log:
        if told.name != "Kept":
            right[told.stream] = linked(right[told.stream], told.event_id)
    wrong = sum(right.get(s) != e.chains.get(s) for s in right.keys() | e.chains.keys())
    found.add("gaps", wrong, "rows of the read model that differ from a fold of the log")


def _moments(e: Evidence, found: Found) -> None:
    """Nothing was recorded before a moment up to which a listener had claimed to know everything."""
    for mark in e.marks:
        late = sum(t.recorded_at < mark.moment for t in e.log[mark.position :])
        found.add("reordered", late, f"recorded before a moment that was called complete at {mark.position}")


def _repeated(values: Iterable[T]) -> int:
    """How many values came again after their first time."""
    return sum(n - 1 for n in Counter(values).values())


def _backwards(places: Sequence[int]) -> int:
    """How many stand behind something that should come after them (equals are not out of order)."""
    highest = out = 0
    for place in places:
        out += place < highest
        highest = max(highest, place)
    return out
