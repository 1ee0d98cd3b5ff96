"""`python -m tests.bench.run`: how fast is the product against its rivals, on this machine, today?

Each figure is the median of five alternating rounds: rival, ours, rival, ours. Each half is a process of its own on an
empty database and broker (`together`: one process, by turns); the servers are the same for all. Writes build/bench.json
(name -> number) and build/bench-detail.json (every half of every round, absolute figures, machine, settings). Exits 1
when a figure misses its threshold.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.bench import document
from tests.bench.figures import BY_NAME, FIGURES
from tests.bench.loops import Outcome
from tests.bench.pairs import PAIRS, Half, Pair
from tests.bench.stage import CHECKOUT, Theatre, versions

ROUNDS = 5
HALF_WITHIN = 180.0
"""Seconds a half may take before the run gives up."""


class Run:
    """One run: the servers, what has been found, and how it is told."""

    def __init__(self, theatre: Theatre, rounds: int, short: bool) -> None:
        self.theatre, self.rounds, self.short = theatre, rounds, short
        self.began = time.monotonic()
        self.figures: dict[str, float] = {}
        self.detail: dict[str, Any] = {}

    async def pair(self, pair: Pair) -> None:
        """All rounds of one figure."""
        self.say(f"{pair.figure}: {BY_NAME[pair.figure].what}")
        best = await self.half(pair.tune, {}) if pair.tune else {}
        if best:
            self.say(f"  the rival is best with {_words(best)}")
        rounds = [await self.round(pair, n, best) for n in range(1, self.rounds + 1)]
        value = statistics.median(r["figure"] for r in rounds)
        self.figures[pair.figure] = round(value, 3)
        self.detail[pair.figure] = {"figure": value, "rival_settings": best, "rounds": rounds} | _absolute(pair, rounds)
        figure = BY_NAME[pair.figure]
        self.say(f"  {pair.figure} = {value:.2f} ({figure.threshold}): {'met' if figure.met(value) else 'MISSED'}\n")

    async def round(self, pair: Pair, number: int, best: dict[str, Any]) -> dict[str, Any]:
        rival = await self.half(pair.rival, best) if pair.rival else None
        ours = await self.half(pair.ours, {})
        if pair.together:
            ours, rival = ours["ours"], ours["rival"]
        if rival is not None and pair.same is not None and rival[pair.same] != ours[pair.same]:
            raise SystemExit(f"{pair.figure}: the two sides end with different {pair.same}.")
        value = ours[pair.value] if rival is None else ours[pair.value] / rival[pair.value]
        against = "" if rival is None else f" / rival {rival[pair.value]:,.0f}"
        self.say(f"  round {number}: ours {ours[pair.value]:,.1f}{against} -> {value:.2f}{_disk(ours)}")
        return {"figure": value, "ours": ours, "rival": rival}

    async def half(self, half: Half, more: dict[str, Any]) -> Outcome:
        """Run one half in a process of its own. Raises SystemExit with what it said when it fails."""
        stage = await self.theatre.half()
        options = json.dumps(half.options(self.short) | more)
        command = (sys.executable, "-m", "tests.bench.half", half.module, half.function, stage.to_json(), options)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            said, complained = await asyncio.wait_for(process.communicate(), HALF_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise SystemExit(f"{half.module}.{half.function} took longer than {HALF_WITHIN:.0f} s.") from None
        if process.returncode != 0:
            raise SystemExit(f"{half.module}.{half.function} failed:\n{complained.decode(errors='replace')[-3000:]}")
        return json.loads(said.decode().strip().splitlines()[-1])

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {line}", flush=True)

    def about(self, machine: dict[str, str]) -> dict[str, Any]:
        return {"machine": machine, "rounds": self.rounds, "short": self.short, "figures": self.detail}

    def write(self, machine: dict[str, str]) -> None:
        build = CHECKOUT / "build"
        build.mkdir(exist_ok=True)
        (build / "bench.json").write_text(json.dumps(self.figures, indent=2) + "\n")
        (build / "bench-detail.json").write_text(json.dumps(self.about(machine), indent=2) + "\n")


def _absolute(pair: Pair, rounds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Medians of the absolute figures, for people; only the ratio can be compared between machines."""
    found = {f"ours_{pair.value}": statistics.median(r["ours"][pair.value] for r in rounds)}
    if rounds[0]["rival"] is not None:
        found[f"rival_{pair.value}"] = statistics.median(r["rival"][pair.value] for r in rounds)
    return found


def _disk(ours: Outcome) -> str:
    """What the disk took by itself, where that was watched."""
    if "disk_max_ms" not in ours:
        return ""
    return f" (the disk alone: p99 {ours['disk_p99_ms']:.1f}, at most {ours['disk_max_ms']:.1f} ms)"


def _words(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in options.items())


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="only these figures (default: all)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds a figure (default {ROUNDS})")
    parser.add_argument("--short", action="store_true", help="less of everything: to see that it works, not how fast")
    parser.add_argument("--keep", action="store_true", help="keep this run and write it into docs/benchmarks.md")
    parser.add_argument("--list", action="store_true", help="show the figures and leave")
    parsed = parser.parse_args(given)
    unknown = set(parsed.figures) - set(BY_NAME)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}. Figures: {', '.join(BY_NAME)}")
    return parsed


async def bench(wanted: Sequence[str], rounds: int, short: bool, keep: bool) -> dict[str, float]:
    theatre = Theatre()
    try:
        await theatre.open()
        run = Run(theatre, rounds, short)
        machine = await versions(theatre)
        run.say(", ".join(f"{name} {value}" for name, value in machine.items()) + "\n")
        for pair in PAIRS:
            if not wanted or pair.figure in wanted:
                await run.pair(pair)
                run.write(machine)
        if keep:
            document.keep(run.about(machine))
    finally:
        await theatre.close()
    return run.figures


def main(given: Sequence[str]) -> int:
    parsed = arguments(given)
    if parsed.list:
        for figure in FIGURES:
            print(f"{figure.name:34} {figure.threshold:8} {figure.what}; against: {figure.rival}")
        return 0
    found = asyncio.run(bench(parsed.figures, parsed.rounds, parsed.short, parsed.keep))
    missed = [name for name, value in found.items() if not BY_NAME[name].met(value)]
    for name, value in found.items():
        print(f"{name:34} {value:8.2f}  {BY_NAME[name].threshold:8} {'MISSED' if name in missed else 'met'}")
    print(f"bench: {len(found) - len(missed)} of {len(found)} figures at or beyond their threshold (build/bench.json)")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
