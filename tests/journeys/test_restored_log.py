"""A log that was restored from a backup older than its stream is recognised before it takes a single write.

The shared stack is hurt here, and whole again when the last of these has been played."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.journeys.house import House

from chassis.__main__ import STOPPED_ITSELF
from samordna.backup import Manifest, back_up
from samordna.operator import restore_service
from samordna.tail import tail


@dataclass
class Backups:
    """Two backups of plan-service's log, with its keys, and the stream as it was when more had been written."""

    older: Path
    older_keys: Path
    newer: Path
    head: dict[Path, int]
    early: str
    late: str


@pytest.fixture(scope="module")
async def backups(house: House, tmp_path_factory: pytest.TempPathFactory) -> Backups:
    folder, (early, _) = tmp_path_factory.mktemp("backups"), await house.registered()
    older = await kept(house, "log", folder / "older.zip")
    await kept(house, "keys", folder / "older.keys.zip")
    late, _ = await house.registered()
    await house.done("fk-handler", "POST", "plan", f"{late}/plan-requests", json={})
    await house.operator.level()
    newer = await kept(house, "log", folder / "newer.zip")
    heads = {folder / "older.zip": older.head, folder / "newer.zip": newer.head}
    return Backups(folder / "older.zip", folder / "older.keys.zip", folder / "newer.zip", heads, early, late)


async def kept(house: House, kind: str, file: Path) -> Manifest:
    told = house.stack.environment("plan", owner=True)
    return await back_up("plan", kind, told[f"SAMORDNA_{'KEYS_' if kind == 'keys' else ''}OWNER_DATABASE_URL"], file)


@dataclass
class Served:
    """plan-service's process, started as the stack does it, and not waited for. `said` is done when it has ended."""

    process: asyncio.subprocess.Process
    said: asyncio.Task[bytes]


@asynccontextmanager
async def served(house: House) -> AsyncGenerator[Served, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chassis", "serve", "plan_service.main", env=house.stack.environment("plan"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = asyncio.create_task(last_words(process))
    try:
        yield Served(process, said)
    finally:
        if process.returncode is None:
            process.kill()
        await said


async def last_words(process: asyncio.subprocess.Process) -> bytes:
    said, _ = await process.communicate()
    return said


async def answers_to_writes(house: House, plan: Served) -> set[int]:
    """What a party is answered that tries to write again and again, until the process has ended."""
    seen = set[int]()
    while not plan.said.done():
        path, body = house.employment()
        try:
            seen.add((await house.call("fk-handler", "PUT", "plan", path, json=body)).status_code)
        except httpx.TransportError:
            await asyncio.sleep(0.02)
    return seen


async def stream_of_plan(house: House) -> list[tuple[int, str]]:
    return [(seen.position, seen.name) async for seen in tail(house.stack.nats.url("ops"), "plan", 1000, False)]


async def restore(house: House, backups: Backups, keys: Path | None = None) -> None:
    await house.stack.stop("plan")
    await restore_service(house.stack, "plan", backups.older, keys, set_aside=True)


async def test_the_service_takes_no_write_stops_and_says_what_to_do(house: House, backups: Backups) -> None:
    before = await stream_of_plan(house)
    await house.stack.stop("plan")
    await restore_service(house.stack, "plan", backups.older, backups.older_keys, set_aside=True)
    async with served(house) as plan:
        assert await answers_to_writes(house, plan) <= {503}
        words = (await plan.said).decode()
    assert plan.process.returncode == STOPPED_ITSELF, words
    assert f"ends before position {backups.head[backups.newer]}, which its stream has already published" in words
    assert "docs/runbooks/log-behind-stream.md" in words
    assert (await house.heads())["plan"] == backups.head[backups.older]
    assert await stream_of_plan(house) == before


async def test_nothing_is_taken_while_the_broker_cannot_be_asked_either(house: House, backups: Backups) -> None:
    await house.stack.kill("nats")
    async with served(house) as plan:
        while (ready := await health(house)) is None:
            assert not plan.said.done(), (await plan.said).decode()
        assert ready.status_code == 503
        path, body = house.employment()
        refused = await house.call("fk-handler", "PUT", "plan", path, json=body)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/not-ready-to-write")
        assert refused.headers["Retry-After"]
        await house.read("fk-handler", "plan", backups.early)  # what is there can be read meanwhile
        await house.stack.start("nats")
        assert await answers_to_writes(house, plan) <= {503}
    assert plan.process.returncode == STOPPED_ITSELF, (await plan.said).decode()
    assert (await house.heads())["plan"] == backups.head[backups.older]


async def health(house: House) -> httpx.Response | None:
    try:
        return await house.call(None, "GET", "plan", "/health/ready")
    except httpx.TransportError:
        await asyncio.sleep(0.02)
        return None


async def test_a_newer_copy_leads_out_of_it_as_the_runbook_says(
    house: House, backups: Backups, pytestconfig: pytest.Config
) -> None:
    runbook = (pytestconfig.rootpath / "docs" / "runbooks" / "log-behind-stream.md").read_text()
    commands = next(b for b in re.findall(r"```sh\n(.*?)```", runbook, re.DOTALL) if "NEWER.zip" in b)
    for line in commands.split("\n"):
        if words := line.replace("NEWER.zip", str(backups.newer)).split():
            await run(pytestconfig.rootpath, house, *words)
    (status,) = [s for n, s in (await house.operator.level())["services"].items() if n == "plan"]
    assert status["published"] == status["head"] == backups.head[backups.newer]
    assert (await house.read("fk-handler", "plan", backups.late))["planStatus"] == "REQUESTED"
    assert (await house.read("fk-handler", "plan", backups.early))["workplace"] == "Lagret"  # its key is there too
    path, body = house.employment()
    taken = await house.done("fk-handler", "PUT", "plan", path, json=body)
    assert taken.headers["Samordna-Position"] == f"plan:{backups.head[backups.newer] + 1}"
    heard = (await house.operator.level())["services"]["notification"]["listeners"]["plan"]
    assert heard["reacted"] == backups.head[backups.newer] + 1


async def run(root: Path, house: House, program: str, *words: str) -> None:
    """A command of the runbook, on this stack instead of the usual one."""
    process = await asyncio.create_subprocess_exec(
        root / program, "--stack", house.stack.home.name, *words, cwd=root,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
