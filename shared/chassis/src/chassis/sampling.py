"""Which of the traces that begin here are written down?

All, or a share of them, as long as they are few; so many a second when they are many, however many more there are: what
tracing costs does not grow with what there is to do. Whether a trace that a caller began goes on is the caller's.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import TraceState

BURST = 1.0
"""Seconds of quiet that are made up for at once."""


class AtMost(Sampler):
    """A share of new traces (`ratio`, 0 to 1), and of them `per_second` on average; after quiet, some at once."""

    def __init__(self, ratio: float, per_second: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._ratio, self._per_second, self._clock = ratio, per_second, clock
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)
        self._every = 1 / per_second
        self._next = -math.inf  # when the next may begin, had they come one after the other

    def takes(self, low: int) -> bool:
        """Is this one written down? `low`: the lower half of its id, by which the share is drawn everywhere alike."""
        if low >= self._bound:
            return False
        now = self._clock()
        if self._next > now:
            return False
        self._next = max(self._next, now - BURST) + self._every
        return True

    def should_sample(
        self, parent_context: Any, trace_id: int, name: str, kind: Any = None, attributes: Any = None,
        links: Any = None, trace_state: TraceState | None = None,
    ) -> SamplingResult:  # fmt: skip
        taken = self.takes(trace_id & TraceIdRatioBased.TRACE_ID_LIMIT)
        return SamplingResult(Decision.RECORD_AND_SAMPLE if taken else Decision.DROP, attributes, trace_state)

    def get_description(self) -> str:
        return f"AtMost{{{self._ratio} of new traces, {self._per_second} a second}}"
