"""How do figures get into docs/benchmarks.md? Written there by the bench itself, from a whole run that it keeps.

`python -m tests.bench.run --keep` stores what was seen in tests/bench/seen.json and writes the part of the page between
the two marks anew. A test holds the page against both.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import FIGURES
from tests.bench.stage import CHECKOUT

SEEN = Path(__file__).with_name("seen.json")
PAGE = CHECKOUT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- seen: written by the bench -->", "<!-- end of seen -->"


def kept(detail: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run: figures, absolute medians, the rivals' best settings, the machine and the day."""
    found = detail["figures"]
    numbers = ("ours_", "rival_")
    return {
        "on": datetime.now(UTC).date().isoformat(),
        "rounds": detail["rounds"],
        "short": detail["short"],
        "machine": detail["machine"],
        "figures": {name: round(one["figure"], 2) for name, one in found.items()},
        "absolute": {
            name: {k: round(v, 1) for k, v in one.items() if k.startswith(numbers) and isinstance(v, float)}
            for name, one in found.items()
        },
        "rival_settings": {name: one["rival_settings"] for name, one in found.items() if one["rival_settings"]},
    }


def keep(detail: dict[str, Any]) -> None:
    """Store a run and write it into the page. Raises SystemExit when a figure is missing."""
    if set(detail["figures"]) != {figure.name for figure in FIGURES}:
        raise SystemExit("Only a run of all figures is kept.")
    seen = kept(detail)
    SEEN.write_text(json.dumps(seen, indent=2) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + block(seen) + rest.partition(END)[2])


def block(seen: dict[str, Any]) -> str:
    """The part of the page between the marks, marks included."""
    machine = seen["machine"]
    lines = [
        BEGIN,
        "",
        f"Seen on {seen['on']} on {machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, "
        f"PostgreSQL {machine['server_version']}, nats-server {machine['nats_server']}; load average at the start "
        f"{machine['load_at_start']}; median of {_rounds(seen)}. Where the load average was not near 0 the machine was "
        "doing other things, and no figure below can be trusted.",
        "",
        "| figure | at least / at most | goal | seen | ours | rival |",
        "|---|---|---|---|---|---|",
    ]
    for figure in FIGURES:
        absolute = seen["absolute"][figure.name]
        ours, rival = (_said(absolute, side) for side in ("ours", "rival"))
        goal = "–" if figure.goal is None else f"{figure.goal:g}"
        value = seen["figures"][figure.name]
        lines.append(f"| `{figure.name}` | {figure.threshold} | {goal} | {value:.2f} | {ours} | {rival} |")
    best = "; ".join(
        f"{name}: {', '.join(f'{k} = {v}' for k, v in settings.items())}"
        for name, settings in seen["rival_settings"].items()
    )
    return "\n".join([*lines, "", f"The rivals' best settings on that machine: {best}.", "", END])


def _rounds(seen: dict[str, Any]) -> str:
    rounds = "1 round" if seen["rounds"] == 1 else f"{seen['rounds']} rounds"
    return f"{rounds} of a short run" if seen["short"] else rounds


def _said(absolute: dict[str, float], side: str) -> str:
    for unit, words in (("per_second", "/s"), ("p99_ms", " ms")):
        if (value := absolute.get(f"{side}_{unit}")) is not None:
            return f"{value:,.0f}{words}" if value >= 100 else f"{value:.1f}{words}"
    return "–"
