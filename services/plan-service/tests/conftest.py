"""The plan service at work, and parties that call it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing_service import Running, RunService

DAY_31 = datetime(2026, 4, 1, 10, tzinfo=UTC)
"""Noon in Sweden, on day 31 of a sick leave that began on 2 March."""

EMPLOYER_A, EMPLOYER_B = "5560360793", "5560009010"
DEMO_PDF = Path(__file__).parents[3] / "deploy" / "demo" / "plan-employer-a.pdf"

ACTIVITY = {
    "kind": "PART_TIME",
    "description": "Halvtid i packningen",
    "responsible": "Arbetsledare",
    "start": "2026-04-13",
    "end": "2026-05-31",
    "followUp": "2026-04-24",
    "targetPct": 50,
}
PLAN = {
    "channel": "PORTAL",
    "drawnUpOn": "2026-03-27",
    "employeeConsulted": True,
    "activities": [ACTIVITY],
    "returnDate": "2026-06-01",
}


class Desk:
    """FK's handler, and HR at employer A and at employer B, calling a running plan service."""

    noon = DAY_31
    pdf = DEMO_PDF.read_bytes()

    def __init__(self, running: Running) -> None:
        self.running = running
        self.fk = running.by("fk.handler")
        self.specialist = running.by("fk.specialist")
        self.a = running.by("emp.hr", org_id=EMPLOYER_A)
        self.b = running.by("emp.manager", org_id=EMPLOYER_B)

    async def registered(self, **other: Any) -> str:
        """The address of a new employment at employer A."""
        at = f"/v1/employments/{uuid4()}"
        answer = await self.fk.put(at, json=self.particulars(**other))
        assert answer.status_code == 201, answer.text
        return at

    @staticmethod
    def particulars(**other: Any) -> dict[str, Any]:
        return {
            "caseId": str(uuid4()),
            "personRef": str(uuid4()),
            "orgNr": EMPLOYER_A,
            "employmentKind": "ORDINARY",
            "workplace": "Lagret i Norr",
            "spellStart": "2026-03-02",
            "expectedDays": 90,
        } | other

    async def uploaded(self, at: str, content: bytes | None = None) -> httpx.Response:
        body = self.pdf if content is None else content
        return await self.a.post(f"{at}/documents", content=body, headers={"Content-Type": "application/pdf"})

    async def submitted(self, at: str, **other: Any) -> str:
        """The address of a new plan."""
        answer = await self.a.post(f"{at}/plans", json=PLAN | other)
        assert answer.status_code == 201, answer.text
        return f"{at}/plans/{answer.json()['planId']}"

    async def read(self, at: str, by: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await (by or self.fk).get(at)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def etag(self, at: str) -> dict[str, str]:
        return {"If-Match": (await self.fk.get(at)).headers["ETag"]}

    async def facts(self) -> list[str]:
        """The names of all facts in the log, in order."""
        return [r[0] for r in await self.running.runtime.pool.fetch("select type from events order by position")]


@pytest.fixture(scope="module")
async def desk(run_service: RunService) -> AsyncIterator[Desk]:
    async with run_service("plan_service.main", at=DAY_31) as running:
        yield Desk(running)
