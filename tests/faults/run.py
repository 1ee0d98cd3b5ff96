"""Does the core keep its promises when everything around it breaks? Run by `make faults`; see docs/faults.md.

    python tests/faults/run.py [--runs 25] [--seed 1] [--facts 5000] [--only KIND ...] [--break-relay]
        [--break-listener]

RUNS and SEED may stand in the environment instead. Run number i has the seed SEED + i - 1, so one run can be played
again alone. Writes build/faults.json; ends with 1 unless nothing was lost, doubled or reordered and no place is empty.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from nats.errors import Error as NatsError

CHECKOUT = Path(__file__).resolve().parents[2]
if str(CHECKOUT) not in sys.path:  # when called by its path
    sys.path.insert(0, str(CHECKOUT))

from tests.faults import check, evidence  # noqa: E402
from tests.faults.services import WRITTEN  # noqa: E402
from tests.faults.stage import Stage  # noqa: E402
from tests.faults.strikes import KINDS, Strikes, plan  # noqa: E402

from chassis.connecting import LOST  # noqa: E402

EXTRA = 2
"""Strikes in a run beyond one of each kind."""

EACH = 5
"""Every kind of strike must have been carried out once in so many runs at least."""

PER_SECOND = 1200
"""Facts a second that the writers aim at together."""

ENOUGH_WITHIN = 180.0
LEVEL_WITHIN = 90.0
LEVEL_WITHIN_BROKEN = 8.0
"""Seconds until enough is acknowledged, and until all followers are level. What is not level by then is lost."""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    runs: int
    seed: int
    facts: int
    broken: tuple[str, ...]
    strikes: tuple[str, ...]
    out: Path
    keep: bool


@dataclass(frozen=True)
class Outcome:
    """What one run found. `counts` has lost, doubled, reordered, gaps. `unfinished`: somebody did not get all answers,
    or to the end of a log."""

    seed: int
    acknowledged: int
    kills: Counter[str]
    counts: Counter[str]
    unfinished: bool
    words: Sequence[str]
    delivered_again: int
    ended_by_themselves: int
    seconds: float


def acknowledged(stage: Stage) -> int:
    """Facts, not commands: some commands add several. What two writers were told of one command counts once."""
    return sum(sum(_acknowledged(stage, service).values()) for service in WRITTEN)


def _acknowledged(stage: Stage, service: str) -> dict[int, int]:
    return {n: a.asked[n] for a in stage.accounts(service) for n in a.acknowledged}


async def play(options: Options, number: int) -> Outcome:
    """One run, from empty servers to the comparison."""
    started, seed = time.monotonic(), options.seed + number - 1
    stage = Stage(f"faults-{os.getpid()}-{number}", random.Random(seed).choice((1, 2)), PER_SECOND, options.broken)
    strikes = Strikes(stage)
    async with stage.open():
        stage.begin()
        marks: evidence.Marks = {}
        watching = asyncio.create_task(_watch(stage, marks, f"run {number}/{options.runs}"))
        await _until_enough(stage, options.facts // 50)
        await strikes.carry_out(plan(seed, EXTRA, options.strikes))
        await _until_enough(stage, options.facts)
        ended_well = await asyncio.gather(*(p.end(30) for p in stage.of("writer")))
        level = await _until_level(stage, marks, LEVEL_WITHIN_BROKEN if options.broken else LEVEL_WITHIN)
        watching.cancel()
        await asyncio.gather(*(p.end(10) for p in stage.parts))
        found = check.compare(await evidence.gather(stage, marks))
    if not all(ended_well):
        found.words.append("a writer did not get all its answers")
    if level:
        found.words.append(f"not level: {level}")
    outcome = Outcome(
        seed, acknowledged(stage), strikes.counts, found.counts, bool(level) or not all(ended_well), found.words,
        strikes.delivered_again, sum(p.ended_by_itself for p in stage.parts), time.monotonic() - started,
    )  # fmt: skip
    if options.keep or (found.counts.total() and not options.broken):
        print(f"\rlogs and ledgers: {stage.home}")
    else:
        stage.remove()
    return outcome


async def _until_enough(stage: Stage, facts: int) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENOUGH_WITHIN):
            while acknowledged(stage) < facts:  # noqa: ASYNC110 - the ledgers are files
                await asyncio.sleep(0.25)


async def _until_level(stage: Stage, marks: evidence.Marks, seconds: float) -> Sequence[str]:
    """Wait until every stream and follower stands at its log's head; who does not, if they do not get there."""
    late: Sequence[str] = ["nothing could be asked"]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while late:
                with contextlib.suppress(asyncpg.PostgresError, NatsError, *LOST):
                    late = [*await evidence.behind(stage, marks), *await evidence.unpublished(stage)]
                await asyncio.sleep(0.2)
    return late


async def _watch(stage: Stage, marks: evidence.Marks, title: str) -> None:
    """Note what the hearers claim to know, and show how much has been acknowledged."""
    while True:
        with contextlib.suppress(asyncpg.PostgresError, *LOST):
            late = await evidence.behind(stage, marks)
            if sys.stdout.isatty():
                print(
                    f"\r{title}: {acknowledged(stage)} acknowledged, {len(late)} followers behind ", end="", flush=True
                )
        await asyncio.sleep(0.25)


# --- all runs ---


def _sweep() -> None:
    """Remove what a killed harness left; its servers were ended by their keeper."""
    for folder in (CHECKOUT / "build").glob("faults-*-*"):
        number = re.fullmatch(r"faults-(\d+)-\d+", folder.name)
        if number and not Path(f"/proc/{number[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


async def play_all(options: Options) -> list[Outcome]:
    _sweep()
    outcomes: list[Outcome] = []
    for number in range(1, options.runs + 1):
        outcome = await play(options, number)
        outcomes.append(outcome)
        said = ", ".join(f"{n} {what}" for what, n in outcome.counts.items())
        print(f"\rrun {number}/{options.runs} (seed {outcome.seed}): {outcome.acknowledged} acknowledged, "
              f"{outcome.kills.total()} strikes, {said}, {outcome.seconds:.1f} s", flush=True)  # fmt: skip
        for word in outcome.words[:5]:
            print(f"    {word}", flush=True)
    return outcomes


def report(options: Options, outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """What build/faults.json holds. `acknowledged` is the least of all runs."""
    counts = sum((o.counts for o in outcomes), Counter[str]())
    kills = sum((o.kills for o in outcomes), Counter[str]())
    return {
        "runs": len(outcomes),
        "acknowledged": min(o.acknowledged for o in outcomes),
        "acknowledged_total": sum(o.acknowledged for o in outcomes),
        "kills": {kind: kills[kind] for kind in KINDS},
        **{what: counts[what] for what in ("lost", "doubled", "reordered", "gaps")},
        "unfinished": sum(o.unfinished for o in outcomes),
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "delivered_again": sum(o.delivered_again for o in outcomes),
        "ended_by_themselves": sum(o.ended_by_themselves for o in outcomes),
        "broken": list(options.broken),
    }


def passes(options: Options, told: dict[str, Any]) -> bool:
    """Enough was acknowledged and struck, everybody got to the end, and no promise was broken."""
    struck = all(told["kills"][kind] * EACH >= options.runs for kind in options.strikes)
    broken = any(told[what] for what in ("lost", "doubled", "reordered", "gaps", "unfinished"))
    return struck and told["acknowledged"] >= options.facts and not broken


def arguments() -> Options:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "25")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--facts", type=int, default=5000, help="facts that must be acknowledged in each run")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help="strike only these")
    parser.add_argument("--break-relay", action="store_true", help="a relay that leaves facts out: must be noticed")
    parser.add_argument("--break-listener", action="store_true", help="one that trusts the broker: must be noticed")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "build" / "faults.json")
    parser.add_argument("--keep", action="store_true", help="leave each run's folder with logs and ledgers")
    given = parser.parse_args()
    broken = [name for name, on in (("relay", given.break_relay), ("listener", given.break_listener)) if on]
    return Options(given.runs, given.seed, given.facts, tuple(broken), tuple(given.only), given.out, given.keep)


def main() -> int:
    options, started = arguments(), time.monotonic()
    options.out.unlink(missing_ok=True)  # an earlier result must not be taken for this one's
    outcomes = asyncio.run(play_all(options))
    told = report(options, outcomes, time.monotonic() - started)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told))
    return 0 if passes(options, told) else 1


if __name__ == "__main__":
    raise SystemExit(main())
