"""Who is measured against whom, how much of it, and how does a figure come out of the two?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Half:
    """One side: a module and function under tests/bench, and its options for a full and for a short run."""

    module: str
    function: str = "measure"
    full: Options = field(default_factory=dict[str, Any])
    short: Options = field(default_factory=dict[str, Any])

    def options(self, short: bool) -> dict[str, Any]:
        return dict(self.short if short else self.full)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A figure's two sides. With a rival the figure is ours / rival by `value`; without one it is our `value` itself.

    `tune` finds the rival's best settings once, before the rounds. `same` names what must be equal on both sides.
    `together`: one process measures both sides, by turns, and gives what was found of each."""

    figure: str
    ours: Half
    rival: Half | None = None
    tune: Half | None = None
    value: str = "per_second"
    same: str | None = None
    together: bool = False


LOG_APPEND = Half(module="ours.log_append", full={"seconds": 2.5}, short={"seconds": 1})

PAIRS = (
    Pair(
        figure="append_vs_eventsourcing",
        tune=Half(module="rivals.eventsourcing_append", function="tune", full={"seconds": 1.5}, short={"seconds": 0.5}),
        rival=Half(module="rivals.eventsourcing_append", full={"seconds": 2.5}, short={"seconds": 1}),
        ours=LOG_APPEND,
    ),
    Pair(
        figure="append_vs_raw_insert",
        rival=Half(module="rivals.raw_insert", full={"seconds": 2.5}, short={"seconds": 1}),
        ours=LOG_APPEND,
    ),
    Pair(
        figure="pipeline_vs_textbook",
        tune=Half(module="rivals.textbook", function="tune", full={"seconds": 2.0}, short={"seconds": 1.0}),
        rival=Half(module="rivals.textbook", full={"seconds": 4}, short={"seconds": 2}),
        ours=Half(
            module="ours.pipeline",
            full={"seconds": 4, "clients": 1000},
            short={"seconds": 1, "clients": 1000},
        ),
    ),
    Pair(
        figure="pipeline_p99_ms_at_1000",
        ours=Half(
            module="ours.latency",
            function="latency",
            full={"per_second": 1000, "seconds": 5},
            short={"per_second": 1000, "seconds": 2},
        ),
        value="p99_ms",
    ),
    Pair(
        figure="publish_vs_nats_py",
        tune=Half(module="rivals.nats_publish", function="tune", full={"messages": 5000}, short={"messages": 2000}),
        rival=Half(module="rivals.nats_publish", full={"messages": 10_000}, short={"messages": 3000}),
        ours=Half(module="ours.publish", full={"messages": 50_000}, short={"messages": 10_000}),
    ),
    Pair(
        figure="rebuild_vs_projection_runner",
        rival=Half(module="rivals.projection_runner", full={"facts": 10_000}, short={"facts": 2000}),
        ours=Half(module="ours.rebuild", full={"facts": 10_000}, short={"facts": 2000}),
        same="rows",
    ),
    Pair(
        figure="http_vs_bare_fastapi",
        rival=Half(module="rivals.bare_fastapi", full={"seconds": 3}, short={"seconds": 1}),
        ours=Half(module="ours.http_service", full={"seconds": 3}, short={"seconds": 1}),
    ),
    Pair(
        figure="throughput_with_crypto_and_trace",
        ours=Half(module="ours.commands_in_process", full={"turns": 32}, short={"turns": 3}),
        together=True,
    ),
)
