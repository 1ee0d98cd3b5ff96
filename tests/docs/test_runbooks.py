"""Do the runbooks lead out of trouble? What they say is done here, word for word, on real servers."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from chassis.keys import PersonForgotten, PostgresKeys
from chassis.servers import CouldNotStart, Keeper
from chassis.servers.issuer import Issuer
from chassis.testing_stack import Databases, keys_schema
from samordna.backup import back_up
from samordna.operator import Operator, restore_service
from samordna.personas import EMPLOYER_A, PERSONAS
from samordna.stack import Stack, stack_up

MASTER = bytes(32)


def blocks(root: Path, runbook: str, language: str) -> list[str]:
    text = (root / "docs/runbooks" / runbook).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


# --- log-behind-stream.md ---


class Office:
    """FK's handler and the operator, at work on a local stack."""

    def __init__(self, stack: Stack) -> None:
        issuer = Issuer(stack.desk_url, (stack.home / "issuer.pem").read_bytes())
        self.stack, self.operator = stack, Operator(stack, issuer.token(PERSONAS["operator"]))
        self._headers = {"Authorization": f"Bearer {issuer.token(PERSONAS['fk-handler'])}"}

    async def register(self, employment: UUID, case: UUID) -> None:
        body = {
            "caseId": str(case), "personRef": str(UUID(int=case.int ^ 1)), "orgNr": EMPLOYER_A,
            "employmentKind": "ORDINARY", "workplace": "Lagret", "spellStart": "2026-03-02", "expectedDays": 90,
        }  # fmt: skip
        async with httpx.AsyncClient(headers=self._headers) as client:
            answer = await client.put(f"{self.stack.url('plan')}/v1/employments/{employment}", json=body)
        assert answer.status_code == 201, answer.text

    async def deadlines(self, case: UUID) -> list[Any]:
        async with httpx.AsyncClient(headers=self._headers) as client:
            answer = await client.get(f"{self.stack.url('notification')}/v1/cases/{case}/deadlines")
        return answer.json()["items"]


@pytest.fixture
async def stack(root: Path) -> AsyncIterator[Stack]:
    keeper = Keeper()
    stack = Stack(root, f"runbook-{os.getpid()}", keep=keeper)
    try:
        async with stack_up(stack, datetime(2026, 3, 2, 8, tzinfo=UTC)):
            yield stack
    finally:
        keeper.close()
        stack.wipe()
        stack.home.rmdir()


async def test_a_log_behind_its_stream_is_given_up_as_the_last_resort_says(
    root: Path, stack: Stack, tmp_path: Path
) -> None:
    office, kept, lost, case, archive = Office(stack), uuid4(), uuid4(), uuid4(), tmp_path / "plan.zip"
    await office.register(kept, uuid4())
    await office.operator.level()
    backup = await back_up("plan", "log", stack.environment("plan", owner=True)["SAMORDNA_OWNER_DATABASE_URL"], archive)
    await office.register(lost, case)
    await office.operator.level()
    before = await office.deadlines(case)
    assert len(before) > 0

    await stack.stop("plan")
    await restore_service(stack, "plan", archive, None, set_aside=True)
    with pytest.raises(CouldNotStart, match=r"ends before position \d+, which its stream has already"):
        await stack.start("plan")

    await stack.stop("notification")
    (statements,) = blocks(root, "log-behind-stream.md", "sql")
    hearer = await asyncpg.connect(stack.environment("notification", owner=True)["SAMORDNA_OWNER_DATABASE_URL"])
    await hearer.execute(statements.replace("40", str(backup.head)))
    await hearer.close()
    (delete,) = (b for b in blocks(root, "log-behind-stream.md", "sh") if "delete_stream" in b)
    _, program, url, name = delete.split()
    url = url.replace("PASSWORD@HOST:4222", f"{stack.nats.passwords['ops']}@127.0.0.1:{stack.nats.port}")
    deleted = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(root / program), url, name], capture_output=True, text=True, check=False
    )
    assert deleted.returncode == 0, deleted.stderr
    await stack.start("plan")
    await stack.start("notification")

    await office.register(lost, case)
    await office.operator.level()
    assert await office.deadlines(case) == before
    status: dict[str, Any] = dict(await office.operator.statuses())
    assert status["plan"]["published"] == status["plan"]["head"] == backup.head + 1
    heard = status["notification"]["listeners"]["plan"]
    assert heard["heard"] == heard["reacted"] == backup.head + 1


# --- keys-database.md ---


async def test_a_person_whose_key_is_lost_is_closed_and_gets_no_second_one(root: Path, database: Databases) -> None:
    person, where = uuid4(), b"place"
    keys = await database("plan_keys", setup=keys_schema, roles="plan")
    async with asyncpg.create_pool(keys.app_url, min_size=1, max_size=1) as pool:
        sealed = await PostgresKeys(pool, MASTER).seal(person, where, b"text")
        owner = await asyncpg.connect(keys.owner_url)
        await owner.execute("delete from subject_keys")  # lost
        close = next(b for b in blocks(root, "keys-database.md", "sql") if "insert into subject_keys" in b)
        await owner.execute(close.replace("00000000-0000-0000-0000-000000000000", str(person)))
        await owner.close()
        restarted = PostgresKeys(pool, MASTER)
        assert await restarted.open(person, where, sealed) is None
        with pytest.raises(PersonForgotten):
            await restarted.seal(person, where, b"more")
