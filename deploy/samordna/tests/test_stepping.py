"""Moving time: no due time is skipped, nobody is left behind, and who is not level is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from samordna.stepping import NotLevel, Status, move, next_due, reasons

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)


class World:
    """Two services that hear each other; `notification` has timers. It takes a look or two before things arrive."""

    def __init__(self, timers: list[datetime]) -> None:
        self.now = MONDAY
        self.timers = timers
        self.head = 3
        self.heard = 3
        self.moment = MONDAY
        self.fired = list[tuple[datetime, datetime]]()
        self.silent = set[str]()

    def set_clock(self, to: datetime) -> None:
        self.now = to

    async def ask(self) -> dict[str, Status | str]:
        told = {"plan": self._plan(), "notification": self._notification()}
        self._arrive()
        return {name: "ConnectError" if name in self.silent else status for name, status in told.items()}

    def _arrive(self) -> None:
        """One thing happens between two looks, as far as nobody is away."""
        if "plan" in self.silent:
            return
        if self.heard < self.head:
            self.heard += 1
        elif self.moment < self.now:
            self.moment = self.now
        elif self.timers and self.timers[0] <= self.moment:
            self.fired.append((self.timers.pop(0), self.now))
            self.head += 1

    def _plan(self) -> Status:
        listeners = {"notification": self._listener()}
        return _status("plan", self.now, 5, listeners, {"employments": {"plan": 5, "notification": self.heard}}, {})

    def _notification(self) -> Status:
        due = self.timers[0] if self.timers else None
        workers = {"timers": {"due": due and due.isoformat(), "busy": due is not None and due <= self.now}}
        listeners = {"plan": {"heard": 5, "reacted": 5, "moment": self.moment.isoformat()}}
        return _status("notification", self.now, self.head, listeners, {}, workers)

    def _listener(self) -> dict[str, Any]:
        return {"heard": self.heard, "reacted": self.heard, "moment": self.now.isoformat()}


def _status(name: str, now: datetime, head: int, listeners: Any, views: Any, workers: Any) -> Status:
    return {"service": name, "now": now.isoformat(), "head": head, "published": head, "listeners": listeners,
            "views": views, "workers": workers, "deadLetters": 0}  # fmt: skip


async def test_every_timer_fires_at_its_own_time_and_in_order() -> None:
    due = [MONDAY + DAY, MONDAY + DAY, MONDAY + 3 * DAY, MONDAY + 40 * DAY]
    world = World(list(due))
    steps = await move(world.ask, MONDAY, MONDAY + 30 * DAY, world.set_clock)
    assert world.fired == [(at, at) for at in due[:3]]
    assert world.now == MONDAY + 30 * DAY
    assert [(s.at, s.service) for s in steps] == [
        (MONDAY + DAY, "notification"), (MONDAY + 3 * DAY, "notification"), (MONDAY + 30 * DAY, None),
    ]  # fmt: skip


async def test_a_timer_due_exactly_at_the_target_fires() -> None:
    world = World([MONDAY + DAY])
    await move(world.ask, MONDAY, MONDAY + DAY, world.set_clock)
    assert world.fired == [(MONDAY + DAY, MONDAY + DAY)]


async def test_moving_nowhere_waits_until_everybody_is_level() -> None:
    world = World([])
    world.head = 6
    assert await move(world.ask, MONDAY, MONDAY, world.set_clock) == []
    assert world.heard == 6


async def test_a_service_that_does_not_answer_is_named_and_time_stands_still() -> None:
    world = World([MONDAY + DAY])
    world.silent = {"plan"}
    with pytest.raises(NotLevel, match="plan does not answer"):
        await move(world.ask, MONDAY, MONDAY + DAY, world.set_clock, patience=0.05)
    assert world.now == MONDAY


async def test_a_service_that_is_down_on_purpose_is_not_waited_for() -> None:
    world = World([MONDAY + DAY, MONDAY + 2 * DAY])
    world.silent = {"plan"}
    await move(world.ask, MONDAY, MONDAY + 7 * DAY, world.set_clock, without={"plan"}, patience=0.05)
    assert world.now == MONDAY + 7 * DAY
    assert world.fired == []

    world.silent = set()
    await move(world.ask, world.now, world.now, world.set_clock)
    assert [due for due, _ in world.fired] == [MONDAY + DAY, MONDAY + 2 * DAY]


async def test_a_timer_that_hangs_is_named() -> None:
    world = World([MONDAY])
    world.moment = MONDAY - DAY
    stuck = _status("plan", MONDAY, 0, {}, {}, {"timers": {"due": MONDAY.isoformat(), "busy": True}})

    async def ask() -> dict[str, Status | str]:
        return {"plan": stuck}

    with pytest.raises(NotLevel, match="worker timers is at work"):
        await move(ask, MONDAY, MONDAY + DAY, world.set_clock, patience=0.05)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"published": 4}, "plan has published 4 of 5"),
        ({"published": None}, "plan has published None of 5"),
        ({"now": (MONDAY - DAY).isoformat()}, "plan's clock shows"),
        ({"views": {"employments": {"plan": 4}}}, "view employments has folded 4 of 5 from plan"),
        ({"listeners": {"notification": {"heard": 2, "reacted": 2, "moment": MONDAY.isoformat()}}}, "heard 2 of 3"),
        (
            {"listeners": {"notification": {"heard": 3, "reacted": 1, "moment": MONDAY.isoformat()}}},
            "reacted to 1 of 3",
        ),
        ({"listeners": {"notification": {"heard": 3, "reacted": 3, "moment": None}}}, "no moment yet"),
    ],
)
async def test_whatever_is_behind_is_said_in_words(change: dict[str, Any], said: str) -> None:
    world = World([])
    statuses = await world.ask()
    plan = statuses["plan"]
    assert not isinstance(plan, str)
    assert reasons(statuses, MONDAY) == []
    [reason] = reasons({**statuses, "plan": {**plan, "views": {}, **change}}, MONDAY)
    assert said in reason


async def test_what_is_due_now_is_not_the_next_thing() -> None:
    statuses = await World([MONDAY]).ask()
    assert next_due(statuses, MONDAY, MONDAY + DAY) is None
