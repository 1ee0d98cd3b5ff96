"""What cannot be taken is answered with a problem document, leaves nothing behind, and is never repeated back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

PROBLEM = "application/problem+json"
JSON = {"Content-Type": "application/json"}
SOLE_TRADER = "6408233234"
"""The tax agency's own example of a personal identity number; it belongs to nobody."""


def problem(answer: httpx.Response, status: int, type: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), answer.text
    body = answer.json()
    assert body["type"] == f"/problems/{type}"
    assert body["detail"]
    return body


async def refused_whole(desk: Any, ask: Any, status: int, type: str) -> dict[str, Any]:
    """The problem that `ask` is answered with; no fact follows."""
    before = await desk.facts()
    found = problem(await ask, status, type)
    assert await desk.facts() == before
    return found


async def test_a_body_that_is_not_json(desk: Any) -> None:
    ask = desk.fk.put(f"/v1/employments/{uuid4()}", content=b'{"caseId": ', headers=JSON)
    await refused_whole(desk, ask, 400, "malformed-json")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"expectedDays": "ninety"}, "expectedDays"),
        ({"expectedDays": "90"}, "expectedDays"),
        ({"expectedDays": 0}, "expectedDays"),
        ({"expectedDays": 3651}, "expectedDays"),
        ({"expectedDays": True}, "expectedDays"),
        ({"spellStart": "2026-02-30"}, "spellStart"),
        ({"spellStart": 20260302}, "spellStart"),
        ({"spellStart": "2026-03-02T10:00:00Z"}, "spellStart"),
        ({"spellStart": "0026-03-02"}, "spellStart"),
        ({"employmentKind": "TEMPORARY"}, "employmentKind"),
        ({"workplace": ""}, "workplace"),
        ({"workplace": "x" * 201}, "workplace"),
        ({"workplace": None}, "workplace"),
        ({"caseId": "none"}, "caseId"),
        ({"orgNr": 5560360793}, "orgNr"),
    ],
)
async def test_a_field_of_the_wrong_kind_is_named(desk: Any, change: dict[str, Any], field: str) -> None:
    ask = desk.fk.put(f"/v1/employments/{uuid4()}", json=desk.particulars(**change))
    found = await refused_whole(desk, ask, 422, "invalid-input")
    assert [e["field"] for e in found["errors"]] == [field]


async def test_an_unknown_field_is_refused_and_not_repeated(desk: Any) -> None:
    ask = desk.fk.put(f"/v1/employments/{uuid4()}", json=desk.particulars(diagnosMarker="F32"))
    found = await refused_whole(desk, ask, 422, "invalid-input")
    assert "diagnosMarker" not in str(found)
    assert "F32" not in str(found)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("5560360794", "check digit"),
        ("55603607", "ten digits"),
        ("55603607AB", "ten digits"),
        (SOLE_TRADER, "personal identity number"),
        ("640823-3234", "personal identity number"),
        ("196408233234", "personal identity number"),
        ("16" + SOLE_TRADER, "personal identity number"),
        ("6408833234", "personal identity number"),
        ("٥٥٦٠٣٦٠٧٩٣", "ten digits"),
    ],
)
async def test_a_number_that_is_no_organisations_is_refused_and_not_repeated(desk: Any, number: str, why: str) -> None:
    ask = desk.fk.put(f"/v1/employments/{uuid4()}", json=desk.particulars(orgNr=number))
    found = await refused_whole(desk, ask, 422, "invalid-input")
    assert found["field"] == "orgNr"
    assert why in found["errors"][0]["problem"]
    assert number not in str(found)
    assert SOLE_TRADER not in str(found).replace("-", "")


@pytest.mark.parametrize("written", ["556036-0793", "165560360793", "16556036-0793"])
async def test_an_organisation_number_is_the_same_however_it_is_written(desk: Any, written: str) -> None:
    at = await desk.registered(orgNr=written)
    assert (await desk.read(at))["orgNr"] == "5560360793"


async def test_a_body_larger_than_its_address_takes(desk: Any) -> None:
    big = {"channel": "PORTAL", "notConsultedReason": "x" * 70_000}
    at = await desk.registered()
    await refused_whole(desk, desk.a.post(f"{at}/plans", json=big), 413, "too-large")


async def test_a_half_character_is_refused(desk: Any) -> None:
    body = b'{"channel":"PORTAL","drawnUpOn":"2026-03-27","employeeConsulted":true,"notConsultedReason":"\\ud800"}'
    at = await desk.registered()
    await refused_whole(desk, desk.a.post(f"{at}/plans", content=body, headers=JSON), 422, "invalid-input")


@pytest.mark.parametrize(
    ("change", "type", "field"),
    [
        ({"drawnUpOn": "2026-04-02"}, "drawn-up-in-future", "drawnUpOn"),
        (
            {"activities": [{"kind": "TASKS", "description": "x", "start": "2026-05-02", "end": "2026-05-01"}]},
            "activity-ends-before-start",
            "activities",
        ),
        (
            {"activities": [{"kind": "TASKS", "description": "x", "targetPct": 60}]},
            "invalid-input",
            "activities.0.targetPct",
        ),
        ({"activities": [{"kind": "TASKS", "description": "x" * 1001}]}, "invalid-input", "activities.0.description"),
        ({"activities": [{"kind": "TASKS", "description": "x"}] * 51}, "invalid-input", "activities"),
        ({"employeeConsulted": "yes"}, "invalid-input", "employeeConsulted"),
        ({"documentRef": str(uuid4())}, "unknown-document", "documentRef"),
        ({"channel": "INSURED"}, "channel-of-another-party", "channel"),
    ],
)
async def test_a_plan_that_cannot_be_true_is_refused(desk: Any, change: dict[str, Any], type: str, field: str) -> None:
    at = await desk.registered()
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True} | change
    found = await refused_whole(desk, desk.a.post(f"{at}/plans", json=body), 422, type)
    assert found["field"] == field


async def test_fk_hands_in_only_what_it_was_told_or_given(desk: Any) -> None:
    at = await desk.registered()
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True}
    await refused_whole(desk, desk.fk.post(f"{at}/plans", json=body), 422, "channel-of-another-party")
    assert (await desk.fk.post(f"{at}/plans", json=body | {"channel": "PHONE"})).status_code == 201


async def test_a_sick_leave_in_the_future(desk: Any) -> None:
    ask = desk.fk.put(f"/v1/employments/{uuid4()}", json=desk.particulars(spellStart="2026-04-02"))
    assert (await refused_whole(desk, ask, 422, "sick-leave-in-future"))["field"] == "spellStart"


async def test_a_change_of_what_has_changed_meanwhile(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    stale = await desk.etag(at)
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-28", "employeeConsulted": True}
    assert (await desk.a.post(f"{plan}/versions", json=body, headers=stale)).status_code == 201
    other = body | {"drawnUpOn": "2026-03-29"}
    await refused_whole(desk, desk.a.post(f"{plan}/versions", json=other, headers=stale), 412, "stale-version")
    await refused_whole(desk, desk.a.post(f"{plan}/versions", json=other), 428, "if-match-needed")
    assess = desk.fk.post(f"{plan}/assessments", json={"version": 2}, headers=stale)
    await refused_whole(desk, assess, 412, "stale-version")
    await refused_whole(desk, desk.fk.post(f"{plan}/assessments", json={"version": 2}), 428, "if-match-needed")


@pytest.mark.parametrize("far", ["9999-12-31", "2200-01-01", "1899-12-31"])
async def test_a_day_from_which_no_deadline_can_be_counted(desk: Any, far: str) -> None:
    at = await desk.registered()
    activity = {"kind": "TASKS", "description": "x", "end": far}
    plan = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "activities": [activity]}
    for ask, field in (
        (desk.fk.post(f"{at}/plan-requests", json={"due": far}), "due"),
        (desk.a.post(f"{at}/plans", json=plan), "activities.0.end"),
        (desk.a.post(f"{at}/plans", json=plan | {"activities": [], "returnDate": far}), "returnDate"),
    ):
        found = await refused_whole(desk, ask, 422, "invalid-input")
        assert found["field"] == field
        assert found["errors"][0]["problem"] == "A day lies between 1900-01-01 and 2199-12-31."


async def test_a_key_that_was_used_for_another_body(desk: Any) -> None:
    at, key = await desk.registered(), {"Idempotency-Key": str(uuid4())}
    assert (await desk.fk.post(f"{at}/plan-requests", json={"due": "2026-04-20"}, headers=key)).status_code == 201
    ask = desk.fk.post(f"{at}/plan-requests", json={"due": "2026-04-21"}, headers=key)
    await refused_whole(desk, ask, 422, "idempotency-key-reused")


async def test_an_assessment_before_there_is_a_plan(desk: Any) -> None:
    at = await desk.registered()
    ask = desk.fk.post(f"{at}/plans/{uuid4()}/assessments", json={"version": 1}, headers=await desk.etag(at))
    await refused_whole(desk, ask, 409, "nothing-to-assess")


async def test_an_assessment_of_another_version_or_plan(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    match = await desk.etag(at)
    ask = desk.fk.post(f"{plan}/assessments", json={"version": 2}, headers=match)
    await refused_whole(desk, ask, 409, "not-the-newest-version")
    ask = desk.fk.post(f"{at}/plans/{uuid4()}/assessments", json={"version": 1}, headers=match)
    await refused_whole(desk, ask, 404, "plan-unknown")


async def test_another_plan_while_one_is_at_hand(desk: Any) -> None:
    at = await desk.registered()
    await desk.submitted(at)
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-28", "employeeConsulted": True}
    await refused_whole(desk, desk.a.post(f"{at}/plans", json=body), 409, "plan-already-submitted")


async def test_unknown_ids(desk: Any) -> None:
    at = f"/v1/employments/{uuid4()}"
    await refused_whole(desk, desk.fk.get(at), 404, "employment-unknown")
    await refused_whole(desk, desk.fk.post(f"{at}/plan-requests", json={}), 404, "employment-unknown")
    await refused_whole(desk, desk.fk.get(f"{at}/plans/{uuid4()}"), 404, "employment-unknown")
    known = await desk.registered()
    await refused_whole(desk, desk.fk.get(f"{known}/plans/{uuid4()}"), 404, "plan-unknown")
    await refused_whole(desk, desk.fk.get(f"{known}/documents/{uuid4()}"), 404, "document-unknown")
    await refused_whole(desk, desk.fk.get("/v1/employments/not-an-id"), 422, "invalid-input")


@pytest.mark.parametrize("after", ["x", "W10", "W1siIiwieCJdXQ", "W1siIiwxXSxbIiIsMl1d"])
async def test_a_cursor_that_was_not_given_out(desk: Any, after: str) -> None:
    await refused_whole(desk, desk.fk.get(f"/v1/employments?after={after}"), 422, "invalid-cursor")


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "planStatus=GONE"])
async def test_a_list_that_cannot_be_asked_for(desk: Any, query: str) -> None:
    await refused_whole(desk, desk.fk.get(f"/v1/employments?{query}"), 422, "invalid-input")


async def test_each_role_does_only_what_is_its_own(desk: Any) -> None:
    at = await desk.registered()
    plan = f"{at}/plans/{uuid4()}"
    inspector, person, lead = (desk.running.by(r) for r in ("av.inspector", "person", "fk.collab_lead"))
    for ask in (
        desk.a.put(at, json=desk.particulars()),
        desk.a.post(f"{at}/plan-requests", json={}),
        desk.a.post(f"{plan}/assessments", json={"version": 1}),
        desk.specialist.post(f"{at}/plans", json={}),
        lead.post(f"{at}/documents", content=b"%PDF-"),
        inspector.get(at),
        person.get(at),
        inspector.get("/v1/employments"),
    ):
        await refused_whole(desk, ask, 403, "role-not-allowed")
    nobody = desk.running.by(None)
    await refused_whole(desk, nobody.get(at), 401, "not-authenticated")
