"""What is written down of a trace, and how is it found out whether a trace is written down at all?

Most are not, so that comes first and costs a draw of the dice. What is written down is held in less than the SDK's own
spans, which any thread may change at any time: ours are begun and ended in one place.
"""

import os
import random
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SCOPE = InstrumentationScope("samordna")
UNSET, FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


class ToFile(SpanProcessor):
    """Spans as JSON lines in a file, each as it ends: for the local stack, where no collector runs."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled and not self._file.closed:
            self._file.write(msgspec.json.encode(_plain(span, context)) + b"\n")

    def shutdown(self) -> None:
        self._file.close()


def _plain(span: ReadableSpan, context: SpanContext) -> dict[str, Any]:
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "service": span.resource.attributes.get("service.name"),
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes or {}),
        "status": span.status.description,
        "events": [{"name": e.name, "attributes": dict(e.attributes or {})} for e in span.events],
    }


class Tracing(TracerProvider):
    """The process's tracing: `ratio` of new traces is sampled, and a caller's decision is followed."""

    def __init__(self, service: str, ratio: float, file: Path | None) -> None:
        super().__init__(
            resource=Resource.create({"service.name": f"{service}-service"}), sampler=ParentBasedTraceIdRatio(ratio)
        )
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)
        self._written: list[SpanProcessor] = []
        if file is not None:
            self.add_span_processor(ToFile(file))
        if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self._written.append(span_processor)
        super().add_span_processor(span_processor)

    def begin(self, name: str, parent: SpanContext | None) -> "Recording | str":
        """A request's step in its trace: recorded when the trace is sampled, else only the W3C form of where it is."""
        if parent is None:
            trace_id = random.getrandbits(128) or 1
            sampled = trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound
        else:
            trace_id, sampled = parent.trace_id, parent.trace_flags.sampled
        if not sampled:
            return f"00-{trace_id:032x}-{random.getrandbits(64) or 1:016x}-00"
        return Recording(self, name, trace_id, parent, SpanKind.SERVER, {})

    def shared(self, name: str, sampled: Iterable[SpanContext], attributes: Mapping[str, Any]) -> "Recording":
        """A step taken for several at once: child of the first, linked to the others."""
        first, *others = sampled
        links = [Link(c) for c in others]
        return Recording(self, name, first.trace_id, first, SpanKind.INTERNAL, dict(attributes), links)

    def ended(self, span: ReadableSpan) -> None:
        for processor in self._written:
            processor.on_end(span)


class Recording:
    """A step of a sampled trace, from now until `end`."""

    def __init__(
        self, tracing: Tracing, name: str, trace_id: int, parent: SpanContext | None, kind: SpanKind,
        attributes: dict[str, Any], links: Iterable[Link] = (),
    ) -> None:  # fmt: skip
        self._tracing, self._parent, self._kind, self._links = tracing, parent, kind, tuple(links)
        self.name, self.attributes, self.failed = name, attributes, False
        state = None if parent is None else parent.trace_state
        self.context = SpanContext(trace_id, random.getrandbits(64) or 1, False, SAMPLED, state)
        self._began = time.time_ns()

    def end(self) -> None:
        self._tracing.ended(
            ReadableSpan(
                self.name, self.context, self._parent, self._tracing.resource, self.attributes, links=self._links,
                kind=self._kind, status=FAILED if self.failed else UNSET, start_time=self._began,
                end_time=time.time_ns(), instrumentation_scope=SCOPE,
            )
        )  # fmt: skip
