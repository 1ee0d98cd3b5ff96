"""No step of the story comes true by itself: in a house that answers and does nothing each of them fails.

The checks of the real steps are tried here; what becomes of the whole story then, in test_story_breaks.py."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from rich.console import Console

from chassis.servers.issuer import Issuer
from samordna.demo import looking, story
from samordna.demo.play import Ids, Play, read_script

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
STEPS = [(name, step) for name, _, step in story.STORY]


class IdleStack:
    """Services that live through everything and do nothing; a broker that carries nothing."""

    members = ("case", "plan", "meeting", "notification")

    def __init__(self, home: Path) -> None:
        self.home, self.nats = home, self

    async def kill(self, name: str) -> None: ...

    async def start(self, name: str) -> None: ...

    def wipe(self) -> None: ...


class IdleOperator:
    """Time moves and nothing comes of it."""

    async def move_clock(self, want: Mapping[str, Any]) -> None: ...

    async def level(self) -> dict[str, Any]:
        idle = {"published": 1, "head": 5, "listeners": {"plan": {"heard": 1}}}
        return {"services": dict.fromkeys(IdleStack.members, idle)}

    async def get(self, service: str, path: str) -> dict[str, Any]:
        return {"head": 5, "items": ["set aside"], "digest": "one"}

    async def post(self, service: str, path: str) -> dict[str, Any]:
        return {"folded": 0, "digest": "another"}

    async def mail(self) -> list[Any]:
        return []


@dataclass
class EmptyHouse(Play):
    """Every call is answered in the same way, whoever asks for whatever."""

    answer: httpx.Response = field(default_factory=lambda: httpx.Response(503))

    async def call(self, who: str | None, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        return self.answer


def says(status: int) -> httpx.Response:
    body = {"type": "/problems/busy", "items": [], "next": None, "_links": {"self": {"href": "/v1/nothing"}}}
    return httpx.Response(status, json=body, headers={"Samordna-Position": "case:1", "ETag": '"1"'})


async def nothing_on_the_bus(play: Play) -> AsyncGenerator[bytes, None]:
    for message in tuple[bytes, ...]():
        yield message


@pytest.mark.parametrize("status", [200, 201, 404, 503])
@pytest.mark.parametrize(("name", "step"), STEPS)
async def test_a_step_fails_where_services_answer_and_do_nothing(
    name: str, step: story.Step, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "bus", nothing_on_the_bus)
    stack: Any = IdleStack(tmp_path)
    operator: Any = IdleOperator()
    house = EmptyHouse(stack, read_script(DEMO), operator, Issuer("http://nowhere"), {}, Console(quiet=True))
    house.answer = says(status)
    for which in ("A", "B"):
        house.knows(which, Ids(*(str(uuid4()) for _ in range(3))))
    ids = ("info", "plan", "meeting", "referral")
    house.notes |= {what: str(uuid4()) for what in ids} | {"activities": [str(uuid4()), str(uuid4())]}
    try:
        async with house.step(name, name):
            await step(house)
    except story.TROUBLES:
        return
    assert house.failed
