"""The whole local stack, from the command line: up, looked at, hurt, backed up, down, and nothing left behind."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from chassis.servers import CouldNotStart, Keeper, checkout_of
from chassis.servers.issuer import Issuer
from chassis.servers.process import comes_true
from samordna.members import MEMBERS, Member
from samordna.operator import NotThere, Operator
from samordna.personas import PERSONAS
from samordna.stack import Stack, stack_up
from samordna.state import load

CHECKOUT = checkout_of(Path(__file__))
NAME = f"try-{os.getpid()}"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    keeper = Keeper()
    stack = Stack(CHECKOUT, NAME, keep=keeper)
    try:
        async with stack_up(stack, START):
            yield stack
            known = load(stack.home / "state.json").processes
        assert [name for name, seen in known.items() if seen.alive()] == []
    finally:
        keeper.close()
        stack.wipe()
        stack.home.rmdir()


@pytest.fixture
def operator(stack: Stack) -> Operator:
    issuer = Issuer(stack.desk_url, (stack.home / "issuer.pem").read_bytes())
    return Operator(stack, issuer.token(PERSONAS["operator"]))


async def _samordna(*words: str, status: int = 0) -> str:
    """Run the command line in a process of its own; what it said on both outputs."""
    program = str(Path(sys.executable).with_name("samordna"))
    process = await asyncio.create_subprocess_exec(
        program, "--stack", NAME, *words, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    text = said.decode()
    assert process.returncode == status, text
    return text


def test_who_hears_whom_is_what_the_services_say_themselves() -> None:
    from case_service.main import service as case
    from meeting_service.main import service as meeting
    from notification_service.main import service as notification
    from plan_service.main import service as plan

    said = {s.name: tuple(f.service for f in s.hears) for s in (case, plan, meeting, notification)}
    assert said == {m.name: m.hears for m in MEMBERS}


async def test_everything_is_up_as_its_own_process_and_ready(stack: Stack) -> None:
    assert stack.running() == ["postgres", "nats", "desk", "case", "plan", "meeting", "notification"]
    async with httpx.AsyncClient() as client:
        for name in stack.members:
            assert (await client.get(f"{stack.url(name)}/health/ready")).status_code == 200
            assert (await client.get(f"{stack.url(name)}/status")).status_code == 401


async def test_a_second_up_says_that_it_is_up(stack: Stack) -> None:
    assert "uppe redan" in (said := await _samordna("up")) or "redan uppe" in said
    assert stack.url("plan") in said
    assert "FK_HANDLER=ey" in said


async def test_status_shows_processes_positions_and_lag(stack: Stack) -> None:
    said = await _samordna("status")
    for word in ("postgres", "nats", "desk", "plan", "notification", "utsänt / published", "hört / heard plan"):
        assert word in said


async def test_time_moves_for_everybody(stack: Stack, operator: Operator) -> None:
    before = await operator.now()
    moved = await operator.move_clock({"days": 30})
    assert await operator.now() == before + timedelta(days=30)
    assert datetime.fromisoformat(moved["now"]) == before + timedelta(days=30)
    for status in (await operator.statuses()).values():
        assert not isinstance(status, str)
        assert datetime.fromisoformat(status["now"]) == before + timedelta(days=30)


async def test_no_service_is_told_the_owners_password(stack: Stack) -> None:
    for name in stack.members:
        told = stack.environment(name)
        assert not [key for key in told if "OWNER" in key]
        assert stack.state.services[name].owner_password not in str(told)
        assert stack.state.postgres_password not in str(told)
    assert (stack.home / "state.json").stat().st_mode & 0o077 == 0


async def test_a_killed_service_stays_away_until_it_is_started_and_then_catches_up(
    stack: Stack, operator: Operator
) -> None:
    await stack.kill("plan")
    assert "plan" not in stack.running()
    assert "All connection attempts failed" in str((await operator.statuses())["plan"])
    await operator.move_clock({"days": 1, "without": ["plan"]})
    await stack.start("plan")
    await operator.level()


async def test_an_emptied_broker_is_filled_again(stack: Stack, operator: Operator) -> None:
    await stack.kill("nats")
    stack.nats.wipe()
    await stack.start("nats")
    await operator.level()


async def test_postgres_may_be_killed_under_the_services(stack: Stack, operator: Operator) -> None:
    await stack.kill("postgres")
    await stack.start("postgres")
    await operator.level()


async def test_what_a_service_says_no_to_is_said_in_its_words(stack: Stack, operator: Operator) -> None:
    with pytest.raises(NotThere, match="no such read model"):
        await operator.post("plan", "/ops/rebuild/nothing")
    assert "no such read model" in await _samordna("rebuild", "plan", "nothing", status=1)
    assert "finns inte" in await _samordna("events", "tail", "nobody", status=1)
    assert "läge / state" in await _samordna("dead-letters", "list")
    await _samordna("mail")


async def test_a_log_goes_out_and_comes_back_by_command(stack: Stack, operator: Operator, tmp_path: Path) -> None:
    log, keys = str(tmp_path / "plan.zip"), str(tmp_path / "plan.keys.zip")
    await _samordna("backup", "plan", log, "--keys", keys)
    assert "is running" in await _samordna("restore", "plan", log, status=1)
    await _samordna("stop", "plan")
    await _samordna("restore", "plan", log, "--keys", keys, "--set-aside")
    aside = await stack.postgres.execute("SELECT datname FROM pg_database WHERE datname LIKE 'plan%_before_%'")
    assert len(aside) == 2
    await _samordna("start", "plan")
    assert stack.process("plan") is not None, "Another command started it; whoever stops the stack must know of it."
    await operator.level()


async def test_what_another_command_started_is_not_forgotten_when_we_start_something(stack: Stack) -> None:
    await _samordna("stop", "plan")
    await _samordna("start", "plan")
    theirs = load(stack.home / "state.json").processes["plan"]
    await stack.kill("meeting")
    await stack.start("meeting")
    assert load(stack.home / "state.json").processes["plan"] == theirs
    assert theirs.alive()


async def test_a_service_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    keeper = Keeper()
    broken = Stack(tmp_path, members=[Member(name="plan", module="no_such_service.main", hears=())], keep=keeper)
    with pytest.raises(CouldNotStart, match=r"(?s)plan-service could not be started.*No module named 'no_such"):
        async with stack_up(broken):
            pass
    assert broken.running() == []
    keeper.close()
    if broken.place.moved:
        shutil.rmtree(broken.place.data.parent)


async def test_a_clock_that_has_begun_cannot_begin_anew(stack: Stack) -> None:
    said = await _samordna("up", "--at", "2026-09-01", status=1)
    assert "samordna down --wipe" in said


async def test_a_token_makes_the_insured_person_whoever_a_case_is_about(stack: Stack) -> None:
    person = "0190f3a0-0000-7000-8000-000000000001"
    token = (await _samordna("token", "insured", "--person", person)).strip()
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == person
    assert "--person" in await _samordna("token", "hr-a", "--person", person, status=1)


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Whoever starts the tests in the background of a shell makes them, and all that they start, deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_up_stays_and_ends_everything_when_told_to(how: signal.Signals, heeds_ctrl_c: None) -> None:
    name = f"{NAME}-{how.name.lower()}"
    up = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("samordna")), "--stack", name, "up", cwd=CHECKOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert up.stdout is not None
    async for line in up.stdout:
        if b"Ctrl-C" in line:
            break
    stack = Stack(CHECKOUT, name)
    assert stack.running() == stack.names
    up.send_signal(how)
    said = (await up.stdout.read()).decode()
    await up.wait()
    assert "Stoppar" in said
    assert stack.running() == []
    stack.wipe()
    stack.home.rmdir()


async def test_nothing_is_left_when_up_itself_is_killed() -> None:
    name = f"{NAME}-killed"
    up = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("samordna")), "--stack", name, "up", cwd=CHECKOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert up.stdout is not None
    async for line in up.stdout:
        if b"NATS" in line:
            break
    state = CHECKOUT / "build" / name / "state.json"
    assert await comes_true(lambda: state.exists() and "nats" in json.loads(state.read_text())["processes"], 20)
    up.kill()
    await up.wait()
    stack = Stack(CHECKOUT, name)
    assert await comes_true(lambda: stack.running() == [], 20)
    assert await comes_true(lambda: nothing_left(stack), 20)


def nothing_left(stack: Stack) -> bool:
    """Wiped, for good: initdb, which is no part of the stack, may have been at work when its parent was killed."""
    stack.wipe()
    try:
        stack.home.rmdir()
    except OSError:
        return False
    return True
