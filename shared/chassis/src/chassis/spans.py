"""What is written down of a trace, and how is it found out whether a trace is written down at all?

Most are not, so that comes first and costs a draw of the dice. What is written down is held in less than the SDK's own
spans, which any thread may change at any time: ours are begun and ended in one place.
"""

import os
import random
import time
from collections.abc import Iterable, Mapping, Sequence
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
        if context is not None and context.trace_flags.sampled:
            self.write(_plain(span, context))

    def write(self, told: dict[str, Any]) -> None:
        if not self._file.closed:
            self._file.write(msgspec.json.encode(told) + b"\n")

    def shutdown(self) -> None:
        self._file.close()


def _plain(span: ReadableSpan, context: SpanContext) -> dict[str, Any]:
    return _told(
        context, span.parent, span.name, span.resource.attributes.get("service.name"), span.start_time, span.end_time,
        dict(span.attributes or {}), span.status.description,
        [{"name": e.name, "attributes": dict(e.attributes or {})} for e in span.events],
    )  # fmt: skip


def _told(
    context: SpanContext, parent: SpanContext | None, name: str, service: Any, start: int | None, end: int | None,
    attributes: dict[str, Any], status: str | None = None, events: Sequence[Any] = (),
) -> dict[str, Any]:  # fmt: skip
    """A span as a line of the file."""
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        "parent": f"{parent.span_id:016x}" if parent else None,
        "name": name,
        "service": service,
        "start": start,
        "end": end,
        "attributes": attributes,
        "status": status,
        "events": events,
    }


class Tracing(TracerProvider):
    """The process's tracing: `ratio` of new traces is sampled, and a caller's decision is followed."""

    def __init__(self, service: str, ratio: float, file: Path | None) -> None:
        super().__init__(
            resource=Resource.create({"service.name": f"{service}-service"}), sampler=ParentBasedTraceIdRatio(ratio)
        )
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)
        self.service = self.resource.attributes["service.name"]
        self._file = None if file is None else ToFile(file)
        self._others: list[SpanProcessor] = []
        if self._file is not None:
            super().add_span_processor(self._file)
        if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self._others.append(span_processor)
        super().add_span_processor(span_processor)

    def begin(self, name: str, parent: SpanContext | None) -> "Recording | str":
        """A request's step in its trace: recorded when the trace is sampled, else only the W3C form of where it is."""
        if parent is None:
            ids = random.randbytes(24).hex()
            trace_id = int(ids[:32], 16)
            if trace_id & TraceIdRatioBased.TRACE_ID_LIMIT >= self._bound:
                return f"00-{ids[:32]}-{ids[32:]}-00"
        elif not parent.trace_flags.sampled:
            return f"00-{parent.trace_id:032x}-{random.getrandbits(64) or 1:016x}-00"
        else:
            trace_id = parent.trace_id
        return Recording(self, name, trace_id, parent, SpanKind.SERVER, {})

    def shared(self, name: str, sampled: Iterable[SpanContext], attributes: Mapping[str, Any]) -> "Recording":
        """A step taken for several at once: child of the first, linked to the others."""
        first, *others = sampled
        links = [Link(c) for c in others]
        return Recording(self, name, first.trace_id, first, SpanKind.INTERNAL, dict(attributes), links)

    def ended(self, span: "Recording") -> None:
        """Write it down. Only processors other than our file need it as the SDK has it."""
        at = time.time_ns()
        if self._file is not None:
            self._file.write(span.plain(at))
        if self._others:
            readable = span.readable(at)
            for processor in self._others:
                processor.on_end(readable)


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
        self._tracing.ended(self)

    def plain(self, end: int) -> dict[str, Any]:
        service = self._tracing.service
        return _told(self.context, self._parent, self.name, service, self._began, end, self.attributes)

    def readable(self, end: int) -> ReadableSpan:
        return ReadableSpan(
            self.name, self.context, self._parent, self._tracing.resource, self.attributes, links=self._links,
            kind=self._kind, status=FAILED if self.failed else UNSET, start_time=self._began, end_time=end,
            instrumentation_scope=SCOPE,
        )  # fmt: skip
