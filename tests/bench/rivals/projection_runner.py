"""Rival: the same read model rebuilt with the `eventsourcing` library's ProjectionRunner.

Its log holds the same facts in the same order, its projection asks the same `keys` and `evolve` of the same view, and
it must end with equal rows. It works as the library has it: events come from its subscription one by one; each is
processed in a transaction that also records how far it came.

Kind to it: facts are decoded by our codec instead of the library's transcoder (which is slower), and rows are kept in
memory between events, so that each event costs one upsert and no SELECT.
"""

import time
from dataclasses import fields
from typing import Any

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from tests.bench.facts_in_log import RECORDED, placed
from tests.bench.loops import Outcome, settle
from tests.bench.rivals.eventsourcing_append import settings
from tests.bench.rows import digest
from tests.bench.stage import Stage

from chassis.codec import Codec
from chassis.view import Decoder
from contracts.plan import PLAN
from plan_service.views.employments import Employment, employments

COLUMNS = [f.name for f in fields(Employment)]
UPSERT = (
    f"insert into views.employments ({', '.join(COLUMNS)}) values ({', '.join(f'%({c})s' for c in COLUMNS)}) "
    f"on conflict (employment_id) do update set {', '.join(f'{c} = excluded.{c}' for c in COLUMNS)}"
)


class Recorded(DomainEvent):
    """A fact as the library stores it: name, schema version, open part and envelope."""

    name: str
    schema: int
    data: str
    envelope: str


class Plans(Application):
    pass


class Rows(PostgresTrackingRecorder):
    """The materialised view: the library's tracking and our table, written in one transaction."""

    def __init__(self, datastore: Any, **more: Any) -> None:
        super().__init__(datastore, **more)
        self.rows: dict[Any, Employment | None] = {}

    def write(self, changed: list[Employment], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            for row in changed:
                cursor.execute(UPSERT, row.__dict__, prepare=True)


class Employments(Projection[Rows]):
    name = "employments"

    def __init__(self, view: Rows) -> None:
        super().__init__(view)
        self._decode = Decoder({"plan": Codec(PLAN)})

    def process_event(self, domain_event: Recorded, tracking: Tracking) -> None:
        e = domain_event
        stream = f"employment-{e.originator_id}"
        heard = self._decode(
            "plan",
            (
                tracking.notification_id, stream, e.originator_version, e.name, e.schema, e.data.encode(),
                e.envelope.encode(), RECORDED,
            ),
        )  # fmt: skip
        changed = []
        for key in employments.keys(heard):
            row = employments.evolve(self.view.rows.get(key), heard, key)
            self.view.rows[key] = row
            changed.append(row)
        self.view.write(changed, tracking)


def measure(stage: Stage, facts: int) -> Outcome:
    import asyncio

    env = settings(stage.owner, 4)
    last = _fill(env, facts)
    with psycopg.connect(stage.owner, autocommit=True) as connection:
        connection.execute("set role plan_app")
        assert connection.execute("select count(*) from views.employments").fetchone() == (0,)
        connection.execute("grant all on views.employments to plan_owner")
    settle()
    before = time.perf_counter()
    with ProjectionRunner(application_class=Plans, projection_class=Employments, view_class=Rows, env=env) as runner:
        runner.wait(last, timeout=300)
        took = time.perf_counter() - before
    return {"per_second": facts / took, "facts": facts, "seconds": took, "rows": asyncio.run(digest(stage.app))}


def _fill(env: dict[str, str], facts: int) -> int:
    app = Plans(env=env)
    events = [
        Recorded(
            originator_id=p.employment_id, originator_version=p.version, timestamp=RECORDED, name=p.fact.name,
            schema=p.fact.schema_version, data=p.fact.data.decode(), envelope=p.fact.envelope.decode(),
        )
        for p in placed(facts)
    ]  # fmt: skip
    stored = [app.mapper.to_stored_event(event) for event in events]
    assert stored[0].topic == get_topic(Recorded)
    for start in range(0, len(stored), 500):
        app.recorder.insert_events(stored[start : start + 500])
    last = app.recorder.max_notification_id()
    app.close()
    assert last == facts, "the library's positions must be ours"
    return last
