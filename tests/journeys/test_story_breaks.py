"""The story fails when any one of its steps does, in whatever way: it ends with 1, and build/demo.json says so.

The stage is cheap here: no stack is started, and the other steps merely expect that one is one."""

import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from chassis.servers.issuer import Issuer
from samordna import cli
from samordna.demo import story
from samordna.demo.play import Play
from samordna.operator import NotThere

Step = Callable[[Play], Awaitable[None]]
NAMES = [name for name, _, _ in story.STORY]
DEMO = Path(__file__).parents[2] / "deploy" / "demo"


async def fine(play: Play) -> None:
    play.expect("one is one", True)


async def not_met(play: Play) -> None:
    play.expect("one is one", True)
    play.expect("one is two", False)


async def needed(play: Play) -> None:
    play.need("one is two", False)


async def no_answer(play: Play) -> None:
    play.expect("one is one", True)
    raise httpx.ConnectError("nobody listens")


async def refused(play: Play) -> None:
    raise NotThere("not for you")


async def missing(play: Play) -> None:
    play.expect("a field", {"planId": 1}["planid"])


async def checks_nothing(play: Play) -> None:
    pass


async def a_slip(play: Play) -> None:
    """An error that nobody has thought of."""
    play.expect("a length", len(None))  # type: ignore[arg-type]


GOES_ON: list[Step] = [not_met, checks_nothing]
ENDS: list[Step] = [needed, no_answer, refused, missing]


class CheapStage:
    """What the story asks of a stack before its first step."""

    def __init__(self, checkout: Path, name: str, **_: Any) -> None:
        self.home, self.desk_url, self.members = checkout / "build" / name, "http://nowhere", {}
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "issuer.pem").write_bytes(Issuer(self.desk_url).key_pem())

    async def down(self) -> None: ...

    def wipe(self) -> None: ...


@contextlib.asynccontextmanager
async def cheap_stage_up(stage: CheapStage, at: object) -> AsyncGenerator[CheapStage, None]:
    yield stage


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which the story is played on a cheap stage, every step of it fine."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "demo").symlink_to(DEMO)
    monkeypatch.setattr(story, "Stack", CheapStage)
    monkeypatch.setattr(story, "stack_up", cheap_stage_up)
    monkeypatch.setattr(story, "STORY", tuple((name, title, fine) for name, title, _ in story.STORY))
    return tmp_path


Sabotage = Callable[[str, Step], None]


@pytest.fixture
def sabotage(monkeypatch: pytest.MonkeyPatch) -> Sabotage:
    """`sabotage("door", how)`: that step goes wrong in that way, and all others are fine."""

    def go_wrong(name: str, how: Step) -> None:
        monkeypatch.setattr(story, "STORY", tuple((n, t, how if n == name else fine) for n, t, _ in story.STORY))

    return go_wrong


async def told(checkout: Path) -> tuple[bool, dict[str, Any]]:
    """Does the story say that all came true, and what does build/demo.json say?"""
    true = await story.tell(checkout, Console(quiet=True))
    return true, json.loads((checkout / "build" / "demo.json").read_text())


async def test_a_story_in_which_all_is_fine_says_so(checkout: Path) -> None:
    true, written = await told(checkout)
    assert true
    assert (written["expectations"], written["met"]) == (len(NAMES), len(NAMES))
    assert written["steps"] == dict.fromkeys(NAMES, 1)
    assert written["seconds"] >= 0


@pytest.mark.parametrize("how", GOES_ON)
async def test_a_step_that_expects_in_vain_or_nothing_fails_the_story_and_the_others_are_played(
    checkout: Path, sabotage: Sabotage, how: Step
) -> None:
    for name in NAMES:
        sabotage(name, how)
        true, written = await told(checkout)
        assert not true
        assert written["expectations"] - written["met"] == 1
        assert written["met"] == len(NAMES) - (how is checks_nothing)
        assert list(written["steps"]) == NAMES
        assert written["steps"][name] == (2 if how is not_met else 1)


@pytest.mark.parametrize("how", ENDS)
async def test_after_a_step_that_cannot_be_played_no_later_one_counts_as_met(
    checkout: Path, sabotage: Sabotage, how: Step
) -> None:
    for played, name in enumerate(NAMES):
        sabotage(name, how)
        true, written = await told(checkout)
        assert not true
        assert written["met"] == played + (how is no_answer)
        assert written["expectations"] - written["met"] >= len(NAMES) - played
        assert list(written["steps"]) == NAMES


def test_the_command_ends_with_0_only_when_all_came_true(
    checkout: Path, sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_checkout", lambda: checkout)
    for how, code in ((fine, 0), (not_met, 1), (no_answer, 1), (checks_nothing, 1), (a_slip, 1)):
        sabotage("assessed", how)
        done = CliRunner().invoke(cli.app, ["demo"])
        assert done.exit_code == code, how.__name__


async def test_an_earlier_success_does_not_outlive_a_story_that_breaks_off(checkout: Path, sabotage: Sabotage) -> None:
    written = checkout / "build" / "demo.json"
    written.parent.mkdir()
    written.write_text('{"expectations": 69, "met": 69}')
    sabotage("assessed", a_slip)
    with pytest.raises(TypeError):
        await story.tell(checkout, Console(quiet=True))
    assert not written.exists()
