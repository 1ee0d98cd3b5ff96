"""One trace from the request through log, relay and listener into the next service; logs without personal data.

Spans go to OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set, and to a file of JSON lines when TRACE_FILE is. What is not
sampled costs next to nothing. Log lines are JSON with codes and counts; values that look like a personal number are
taken out even so, and tracebacks never show local variables.
"""

import functools
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, Tracer
from opentelemetry.trace import TracerProvider as ApiProvider

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})").fullmatch
_PERSON_NUMBER = re.compile(r"(?<![0-9a-fA-F-])(?:\d{2})?\d{6}[-+ ]?\d{4}(?![0-9a-fA-F-])")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def tracer() -> Tracer:
    """The process's tracer. Asked for at use, so that it is the one `start_tracing` set up."""
    return _tracer_of(trace.get_tracer_provider())


@functools.lru_cache(maxsize=4)
def _tracer_of(provider: ApiProvider) -> Tracer:
    """Making one costs more than a span that is not sampled."""
    return provider.get_tracer("samordna")


def get_logger(name: str) -> Any:
    return structlog.get_logger(name)


class FileExporter(SpanExporter):
    """Spans as JSON lines in a file: for the local stack, where no collector runs."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._file.write(json.dumps(_plain(span)) + "\n")
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._file.close()


def _plain(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    return {
        "trace": f"{context.trace_id:032x}" if context else None,
        "span": f"{context.span_id:016x}" if context else None,
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "service": span.resource.attributes.get("service.name"),
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes or {}),
        "status": span.status.description,
        "events": [{"name": e.name, "attributes": dict(e.attributes or {})} for e in span.events],
    }


def start_tracing(service: str, ratio: float, file: Path | None) -> TracerProvider:
    """Set up the process's tracing; `ratio` of new traces is sampled, and a caller's decision is followed."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"{service}-service"}), sampler=ParentBasedTraceIdRatio(ratio)
    )
    if file is not None:
        provider.add_span_processor(SimpleSpanProcessor(FileExporter(file)))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def current_traceparent() -> str | None:
    """The W3C form of where we are in a trace, or None outside one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def current_context() -> SpanContext | None:
    """Where we are in a trace that is being recorded, or None."""
    context = trace.get_current_span().get_span_context()
    return context if context.trace_flags.sampled else None


def remote(traceparent: str | None) -> SpanContext | None:
    """Where somebody else was in a trace, or None if they said nothing or nonsense."""
    match = _TRACEPARENT(traceparent) if traceparent else None
    if match is None:
        return None
    context = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return context if context.is_valid else None


def within(context: SpanContext | None) -> Context:
    """A context whose current span is the given one, so that the next span becomes its child."""
    return Context() if context is None else trace.set_span_in_context(NonRecordingSpan(context), Context())


def shared_span(name: str, asked: Iterable[SpanContext | None], attributes: Mapping[str, Any]) -> Span | None:
    """One span for work done for many at once: child of the first sampled, linked to the others. None if none is."""
    sampled = [c for c in asked if c is not None and c.trace_flags.sampled]
    if not sampled:
        return None
    return tracer().start_span(
        name,
        context=within(sampled[0]),
        kind=SpanKind.INTERNAL,
        links=[Link(c) for c in sampled[1:]],
        attributes=attributes,
    )


def _without_person_numbers(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _PERSON_NUMBER.sub("[number removed]", value)
    return event


def start_logging(service: str, level: str) -> None:
    """Structured logs, one JSON object a line, on standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
            ),
            _without_person_numbers,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level.lower(), 20)),
        logger_factory=structlog.PrintLoggerFactory(file=_stderr()),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, format='{"level":"%(levelname)s","event":"%(name)s: %(message)s"}')


def _stderr() -> Any:
    import sys

    return sys.stderr
