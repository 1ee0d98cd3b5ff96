"""An employer finds the employment of its employee by number: case-service and plan-service at work together."""

import asyncio
from datetime import UTC, datetime

import httpx

from chassis.testing_service import RunService
from plan_service.api.finding import people
from plan_service.people import People

DAY_20 = datetime(2026, 3, 21, 11, tzinfo=UTC)
EMPLOYER_A, EMPLOYER_B = "5560360793", "5560009010"
NUMBER = "196408233234"
"""One that Skatteverket gives out for tests."""


async def test_a_case_that_fk_opens_is_found_by_its_employer_and_by_no_other(run_service: RunService) -> None:
    async with run_service("case_service.main", at=DAY_20) as case, run_service("plan_service.main", at=DAY_20) as plan:
        over_there = httpx.AsyncClient(transport=httpx.ASGITransport(case.app), base_url="http://case")
        plan.app.dependency_overrides[people] = lambda: People(over_there)
        opened = await case.by("fk.handler").post(
            "/v1/cases",
            json={
                "personId": NUMBER,
                "employments": [{"orgNr": EMPLOYER_A, "employmentKind": "ORDINARY", "workplace": "Lagret"}],
                "spellStart": "2026-03-02",
                "expectedEnd": "2026-06-29",
            },
        )
        assert opened.status_code == 201, opened.text
        (employment,) = opened.json()["employments"]
        at = f"/v1/employments/{employment['employmentId']}"
        fk = plan.by("fk.handler")
        async with asyncio.timeout(20):
            while (await fk.get(at)).status_code == 404:  # noqa: ASYNC110 - until the news has come
                await asyncio.sleep(0.05)

        asked = {"personId": "640823-3234", "orgNr": EMPLOYER_A}
        found = await plan.by("emp.hr", org_id=EMPLOYER_A).post("/v1/employments/search", json=asked)
        assert (found.status_code, found.json()["employmentId"]) == (200, employment["employmentId"])
        assert (await fk.post("/v1/employments/search", json=asked)).json()["employmentId"] == employment[
            "employmentId"
        ]
        for org_nr in (EMPLOYER_A, EMPLOYER_B):
            other = plan.by("emp.hr", org_id=EMPLOYER_B)
            assert (await other.post("/v1/employments/search", json=asked | {"orgNr": org_nr})).status_code == 404
        wrong = await fk.post("/v1/employments/search", json=asked | {"personId": "640823-3235"})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/invalid-person-id")

        extended = await case.by("fk.handler").post(
            f"/v1/cases/{opened.json()['caseId']}/extensions", json={"newExpectedEnd": "2026-08-31"}
        )
        assert extended.status_code == 201, extended.text
        heard = {"Read-After": extended.headers["Samordna-Position"]}
        assert (await fk.get(at, headers=heard)).json()["expectedDays"] == 183
        await over_there.aclose()
