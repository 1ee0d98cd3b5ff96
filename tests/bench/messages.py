"""What goes over the bus? The relay's own published form of stored plans."""

from datetime import UTC, datetime
from typing import Any

from nats.aio.client import Client
from tests.bench.inputs import encoded_plans

from chassis.bus import Message
from chassis.relay import Relay
from contracts.plan import PLAN

STREAM = "PLAN"
SUBJECTS = ("plan.>",)


def published(count: int) -> list[Message]:
    """`count` messages as the relay makes them from rows of the log: subject, CloudEvents header lines, body."""
    no_log: Any = None  # only the published form is asked for
    relay = Relay("plan", PLAN, no_log, Client(), lambda: datetime.now(UTC))
    at = datetime(2025, 3, 2, 11, 0, tzinfo=UTC)
    facts = encoded_plans(min(count, 2000))
    made: list[Message] = []
    for n in range(count):
        f = facts[n % len(facts)]
        stream = f"employment-{f.event_id}"
        made.append(relay.message(n + 1, stream, 1, f.name, f.schema_version, f.data, f.envelope, at))
    return made
