"""Does a trace go on, sampled or not? And is a sampled one complete?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from tiny_stack import Tiny

from chassis.edge import Edge
from chassis.envelope import from_headers
from chassis.spans import Tracing
from chassis.telemetry import current_context, current_traceparent, remote, start_tracing

TRACE, SPAN = "a" * 32, "b" * 16


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`traced(ratio)` begins tracing in this process; gives a function that reads the spans written so far."""
    made: list[Tracing] = []
    monkeypatch.setattr(trace, "set_tracer_provider", lambda _: None)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made[-1])

    def begin(ratio: float) -> Any:
        made.append(start_tracing("plan", ratio, tmp_path / "spans"))
        return lambda: [json.loads(line) for line in (tmp_path / "spans").read_text().splitlines()]

    yield begin
    for provider in made:
        provider.shutdown()


async def seen_inside(traceparent: str | None = None) -> str | None:
    """Where a request finds itself in a trace."""
    found: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(current_traceparent())
        assert (current_context() is None) is (found[0] is None or found[0].endswith("-00"))

    headers = [] if traceparent is None else [(b"traceparent", traceparent.encode())]
    await Edge(app)({"type": "http", "method": "GET", "headers": headers}, nothing, nothing)
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
    sampled = {s[3:35] for s in seen if s is not None and s.endswith("-01")}
    assert {s["trace"] for s in spans()} == sampled
    assert 380 < len(sampled) < 620


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
