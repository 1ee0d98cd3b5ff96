"""Did every promise hold? What the writers were told, the log, the stream, what was heard and what came of it.

Lost: promised, and not there. Doubled: there more than once. Reordered: after something that came later. Gaps: a place
that is empty, or holds what belongs to another place.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from tests.faults.ledger import Account
from tests.faults.services import command_id

from chassis.decider import record

T = TypeVar("T")


@record
class Told:
    """A fact in a service's log. `correlation` is the writer's command it came of, `causation` the heard fact that a
    reaction answered; a worker's facts have neither."""

    position: int
    stream: str
    version: int
    event_id: UUID
    correlation: UUID | None
    causation: UUID | None
    recorded_at: datetime


@record
class Written:
    """What a service holds: its writers' ledgers, its log, the commands it remembers, its stream.

    `commands` has the position and stream version at which each command was done; `stream` is in order of its places.
    `stale` are its read models that differ from a fold made anew; `set_aside` counts messages that were put aside."""

    service: str
    accounts: Sequence[Account]
    log: Sequence[Told]
    head: int
    commands: Mapping[UUID, tuple[int, int]]
    stream: Sequence[tuple[int, str]]
    stale: Sequence[str]
    set_aside: int


@record
class Mark:
    """What a hearer claimed at some time: everything recorded before `moment` stands at `position` or before."""

    moment: datetime
    position: int


@record
class Ask:
    """A command that a reaction must have asked for: its id and the stream it goes to."""

    command_id: UUID
    stream: str


@record
class Copied:
    """What `hearer` has heard of `source`, in order of its places, and what its reactions must have asked for."""

    hearer: str
    source: str
    heard: Sequence[tuple[int, str]]
    asks: Sequence[Ask]
    marks: Sequence[Mark]


@record
class Evidence:
    """All there is to be compared when a run has come to rest."""

    written: Mapping[str, Written]
    copied: Sequence[Copied]


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
    for w in e.written.values():
        _promises(w, found)
        _order_of_the_log(w, found)
        _copy(f"the stream of {w.service}", w.log, w.stream, found)
        found.add("gaps", len(w.stale), f"read models of {w.service} that differ from a fold of the logs: {w.stale}")
        found.add("lost", w.set_aside, f"messages that {w.service} could not react to")
    for c in e.copied:
        source, hearer = e.written[c.source], e.written[c.hearer]
        _copy(f"what {c.hearer} heard of {c.source}", source.log, c.heard, found)
        _reactions(c, source, hearer, found)
        _moments(c, source, found)
    return found


def _promises(w: Written, found: Found) -> None:
    """Everything acknowledged is in the log, where it was said to be; no command is there twice or by half."""
    came_of: defaultdict[UUID, list[Told]] = defaultdict(list)
    for told in w.log:
        if told.correlation is not None and told.causation is None:
            came_of[told.correlation].append(told)
    for account in w.accounts:
        for n, position in account.acknowledged.items():
            facts, expected = came_of.get(command_id(w.service, n)), account.asked[n]
            if not facts:
                found.add("lost", expected, f"{w.service}: command {n} was acknowledged and is not in the log")
            elif facts[-1].position != position:
                found.add("gaps", 1, f"{w.service}: command {n} was acknowledged at another position")
    for n, expected in {n: e for a in w.accounts for n, e in a.asked.items()}.items():
        facts = came_of.get(command_id(w.service, n), [])
        found.add("doubled", max(0, len(facts) - expected), f"{w.service}: command {n} is in the log more than once")
        half = max(0, expected - len(facts)) if facts else 0
        found.add("lost", half, f"{w.service}: command {n} is in the log by half")
        apart = any(b.position != a.position + 1 or b.stream != a.stream for a, b in pairwise(facts))
        found.add("reordered", apart, f"{w.service}: the facts of command {n} do not stand together")


def _order_of_the_log(w: Written, found: Found) -> None:
    positions = [t.position for t in w.log]
    places = set(range(1, w.head + 1)) ^ set(positions)
    found.add("gaps", len(places), f"positions of the log of {w.service} without a fact, or behind its head")
    back = sum(a.recorded_at > b.recorded_at for a, b in pairwise(w.log))
    found.add("reordered", back, f"recorded times that go back along the log of {w.service}")
    versions: Counter[str] = Counter()
    for t in w.log:
        versions[t.stream] += 1
        found.add("gaps", t.version != versions[t.stream], f"{w.service}: versions of {t.stream} that do not count up")


def _copy(where: str, log: Sequence[Told], copied: Sequence[tuple[int, str]], found: Found) -> None:
    """A copy must hold the log's ids, each at its own place (the log's first fact stands at place 1)."""
    index = {str(t.event_id): place for place, t in enumerate(log, 1)}
    found.add("lost", len(index.keys() - {i for _, i in copied}), f"in the log and not in {where}")
    found.add("doubled", _repeated(i for _, i in copied), f"more than once in {where}")
    found.add("reordered", _backwards([index.get(i, 0) for _, i in copied]), f"out of order in {where}")
    found.add("gaps", sum(index.get(i) != place for place, i in copied), f"at another place in {where}")


def _reactions(c: Copied, source: Written, hearer: Written, found: Found) -> None:
    """All that is asked because of what was heard was done once, and per stream in the order of what was told."""
    where = f"{c.hearer} because of {c.source}"
    undone = sum(a.command_id not in hearer.commands for a in c.asks)
    found.add("lost", undone, f"not done by {where}")
    ends = {(a.stream, hearer.commands[a.command_id][1]) for a in c.asks if a.command_id in hearer.commands}
    at = {t.event_id: t.position for t in source.log}
    answers: defaultdict[str, list[Told]] = defaultdict(list)
    for t in hearer.log:
        if t.causation in at:
            answers[t.stream].append(t)
    for stream, facts in answers.items():
        last_of_each = (a for a, b in pairwise([*facts, None]) if b is None or _ends(a, b))
        again = sum((stream, t.version) not in ends for t in last_of_each if t is not None)
        found.add("doubled", again, f"done again by {where}, or never asked for")
        found.add("reordered", _backwards([at[t.causation] for t in facts if t.causation]), f"{stream} of {where}")


def _ends(a: Told | None, b: Told) -> bool:
    """Is the one the last fact of what was done at once?"""
    return a is not None and (b.causation != a.causation or b.version != a.version + 1)


def _moments(c: Copied, source: Written, found: Found) -> None:
    """Nothing was recorded before a moment up to which a listener had claimed to know everything."""
    for mark in c.marks:
        late = sum(t.recorded_at < mark.moment for t in source.log[mark.position :])
        found.add("reordered", late, f"{c.source}: recorded before a moment that {c.hearer} called complete")


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
