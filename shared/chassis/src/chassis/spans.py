"""What is written down of a trace, and how is it found out whether a trace is written down at all?

The latter comes first and costs little (`chassis.sampling`): where there is much to do, most are not. What is written
down is held in less than the SDK's own spans, which any thread may change at any time: ours are begun and ended in one
place.
"""

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis.sampling import AtMost

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SCOPE = InstrumentationScope("samordna")
UNSET, FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)

log_line = structlog.get_logger(__name__)

SOON = 0.05
"""Seconds after which an ended span stands in the file. Until then it waits for others: beside a busy database a write
takes as long as all else that is done for a span. A process that is killed takes with it what waits."""

MANY = 256
"""Ended spans that wait at most."""


class ToFile(SpanProcessor):
    """Spans as JSON lines in a file, soon after they end: for the local stack, where no collector runs. What cannot be
    written is lost, and nobody is disturbed by it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._ended: deque[ReadableSpan | Recording] = deque()
        self._flushed_in: asyncio.AbstractEventLoop | None = None
        self._failing = False

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            self.add(span)

    def add(self, span: "ReadableSpan | Recording") -> None:
        self._ended.append(span)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.force_flush()
            return
        if len(self._ended) >= MANY:
            self.force_flush()
        elif loop is not self._flushed_in:
            self._flushed_in = loop
            loop.call_later(SOON, self.force_flush)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self._flushed_in = None
        lines: list[bytes] = []
        while self._ended:
            span = self._ended.popleft()
            lines.append(msgspec.json.encode(span.plain() if isinstance(span, Recording) else _plain(span)) + b"\n")
        if lines and not self._file.closed:
            self._write(b"".join(lines))
        return not self._failing

    def _write(self, lines: bytes) -> None:
        try:
            self._file.write(lines)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log_line.warning("traces.not-written", why=type(error).__name__)
            self._failing = True

    def shutdown(self) -> None:
        self.force_flush()
        self._file.close()


def _plain(span: ReadableSpan) -> dict[str, Any]:
    service = span.resource.attributes.get("service.name")
    return _told(
        cast(SpanContext, span.context), span.parent, span.name, service, span.start_time, span.end_time,
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
    """The process's tracing: `new` says which new traces are sampled, and a caller's decision is followed."""

    def __init__(self, service: str, new: AtMost, file: Path | None) -> None:
        super().__init__(
            resource=Resource.create({"service.name": f"{service}-service"}), sampler=ParentBased(root=new)
        )
        self._new = new
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
            if not self._new.takes(int(ids[16:32], 16)):
                return f"00-{ids[:32]}-{ids[32:]}-00"
            trace_id = int(ids[:32], 16)
        elif not parent.trace_flags.sampled:
            return f"00-{parent.trace_id:032x}-{random.getrandbits(64) or 1:016x}-00"
        else:
            trace_id = parent.trace_id
        return Recording(self, name, trace_id, parent, SpanKind.SERVER, {})

    def shared(self, name: str, asked: Iterable[SpanContext], attributes: Mapping[str, Any]) -> "Recording":
        """A step taken for several at once: child of the first, linked to the others."""
        first, *others = asked
        return Recording(self, name, first.trace_id, first, SpanKind.INTERNAL, dict(attributes), others)

    def ended(self, span: "Recording") -> None:
        """Write it down. Only processors other than our file need it as the SDK has it."""
        if self._file is not None:
            self._file.add(span)
        if self._others:
            readable = span.readable()
            for processor in self._others:
                processor.on_end(readable)


class Recording:
    """A step of a sampled trace, from now until `end`."""

    def __init__(
        self, tracing: Tracing, name: str, trace_id: int, parent: SpanContext | None, kind: SpanKind,
        attributes: dict[str, Any], linked: Sequence[SpanContext] = (),
    ) -> None:  # fmt: skip
        self._tracing, self._parent, self._kind, self._linked = tracing, parent, kind, linked
        self.name, self.attributes, self.failed = name, attributes, False
        state = None if parent is None else parent.trace_state
        self.context = SpanContext(trace_id, random.getrandbits(64) or 1, False, SAMPLED, state)
        self._began = self._ended = time.time_ns()

    def end(self) -> None:
        self._ended = time.time_ns()
        self._tracing.ended(self)

    def plain(self) -> dict[str, Any]:
        service = self._tracing.service
        return _told(self.context, self._parent, self.name, service, self._began, self._ended, self.attributes)

    def readable(self) -> ReadableSpan:
        links = tuple(Link(c) for c in self._linked)
        return ReadableSpan(
            self.name, self.context, self._parent, self._tracing.resource, self.attributes, links=links,
            kind=self._kind, status=FAILED if self.failed else UNSET, start_time=self._began, end_time=self._ended,
            instrumentation_scope=SCOPE,
        )  # fmt: skip
