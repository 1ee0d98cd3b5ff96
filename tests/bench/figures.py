"""Which figures does the bench produce, and how good must each be?

The one place where names and thresholds stand; docs/benchmarks.md is held against it by a test.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number in build/bench.json. A ratio (ours through rival's) has `at_least`, a time in ms has `at_most`."""

    name: str
    what: str
    rival: str
    at_least: float | None = None
    at_most: float | None = None
    goal: float | None = None

    def met(self, value: float) -> bool:
        if self.at_least is not None and value < self.at_least:
            return False
        return self.at_most is None or value <= self.at_most

    @property
    def threshold(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


FIGURES = (
    Figure(
        name="append_vs_eventsourcing",
        what="durable appends to new streams, gapless, 32 writers",
        rival="eventsourcing 9.5, default mode, its best thread count",
        at_least=20,
        goal=25,
    ),
    Figure(
        name="append_vs_raw_insert",
        what="the same",
        rival="one INSERT a fact with asyncpg, 32 connections, no order promised",
        at_least=1.5,
        goal=2,
    ),
    Figure(
        name="pipeline_vs_textbook",
        what="command to committed read model in the listening service, sustained",
        rival="ORM, outbox, SKIP LOCKED relay, js.publish, inbox for each message",
        at_least=25,
        goal=40,
    ),
    Figure(
        name="pipeline_p99_ms_at_1000",
        what="the same path at 1,000 commands a second: 99th percentile from command to committed read model, in ms",
        rival="none",
        at_most=15,
    ),
    Figure(
        name="publish_vs_nats_py",
        what="durable publishing of the log's facts as CloudEvents",
        rival="nats-py publish_async, same headers and bodies, its best window",
        at_least=12,
        goal=18,
    ),
    Figure(
        name="rebuild_vs_projection_runner",
        what="rebuild of plan-service's read model of employments from its log",
        rival="eventsourcing's ProjectionRunner, same facts, ends with equal rows",
        at_least=50,
        goal=100,
    ),
    Figure(
        name="http_vs_bare_fastapi",
        what="HTTP command with identity, validation, durable append and tracing",
        rival="a FastAPI echo with the same requests under the same load",
        at_least=0.25,
        goal=0.35,
    ),
    Figure(
        name="throughput_with_crypto_and_trace",
        what="commands a second in process with sealed fields encrypted and tracing on",
        rival="the same commands with neither",
        at_least=0.9,
    ),
)

BY_NAME = {figure.name: figure for figure in FIGURES}
