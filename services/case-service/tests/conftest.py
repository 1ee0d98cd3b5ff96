"""The case service at work, and parties that call it."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from stdnum import luhn

from chassis.testing_service import Running, RunService

DAY_20 = datetime(2026, 3, 21, 11, tzinfo=UTC)
"""Noon in Sweden, on day 20 of a sick leave that began on 2 March."""

EMPLOYER_A, EMPLOYER_B = "5560360793", "5560009010"
_births = itertools.count()


def somebody(coordination: bool = False) -> str:
    """A number that is valid and belongs to nobody: born far in the past, each time another."""
    n = next(_births)
    born = date(1890, 1, 1) + timedelta(days=n)
    short = f"{born:%y%m}{born.day + 60 * coordination:02}980"
    return f"{born:%Y}"[:2] + short + luhn.calc_check_digit(short)


class Desk:
    """FK's handler, health care, employers and AF, calling a running case service."""

    noon = DAY_20

    def __init__(self, running: Running) -> None:
        self.running = running
        self.fk = running.by("fk.handler")
        self.manager = running.by("fk.unit_manager")
        self.care = running.by("care.coordinator")
        self.af = running.by("af.officer")
        self.a = running.by("emp.hr", org_id=EMPLOYER_A)

    somebody = staticmethod(somebody)

    @staticmethod
    def particulars(**other: Any) -> dict[str, Any]:
        return {
            "personId": somebody(),
            "employments": [{"orgNr": EMPLOYER_A, "employmentKind": "ORDINARY", "workplace": "Lagret i Norr"}],
            "spellStart": "2026-03-02",
            "expectedEnd": "2026-06-29",
        } | other

    async def opened(self, **other: Any) -> dict[str, Any]:
        """What a new case was answered with, and the number it was opened with."""
        body = self.particulars(**other)
        answer = await self.fk.post("/v1/cases", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json() | {"personId": body["personId"], "at": f"/v1/cases/{answer.json()['caseId']}"}

    async def decided(self, at: str, need: bool = True) -> None:
        body = {"need": need, "types": ["OCCUPATIONAL"] if need else []}
        answer = await self.fk.post(f"{at}/need-decisions", json=body)
        assert answer.status_code == 201, answer.text

    async def consented(self, opened: dict[str, Any], **other: Any) -> str:
        """The id of a consent towards AF that FK has noted."""
        answer = await self.fk.post("/v1/consents", json=self.consent(opened["caseId"], **other))
        assert answer.status_code == 201, answer.text
        return answer.json()["consentId"]

    async def consented_in_care(self, opened: dict[str, Any], **other: Any) -> str:
        own = {"personId": opened["personId"], "scope": "KOORD_TO_FK", "purpose": "COORDINATION_MEASURES"}
        body = self.consent(None, **own, **other)
        answer = await self.care.post("/v1/consents", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["consentId"]

    async def certified(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A new case, and what was sent in of the certificate in it."""
        opened = await self.opened()
        body = self.certificate(opened["personId"], diagnoses=["F438"])
        answer = await self.care.post("/v1/certificates", json=body)
        assert answer.status_code == 201, answer.text
        return opened, body

    @staticmethod
    def certificate(person_id: str, **other: Any) -> dict[str, Any]:
        return {
            "personId": person_id,
            "certificateId": str(uuid4()),
            "unit": "SE2321000016-1A2B",
            "periods": [{"start": "2026-03-09", "end": "2026-04-30", "pct": 100}],
            "functionLimits": "Nedsatt uthållighet",
            "activityLimits": "Orkar inte högt tempo",
            "prognosis": "UNCLEAR",
        } | other

    @staticmethod
    def consent(case_id: str | None, **other: Any) -> dict[str, Any]:
        return {
            "scope": "AF",
            "purpose": "JOINT_ASSESSMENT",
            "dataClasses": ["P", "I", "D", "W", "M2", "L"],
            "form": "WRITTEN",
            "evidenceRef": str(uuid4()),
        } | ({"caseId": case_id} if case_id else {}) | other  # fmt: skip

    @staticmethod
    def referral(**other: Any) -> dict[str, Any]:
        return {
            "purpose": "JOINT_ASSESSMENT",
            "employmentStatus": "EMPLOYED",
            "incapacityPct": 50,
            "functionSummary": "Kan arbeta sittande",
            "wishedBy": "2026-04-30",
        } | other

    @staticmethod
    def info(person_id: str, **other: Any) -> dict[str, Any]:
        return {
            "personId": person_id,
            "unit": "SE2321000016-1A2B",
            "coordinator": "SE2321000016-9Z",
            "aim": "SHORTEN",
            "contactWanted": True,
            "consentAt": "2026-03-20T09:00:00Z",
        } | other

    async def referred(self) -> tuple[dict[str, Any], str, str]:
        """A case, its consent towards AF, and the address of a referral under it."""
        opened = await self.opened()
        await self.decided(opened["at"])
        consent = await self.consented(opened)
        answer = await self.fk.post(f"{opened['at']}/referrals", json=self.referral())
        assert answer.status_code == 201, answer.text
        return opened, consent, f"/v1/referrals/{answer.json()['referralId']}"

    async def read(self, at: str, by: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await (by or self.fk).get(at)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def facts(self) -> list[str]:
        """The names of all facts in the log, in order."""
        return [r[0] for r in await self.running.runtime.pool.fetch("select type from events order by position")]


@pytest.fixture(scope="module")
async def desk(run_service: RunService) -> AsyncIterator[Desk]:
    async with run_service("case_service.main", at=DAY_20) as running:
        yield Desk(running)
