"""Rival: appending with the `eventsourcing` library, default mode (the one that lets no follower miss an event).

One call of its recorder for each fact, each to a new aggregate, from 1, 8 or 32 threads: whichever is best on this
machine, found before the rounds. As many pooled connections as threads. The stored state is exactly the bytes that our
log stores for a fact (open part, sealed part, envelope).
"""

import uuid
from itertools import cycle
from urllib.parse import urlsplit

from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent
from tests.bench.inputs import encoded_plans
from tests.bench.loops import Outcome, closed_loop_threads, ready
from tests.bench.stage import Stage

THREADS = (1, 8, 32)


class Plans(Application):
    pass


def settings(database_url: str, connections: int) -> dict[str, str]:
    url = urlsplit(database_url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": url.path.lstrip("/"),
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
        "POSTGRES_POOL_SIZE": str(connections),
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_MAX_WAITING": "200",
    }


def tune(stage: Stage, seconds: float) -> dict[str, int]:
    """The thread count that appends most here."""
    rates = {threads: measure(stage, seconds, threads)["per_second"] for threads in THREADS}
    return {"threads": max(rates, key=lambda threads: rates[threads])}


def measure(stage: Stage, seconds: float, threads: int) -> Outcome:
    app = Plans(env=settings(stage.owner, threads))
    states = cycle([fact.data + (fact.sealed or b"") + fact.envelope for fact in encoded_plans(2000)])
    topic = "contracts.plan:PlanSubmitted"
    events = ready(lambda: StoredEvent(uuid.uuid4(), 1, topic, next(states)), 20_000)
    written = [0] * threads

    def once(thread: int) -> None:
        written[thread] += 1
        app.recorder.insert_events([next(events)])

    found = closed_loop_threads(threads, once, seconds=seconds)
    assert app.recorder.max_notification_id() >= sum(written)
    app.close()
    return found | {"threads": threads}
