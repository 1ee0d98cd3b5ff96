"""Several parties, or one impatient one, at the same moment."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4


async def test_a_plan_handed_in_ten_times_at_once_is_one_plan(desk: Any) -> None:
    at = await desk.registered()
    ref = (await desk.uploaded(at)).json()["documentRef"]
    body = {"channel": "API", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "documentRef": ref}
    answers = await asyncio.gather(*(desk.a.post(f"{at}/plans", json=body) for _ in range(10)))
    assert Counter(a.status_code for a in answers) == {201: 1, 200: 9}
    assert len({a.json()["planId"] for a in answers}) == 1
    plan = await desk.read(f"{at}/plans/{answers[0].json()['planId']}")
    assert len(plan["versions"]) == 1


async def test_two_handlers_who_ask_at_once_make_one_request(desk: Any) -> None:
    at = await desk.registered()
    answers = await asyncio.gather(*(desk.fk.post(f"{at}/plan-requests", json={}) for _ in range(8)))
    assert len({a.json()["requestId"] for a in answers}) == 1
    assert (await desk.facts())[-1:] == ["EmployerPlanRequested"]
    assert (await desk.facts())[-2] == "EmploymentRegistered"


async def test_two_handlers_who_ask_at_once_with_other_days_are_told_the_day_that_stands(desk: Any) -> None:
    """Also when the same key is sent again."""
    at = await desk.registered()
    days = [f"2026-04-{day}" for day in range(20, 28)]
    keys = [{"Idempotency-Key": str(uuid4())} for _ in days]
    asked = [({"due": day}, key) for day, key in zip(days, keys, strict=True)]
    answers = await asyncio.gather(*(desk.fk.post(f"{at}/plan-requests", json=b, headers=k) for b, k in asked))
    standing = (await desk.read(at))["request"]
    assert [a.json() for a in answers] == [standing] * len(days)
    assert Counter(a.status_code for a in answers) == {201: 1, 200: len(days) - 1}
    again = [await desk.fk.post(f"{at}/plan-requests", json=body, headers=key) for body, key in asked]
    assert [(a.status_code, a.json()) for a in again] == [(a.status_code, a.json()) for a in answers]


async def test_of_two_different_plans_at_once_one_is_taken(desk: Any) -> None:
    at = await desk.registered()
    body = {"channel": "PORTAL", "employeeConsulted": True}
    days = ("2026-03-25", "2026-03-26")
    answers = await asyncio.gather(*(desk.a.post(f"{at}/plans", json=body | {"drawnUpOn": d}) for d in days))
    assert Counter(a.status_code for a in answers) == {201: 1, 409: 1}


async def test_of_two_changes_to_the_same_version_one_is_taken(desk: Any) -> None:
    at = await desk.registered()
    plan, match = await desk.submitted(at), await desk.etag(at)
    body = {"channel": "PORTAL", "employeeConsulted": True}
    days = ("2026-03-25", "2026-03-26")
    answers = await asyncio.gather(
        *(desk.a.post(f"{plan}/versions", json=body | {"drawnUpOn": d}, headers=match) for d in days)
    )
    assert Counter(a.status_code for a in answers) == {201: 1, 412: 1}


async def test_the_same_file_sent_many_times_at_once_is_kept_once(desk: Any) -> None:
    at = await desk.registered()
    answers = await asyncio.gather(*(desk.uploaded(at) for _ in range(4)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["documentRef"] for a in answers}) == 1


async def test_one_key_at_the_same_moment_does_one_thing(desk: Any) -> None:
    at, key = await desk.registered(), {"Idempotency-Key": str(uuid4())}
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True}
    answers = await asyncio.gather(*(desk.a.post(f"{at}/plans", json=body, headers=key) for _ in range(6)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
