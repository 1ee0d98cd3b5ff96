"""One trace from the request through log, relay and listener into the next service; logs without personal data.

Spans go to OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set, and to a file of JSON lines when TRACE_FILE is. What is not
sampled costs next to nothing. Log lines are JSON with codes and counts; values that look like a personal number are
taken out even so, and tracebacks never show local variables.
"""

import contextlib
import functools
import logging
import re
from collections.abc import Generator, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer
from opentelemetry.trace import TracerProvider as ApiProvider

from chassis.sampling import AtMost
from chassis.spans import Recording, Tracing

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


def start_tracing(service: str, new: AtMost, file: Path | None) -> Tracing:
    """Set up the process's tracing; `new` says which new traces are sampled, and a caller's decision is followed."""
    provider = Tracing(service, new, file)
    trace.set_tracer_provider(provider)
    return provider


def begin(name: str, traceparent: str | None) -> Recording | str | None:
    """How a request's trace begins or, with a caller's `traceparent`, goes on. A process without tracing passes on what
    it was told."""
    provider, parent = trace.get_tracer_provider(), remote(traceparent)
    if isinstance(provider, Tracing):
        return provider.begin(name, parent)
    return None if parent is None else traceparent


@contextlib.contextmanager
def recorded(span: Recording) -> Generator[None, None, None]:
    """Inside the block we are at `span` in its trace, for whoever asks OpenTelemetry too. It ends with the block."""
    before = context.attach(trace.set_span_in_context(NonRecordingSpan(span.context), Context()))
    try:
        yield
    finally:
        context.detach(before)
        span.end()


UNRECORDED: ContextVar[str | None] = ContextVar("unrecorded", default=None)
"""The W3C form of where we are in a trace that is not sampled."""


def current_traceparent() -> str | None:
    """The W3C form of where we are in a trace, or None outside one."""
    if (unrecorded := UNRECORDED.get()) is not None:
        return unrecorded
    here = trace.get_current_span().get_span_context()
    if not here.is_valid:
        return None
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}"


def current_context() -> SpanContext | None:
    """Where we are in a trace that is being recorded, or None."""
    if UNRECORDED.get() is not None:
        return None
    here = trace.get_current_span().get_span_context()
    return here if here.trace_flags.sampled else None


def remote(traceparent: str | None) -> SpanContext | None:
    """Where somebody else was in a trace, or None if they said nothing or nonsense."""
    match = _TRACEPARENT(traceparent) if traceparent else None
    if match is None:
        return None
    there = SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16)))
    return there if there.is_valid else None


def sampled(traceparent: str | None) -> SpanContext | None:
    """The same for a trace that is being recorded; None for any other, mostly found out without taking it apart."""
    if traceparent is None or traceparent.endswith("-00"):
        return None
    there = remote(traceparent)
    return there if there is not None and there.trace_flags.sampled else None


def within(there: SpanContext | None) -> Context:
    """A context whose current span is the given one, so that the next span becomes its child."""
    return Context() if there is None else trace.set_span_in_context(NonRecordingSpan(there), Context())


def shared_span(name: str, asked: Iterable[SpanContext | None], attributes: Mapping[str, Any]) -> Recording | None:
    """One span for work done for many at once: child of the first in a sampled trace, linked to the others; None where
    none is in one. `asked`: where each is, None for those whose trace is not sampled."""
    recording = [c for c in asked if c is not None]
    provider = trace.get_tracer_provider() if recording else None
    return provider.shared(name, recording, attributes) if isinstance(provider, Tracing) else None


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
