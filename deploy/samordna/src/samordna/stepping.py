"""How does simulated time move far without skipping? From one due time to the next, everybody level in between.

Level means: what each service has written is published, heard, reacted to and folded into read models everywhere, every
listener knows its source complete up to the clock's moment, and no worker has anything due. Only then does the clock
move on, so that chains of deadlines unfold as they would have.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.decider import record

PATIENCE = 30.0
"""Real seconds without any movement after which we say who is not level."""

Status = Mapping[str, Any]
Ask = Callable[[], Awaitable[Mapping[str, Status | str]]]
"""Asks every service for its GET /status; a service that does not answer gives the reason as a string."""


@record
class Step:
    """The clock was set to `at`, because `service`'s `worker` had something to do then (None: the target)."""

    at: datetime
    service: str | None
    worker: str | None


class NotLevel(Exception):
    """The followers did not get level in time. `why` has one plain sentence per reason."""

    def __init__(self, why: Sequence[str]) -> None:
        self.why = tuple(why)
        super().__init__("; ".join(why))


async def move(
    ask: Ask, now: datetime, target: datetime, set_clock: Callable[[datetime], None], *,
    without: Collection[str] = (), patience: float = PATIENCE,
) -> list[Step]:  # fmt: skip
    """Move the clock from `now` to `target` (not before `now`), due time by due time. Raises NotLevel.

    Services in `without` are neither asked nor waited for."""
    steps = list[Step]()
    while True:
        statuses = await level(ask, now, without=without, patience=patience)
        nearest = next_due(statuses, now, target)
        if nearest is None and now == target:
            return steps
        step = nearest or Step(at=target, service=None, worker=None)
        now = step.at
        set_clock(now)
        steps.append(step)


def next_due(statuses: Mapping[str, Status | str], now: datetime, target: datetime) -> Step | None:
    """The earliest moment after `now`, and not after `target`, at which some worker has something to do."""
    found = [
        Step(at=due, service=service, worker=name)
        for service, status in statuses.items()
        if not isinstance(status, str)
        for name, worker in status["workers"].items()
        if (due := moment(worker["due"])) is not None and now < due <= target
    ]
    return min(found, key=lambda s: s.at, default=None)


async def level(
    ask: Ask, now: datetime, *, without: Collection[str] = (), patience: float = PATIENCE
) -> Mapping[str, Status | str]:
    """Wait until everybody is level at `now`, seen twice in a row with the same heads. Raises NotLevel when nothing
    has moved for `patience` seconds."""
    heads: Mapping[str, int] | None = None
    before: object = None
    since, pause = time.monotonic(), 0.01
    while True:
        statuses = {name: s for name, s in (await ask()).items() if name not in without}
        why = reasons(statuses, now, without)
        if not why:
            seen = {name: s["head"] for name, s in statuses.items() if not isinstance(s, str)}
            if seen == heads:
                return statuses
            heads = seen
            continue
        heads = None
        if statuses != before:
            before, since, pause = statuses, time.monotonic(), 0.01
        elif time.monotonic() - since > patience:
            raise NotLevel(why)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def reasons(statuses: Mapping[str, Status | str], now: datetime, without: Collection[str] = ()) -> list[str]:
    """Who is not level at `now`, and why; empty when all are."""
    return [reason for name, status in statuses.items() for reason in _reasons(name, status, statuses, now, without)]


def _reasons(
    name: str, status: Status | str, statuses: Mapping[str, Status | str], now: datetime, without: Collection[str]
) -> list[str]:
    if isinstance(status, str):
        return [f"{name} does not answer ({status})"]
    why = list[str]()
    head = status["head"]
    if (shown := moment(status["now"])) != now:
        why.append(f"{name}'s clock shows {shown}")
    if status["published"] != head:
        why.append(f"{name} has published {status['published']} of {head}")
    for source, at in status["listeners"].items():
        if source not in without:
            why += _listening(name, source, at, statuses, now)
    for view, sources in status["views"].items():
        for source, at in sources.items():
            wanted = head if source == name else status["listeners"][source]["heard"]
            if at != wanted:
                why.append(f"{name}'s view {view} has folded {at} of {wanted} from {source}")
    waiting_for_somebody = any(source in without for source in status["listeners"])
    for worker, at in status["workers"].items():
        due = moment(at["due"])
        if not waiting_for_somebody and (at["busy"] or (due is not None and due <= now)):
            why.append(f"{name}'s worker {worker} is at work on what was due {due}")
    return why


def _listening(
    name: str, source: str, at: Mapping[str, Any], statuses: Mapping[str, Status | str], now: datetime
) -> list[str]:
    why = list[str]()
    told = statuses.get(source)
    if told is not None and not isinstance(told, str) and at["heard"] != told["head"]:
        why.append(f"{name} has heard {at['heard']} of {told['head']} from {source}")
    if at["reacted"] != at["heard"]:
        why.append(f"{name} has reacted to {at['reacted']} of {at['heard']} from {source}")
    complete = moment(at["moment"])
    if complete is None or complete < now:
        why.append(f"{name} knows {source} complete up to {complete or 'no moment yet'} only")
    return why


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
