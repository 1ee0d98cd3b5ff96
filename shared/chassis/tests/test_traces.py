"""Does a trace go on, sampled or not? And is a sampled one complete?"""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from tiny_stack import Tiny, serve_tiny, tiny_settings

from chassis.edge import Edge
from chassis.envelope import SYSTEM, Envelope, from_headers, to_headers, traceparent
from chassis.sampling import AtMost
from chassis.servers import Nats
from chassis.servers.issuer import Issuer
from chassis.spans import MANY, Tracing
from chassis.telemetry import current_context, current_traceparent, remote, sampled, start_tracing, tracer
from chassis.testing_stack import Databases, Tokens, forget_streams

TRACE, SPAN = "a" * 32, "b" * 16


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`traced(ratio, ...)` begins tracing in this process; gives a function that reads the spans ended so far."""
    made: list[Tracing] = []
    monkeypatch.setattr(trace, "set_tracer_provider", lambda _: None)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made[-1])

    def begin(ratio: float, **more: Any) -> Any:
        made.append(start_tracing("plan", AtMost(ratio, **more), tmp_path / "spans"))
        return lambda: made[-1].force_flush() and written(tmp_path)

    yield begin
    for provider in made:
        provider.shutdown()


class Collector(HTTPServer):
    """Takes what is exported to it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        cast(Collector, self.server).got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "spans").read_text().splitlines()]


async def seen_inside(traceparent: str | None = None, path: str = "/counters") -> str | None:
    """Where a request finds itself in a trace."""
    found: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(current_traceparent())
        assert (current_context() is None) is (found[0] is None or found[0].endswith("-00"))

    headers = [] if traceparent is None else [(b"traceparent", traceparent.encode())]
    await Edge(app)({"type": "http", "method": "GET", "path": path, "headers": headers}, nothing, nothing)
    assert current_traceparent() is None, "a request leaves no trace behind for the next"
    return found[0]


async def nothing(*_: Any) -> Any:
    return {"type": "http.request", "body": b""}


async def test_a_trace_that_is_not_sampled_goes_on_under_its_id(traced: Any) -> None:
    spans = traced(1.0)
    seen = await seen_inside(f"00-{TRACE}-{SPAN}-00")
    assert seen is not None
    assert remote(seen) is not None
    assert seen.startswith(f"00-{TRACE}-")
    assert seen.endswith("-00")
    assert SPAN not in seen, "this step has an id of its own"
    assert spans() == []


async def test_a_trace_that_is_sampled_is_recorded_whatever_the_ratio(traced: Any) -> None:
    spans = traced(0.0)
    seen = await seen_inside(f"00-{TRACE}-{SPAN}-01")
    (span,) = spans()
    assert (span["trace"], span["parent"]) == (TRACE, SPAN)
    assert seen == f"00-{TRACE}-{span['span']}-01"


async def test_a_request_without_a_trace_begins_one(traced: Any) -> None:
    spans = traced(0.0)
    first, second = await seen_inside(), await seen_inside("nonsense")
    for seen in (first, second):
        assert remote(seen) is not None
    assert first is not None
    assert second is not None
    assert first[3:35] != second[3:35]
    assert spans() == []


async def test_as_many_traces_are_sampled_as_was_asked_for(traced: Any) -> None:
    spans = traced(0.25)
    seen = [await seen_inside() for _ in range(2000)]
    chosen = {s[3:35] for s in seen if s is not None and s.endswith("-01")}
    assert {s["trace"] for s in spans()} == chosen
    assert 380 < len(chosen) < 620


@pytest.mark.parametrize("told", [None, *(f"00-{TRACE}-{SPAN}-{flags}" for flags in ("00", "01", "02", "03"))])
@pytest.mark.parametrize("case_id", [None, uuid4()])
def test_a_stored_fact_says_whether_its_trace_is_sampled(told: str | None, case_id: UUID | None) -> None:
    stored = to_headers(
        Envelope(event_id=uuid4(), occurred_at=datetime.now(UTC), actor=SYSTEM, case_id=case_id, traceparent=told)
    )
    assert traceparent(stored) == told
    there = sampled(traceparent(stored))
    assert there == (remote(told) if told is not None and told[-1] in "13" else None)


async def test_no_more_new_traces_are_sampled_than_a_second_may_have(traced: Any) -> None:
    now = 100.0
    spans = traced(1.0, per_second=10, clock=lambda: now)
    assert [await taken() for _ in range(25)] == [True] * 11 + [False] * 14, "a second's worth at once, and one more"
    now += 0.25
    assert [await taken() for _ in range(5)] == [True, True, False, False, False]
    now += 0.05
    assert await taken(), "they come one after the other, not all at a second's beginning"
    now += 1000
    assert sum([await taken() for _ in range(100)]) == 11, "a long quiet time is no more than a second's"
    assert len(spans()) == 25


async def taken() -> bool:
    seen = await seen_inside()
    assert seen is not None, "one that is not sampled goes on under its id all the same"
    return seen.endswith("-01")


async def test_a_trace_that_a_caller_samples_is_recorded_however_many_there_are(traced: Any) -> None:
    spans = traced(1.0, per_second=1, clock=lambda: 0.0)
    for _ in range(50):
        await seen_inside(f"00-{TRACE}-{SPAN}-01")
    assert len(spans()) == 50
    assert await taken(), "and takes nothing from those that begin here"


async def test_what_begins_outside_a_request_counts_too(traced: Any) -> None:
    spans = traced(1.0, per_second=2, clock=lambda: 0.0)
    for _ in range(9):
        tracer().start_span("work").end()
    assert [s["name"] for s in spans()] == ["work"] * 3
    assert not await taken()


async def test_an_ended_span_stands_in_the_file_soon_and_many_at_once(traced: Any, tmp_path: Path) -> None:
    traced(1.0)
    for n in range(1, MANY):
        await seen_inside()
        assert written(tmp_path) == [], f"a write for each costs too much: {n}"
    await seen_inside()
    assert len(written(tmp_path)) == MANY
    await seen_inside()
    async with asyncio.timeout(20):
        while len(written(tmp_path)) == MANY:  # noqa: ASYNC110 - a file tells nobody that it grew
            await asyncio.sleep(0.005)
    assert len({s["span"] for s in written(tmp_path)}) == MANY + 1


async def test_a_process_that_stops_writes_down_what_still_waits(tmp_path: Path) -> None:
    tracing = Tracing("plan", AtMost(1.0), tmp_path / "spans")
    for _ in range(3):
        tracing.get_tracer("samordna").start_span("work").end()
    assert written(tmp_path) == []
    tracing.shutdown()
    assert len(written(tmp_path)) == 3


async def test_a_service_that_is_told_to_stop_hands_over_what_still_waits(
    database: Databases, nats_server: Nats, issuer: Issuer, token: Tokens, tmp_path: Path,
    collector: Collector, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    await forget_streams(nats_server)
    settings = await tiny_settings(tmp_path, database, nats_server, issuer, {})
    told = uuid4()
    async with serve_tiny(settings, tmp_path, token) as served, served.by("fk.handler") as client:
        path, caller = f"/v1/counters/{uuid4()}", f"00-{told.hex}-{SPAN}-01"
        assert (await client.get(path, headers={"traceparent": caller})).status_code == 404
        assert collector.got == []
        await served.process.stop()
    assert any(told.bytes in body for body in collector.got)
    assert told.hex in served.traces.read_text()


def test_spans_that_one_loop_left_behind_are_written_by_the_next(tmp_path: Path) -> None:
    tracing = Tracing("plan", AtMost(1.0), tmp_path / "spans")

    async def work(until: int) -> None:
        tracing.get_tracer("samordna").start_span("work").end()
        async with asyncio.timeout(20):
            while len(written(tmp_path)) < until:  # noqa: ASYNC110 - a file tells nobody that it grew
                await asyncio.sleep(0.005)

    asyncio.run(work(0))
    assert written(tmp_path) == []
    asyncio.run(work(2))
    tracing.shutdown()


async def test_a_full_disk_costs_the_spans_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    tracing = Tracing("plan", AtMost(1.0), Path("/dev/full"))
    for _ in range(3 * MANY):
        tracing.get_tracer("samordna").start_span("work").end()
    assert "".join(capsys.readouterr()).count("traces.not-written") == 1, "it is said once, not each time"
    assert not tracing.force_flush()
    tracing.shutdown()


async def test_no_trace_begins_where_probes_ask(traced: Any) -> None:
    spans = traced(1.0)
    assert await seen_inside(path="/health/ready") is None
    assert spans() == []
    assert await seen_inside(f"00-{TRACE}-{SPAN}-01", path="/health/live") is not None, "unless the caller has one"
    assert len(spans()) == 1


def test_without_a_loop_a_span_is_written_at_once(tmp_path: Path) -> None:
    tracing = Tracing("plan", AtMost(1.0), tmp_path / "spans")
    tracing.get_tracer("samordna").start_span("work").end()
    assert len(written(tmp_path)) == 1
    tracing.shutdown()


async def test_a_process_without_tracing_passes_on_what_it_was_told() -> None:
    if isinstance(trace.get_tracer_provider(), Tracing):
        pytest.skip("another test has begun to trace in this process")
    assert await seen_inside(f"00-{TRACE}-{SPAN}-01") == f"00-{TRACE}-{SPAN}-01"
    assert await seen_inside() is None


@pytest.mark.parametrize("sampled", ["00", "01"])
async def test_a_fact_carries_its_requests_trace_sampled_or_not(tiny: Tiny, traced: Any, sampled: str) -> None:
    spans = traced(0.5)
    handler = tiny.by("fk.handler")
    id, trace_id = uuid4(), uuid4().hex
    told = {"traceparent": f"00-{trace_id}-{SPAN}-{sampled}"}
    answer = await handler.put(f"/v1/counters/{id}", json={"personRef": str(uuid4())}, headers=told)
    assert answer.status_code == 201
    (stored,) = await tiny.runtime.log.stream(f"counter-{id}")
    envelope = from_headers(stored.envelope)
    assert envelope.correlation_id == UUID(trace_id)
    assert envelope.traceparent is not None
    assert envelope.traceparent[:36] == f"00-{trace_id}-"
    assert envelope.traceparent[-2:] == sampled
    ours = {s["name"] for s in spans() if s["trace"] == trace_id}
    assert ours >= {"PUT /counters/{counter_id}", "log.append"} if sampled == "01" else not ours
