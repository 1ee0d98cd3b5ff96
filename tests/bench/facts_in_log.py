"""How do the same facts get into both logs before a rebuild? Encoded by the product's codec, in one order."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tests.bench.inputs import HR, NOON, histories, uuid_of

from chassis.codec import Codec
from chassis.envelope import Envelope, to_headers
from chassis.log import NewFact
from contracts.plan import PLAN

RECORDED = datetime(2025, 3, 2, 11, 0, tzinfo=UTC)
"""The same for every fact, so that rows which show it are equal on both sides."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A fact with its stream and the version it has there."""

    employment_id: UUID
    version: int
    fact: NewFact

    @property
    def stream(self) -> str:
        return f"employment-{self.employment_id}"


def placed(count: int) -> list[Placed]:
    """`count` facts of many employments, interleaved: registered, requested, submitted, assessed."""
    codec, dice = Codec(PLAN), random.Random(6)
    versions: dict[UUID, int] = {}
    made: list[Placed] = []
    for fact in histories(count):
        employment_id = fact.employment_id
        versions[employment_id] = versions.get(employment_id, 0) + 1
        event_id, done = uuid_of(dice), codec.encode(fact)
        envelope = Envelope(event_id=event_id, occurred_at=NOON, actor=HR, correlation_id=uuid_of(dice))
        new = NewFact(event_id, done.name, done.version, done.open, done.sealed, to_headers(envelope), done.subject)
        made.append(Placed(employment_id, versions[employment_id], new))
    return made
