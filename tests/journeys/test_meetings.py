"""What case-service says of a consent and of a referral is what meeting-service decides on, at once and without a token
between the two; and what comes of it stands in the case's timeline."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.journeys.house import House

from samordna.personas import AF, EMPLOYER_A

NOBODY = "196408233234"
"""The tax agency's own example of a personal identity number."""


@pytest.fixture(scope="module")
async def case(house: House) -> dict[str, Any]:
    """An open case with one employer, its need decided."""
    today = (await house.operator.get("meeting", "/status"))["now"][:10]
    job = {"orgNr": EMPLOYER_A, "employmentKind": "ORDINARY", "workplace": "Lagret"}
    later = (datetime.fromisoformat(today) + timedelta(days=100)).date().isoformat()
    body = {"personId": NOBODY, "employments": [job], "spellStart": today, "expectedEnd": later}
    opened = (await house.done("fk-handler", "POST", "case", "/v1/cases", json=body)).json()
    at = f"/v1/cases/{opened['caseId']}"
    need = {"need": True, "types": ["OCCUPATIONAL"]}
    await house.done("fk-handler", "POST", "case", f"{at}/need-decisions", json=need)
    starts = datetime.fromisoformat(today).replace(hour=8, tzinfo=UTC) + timedelta(days=30)
    meeting = {
        "kind": "STATUS",
        "startsAt": starts.isoformat(),
        "participants": [{"role": "PERSON"}, {"role": "EMPLOYER", "orgId": EMPLOYER_A}],
        "purpose": "Steg tillbaka",
    }
    return {"id": opened["caseId"], "at": at, "meeting": meeting, "wishedBy": later}


async def consented(house: House, case: dict[str, Any], scope: str, party: str | None = None) -> str:
    body = {
        "caseId": case["id"],
        "scope": scope,
        "purpose": "MEETING",
        "dataClasses": ["P", "I", "D", "W", "M2", "L"],
        "form": "WRITTEN",
        "evidenceRef": str(uuid4()),
    } | ({"counterparty": party} if party else {})
    return (await house.done("fk-handler", "POST", "case", "/v1/consents", json=body)).json()["consentId"]


async def test_a_consent_counts_the_moment_it_is_given_and_no_more_once_it_is_withdrawn(
    house: House, case: dict[str, Any]
) -> None:
    to = f"{case['at']}/meetings"
    for _ in range(5):
        refused = await house.call("fk-handler", "POST", "meeting", to, json=case["meeting"])
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/consent-missing")
        consent = await consented(house, case, "EMP", EMPLOYER_A)
        made = await house.done("fk-handler", "POST", "meeting", to, json=case["meeting"])
        at = f"{to}/{made.json()['meetingId']}"
        await house.done("hr-a", "POST", "meeting", f"{at}/answers", json={"answer": "YES", "arrangement": 1})
        await house.done("fk-handler", "POST", "case", f"/v1/consents/{consent}/withdrawal", json={})
        assert (await house.call("hr-a", "GET", "meeting", at)).status_code == 404
    listed = await house.read("fk-handler", "meeting", to)
    assert [m["marked"] for m in listed["items"]] == [True] * 5


async def test_an_assessment_follows_the_referral_that_af_accepted(house: House, case: dict[str, Any]) -> None:
    for scope in ("AF", "SUS_REG"):
        await consented(house, case, scope)
    sent = {
        "purpose": "JOINT_ASSESSMENT",
        "employmentStatus": "EMPLOYED",
        "incapacityPct": 50,
        "functionSummary": "Kan sitta",
        "wishedBy": case["wishedBy"],
    }
    made = await house.done("fk-handler", "POST", "case", f"{case['at']}/referrals", json=sent)
    referral = made.json()["referralId"]
    to = f"{case['at']}/joint-assessments"
    found = {
        "referralId": referral,
        "conclusion": "AF_ACTIVITY",
        "functionView": "Kan sitta",
        "workView": "Arbetsträning",
    }
    early = await house.call("fk-handler", "POST", "meeting", to, json=found)
    assert early.json()["type"] == "/problems/assessment-before-referral"
    accepted = f"/v1/referrals/{referral}/acceptance"
    await house.done("af-officer", "POST", "case", accepted, json={"officerRef": "officer-1"})
    await house.done("af-officer", "POST", "meeting", to, json=found)
    assert AF in str(await house.read("fk-handler", "case", f"{case['at']}/consents"))


async def test_the_cases_timeline_tells_of_its_meetings(house: House, case: dict[str, Any]) -> None:
    written = await house.done(
        "fk-handler", "POST", "meeting", f"{case['at']}/meetings", json=case["meeting"] | {
            "kind": "FOLLOW_UP", "participants": [{"role": "PERSON"}]
        },
    )  # fmt: skip
    position = {"Read-After": written.headers["Samordna-Position"]}
    page = await house.read("fk-handler", "case", f"{case['at']}/timeline?limit=100", headers=position)
    told = {(t["source"], t["event"]) for t in page["items"]}
    assert {("meeting", e) for e in ("MeetingCalled", "MeetingAnswered", "JointAssessmentHeld")} <= told


async def test_when_the_case_is_closed_its_meetings_are_cancelled(house: House, case: dict[str, Any]) -> None:
    closed = await house.done(
        "fk-handler", "POST", "case", f"{case['at']}/closing", json={"outcome": "ORDINARY_WORK"}
    )  # fmt: skip
    position = {"Read-After": closed.headers["Samordna-Position"]}
    listed = await house.read("fk-handler", "meeting", f"{case['at']}/meetings", headers=position)
    assert {(m["status"], m["reason"]) for m in listed["items"]} == {("CANCELLED", "CASE_CLOSED")}
