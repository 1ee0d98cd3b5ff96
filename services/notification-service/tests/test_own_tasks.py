"""A party's own tasks over HTTP: seen, ticked off, delegated, and nobody else's."""

from typing import Any
from uuid import UUID

import pytest

from contracts.notification import DeadlineMet, DeadlineSet, TaskDelegated, TaskDone

NUMBER = "5560125790"
OTHER = "5560000167"


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def agreed(world: Any, who: str = f"employer:{NUMBER}") -> str:
    """An agreement of a meeting; the id of its deadline."""
    world.minuted(31, {"adapt": 60}, who=who)
    await world.at(31)
    (told,) = await world.facts(DeadlineSet)
    return str(told.deadline_id)


async def test_who_promised_sees_it_among_its_tasks_and_ticks_it_off_once(world: Any) -> None:
    await agreed(world)
    employer = world.by("emp.manager", org_id=NUMBER)
    (task,) = (await employer.get("/v1/tasks")).json()["items"]
    assert (task["kind"], [li["rel"] for li in task["links"]]) == ("AGREEMENT", ["done", "delegate"])
    key = {"Idempotency-Key": "done"}
    first = await employer.post(task["links"][0]["href"], headers=key)
    again = await employer.post(task["links"][0]["href"], headers=key)
    assert (
        (first.status_code, first.json())
        == (again.status_code, again.json())
        == (200, {"deadlineId": task["deadlineId"]})
    )
    assert (await employer.get("/v1/tasks")).json()["items"] == []
    assert len(await world.facts(TaskDone)) == len(await world.facts(DeadlineMet)) == 1


async def test_what_is_done_is_not_asked_for_again_when_minutes_are_amended(world: Any) -> None:
    deadline = await agreed(world)
    await world.by("emp.hr", org_id=NUMBER).post(f"/v1/tasks/{deadline}/done")
    world.amended(35, {"adapt": 70, "train": 80})
    await world.at(35)
    told = await world.facts(DeadlineSet)
    assert [t.due_at for t in told] == [world.moment_of(60, "23:59:59"), world.moment_of(80, "23:59:59")]


async def test_to_others_it_is_not_there(world: Any) -> None:
    deadline = await agreed(world)
    for role, who in [("emp.hr", OTHER), ("care.coordinator", None), ("af.officer", None), ("person", None)]:
        client = world.by(role, org_id=who)
        assert (await client.get("/v1/tasks")).json()["items"] == []
        for path, body in [("done", None), ("delegations", {"to": "emp.hr"})]:
            answer = await client.post(f"/v1/tasks/{deadline}/{path}", json=body)
            assert problem(answer) == (404, "/problems/deadline-unknown")
    assert await world.facts(TaskDone, TaskDelegated) == []


async def test_fk_cannot_tick_off_what_another_promised_until_it_comes_to_it(world: Any) -> None:
    deadline = await agreed(world)
    handler = world.by("fk.handler")
    assert problem(await handler.post(f"/v1/tasks/{deadline}/done")) == (409, "/problems/task-of-another-role")
    await world.at(61)
    (task,) = [t for t in (await handler.get("/v1/tasks")).json()["items"] if t["deadlineId"] == deadline]
    assert (task["missed"], task["escalatedTo"]) == (True, "fk.handler")
    assert (await handler.post(f"/v1/tasks/{deadline}/done")).status_code == 200


async def test_the_insured_person_ticks_off_what_he_or_she_promised(world: Any) -> None:
    ref = "0195a1c2-0000-7000-8000-000000000001"
    deadline = await agreed(world, f"person:{ref}")
    somebody = world.by("person", user_ref="0195a1c2-0000-7000-8000-000000000002")
    assert problem(await somebody.post(f"/v1/tasks/{deadline}/done")) == (404, "/problems/deadline-unknown")
    assert (await world.by("person", user_ref=ref).post(f"/v1/tasks/{deadline}/done")).status_code == 200


async def test_a_task_given_to_a_specialist_is_the_specialists_to_do_and_still_the_handlers(world: Any) -> None:
    world.not_received(61)
    await world.at(61)
    handler, specialist = world.by("fk.handler"), world.by("fk.specialist")
    (task,) = (await handler.get("/v1/tasks")).json()["items"]
    path = f"/v1/tasks/{task['deadlineId']}"
    assert problem(await specialist.post(f"{path}/done")) == (409, "/problems/task-of-another-role")
    given = await handler.post(f"{path}/delegations", json={"to": "fk.specialist"})
    assert (given.status_code, given.json()) == (200, {"deadlineId": task["deadlineId"], "to": "fk.specialist"})
    assert (await handler.post(f"{path}/delegations", json={"to": "fk.specialist"})).status_code == 200
    assert len(await world.facts(TaskDelegated)) == 1
    for client in (handler, specialist):
        (seen,) = (await client.get("/v1/tasks")).json()["items"]
        assert seen["delegatedTo"] == "fk.specialist"
    assert (await specialist.post(f"{path}/done")).status_code == 200
    ended = await handler.post(f"{path}/delegations", json={"to": "fk.unit_manager"})
    assert problem(ended) == (409, "/problems/task-ended")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"to": "emp.hr"}, "/problems/not-in-your-organisation"),
        ({"to": "fk.nobody"}, "/problems/role-unknown"),
        ({"to": "Kim"}, "/problems/invalid-request"),
        ({}, "/problems/invalid-request"),
    ],
)
async def test_a_task_is_given_to_a_role_of_the_own_organisation_and_to_nobody_else(
    world: Any, body: dict[str, str], told: str
) -> None:
    world.not_received(61)
    await world.at(61)
    (task,) = (await world.by("fk.handler").get("/v1/tasks")).json()["items"]
    answer = await world.by("fk.handler").post(f"/v1/tasks/{task['deadlineId']}/delegations", json=body)
    assert answer.status_code == 422
    assert "Kim" not in answer.text
    if told != "/problems/invalid-request":
        assert answer.json()["type"] == told
    assert await world.facts(TaskDelegated) == []


async def test_a_tip_waits_in_avs_inbox_and_leads_to_no_case(world: Any, case_id: str) -> None:
    world.tipped(20)
    await world.at(20)
    av = world.by("av.inspector")
    (task,) = (await av.get("/v1/tasks")).json()["items"]
    assert (task["kind"], task["caseId"]) == ("ACKNOWLEDGE_TIP", None)
    await world.at(38)
    assert len((await av.get("/v1/messages")).json()["items"]) == 1
    (led,) = (await world.by("fk.collab_lead").get("/v1/tasks")).json()["items"]
    assert (led["about"], led["caseId"]) == (task["about"], None)
    assert (await world.by("emp.hr", org_id=NUMBER).get("/v1/tasks")).json()["items"] == []
    assert (await world.by("fk.handler").get(f"/v1/cases/{case_id}/deadlines")).status_code == 404
    rows = await world.runtime.pool.fetch("select stream_id, envelope, data from events")
    case = UUID(case_id)
    assert {r["stream_id"].split("-")[0] for r in rows} == {"apart"}
    assert not any(part in r[c] for r in rows for c in ("envelope", "data") for part in (case_id.encode(), case.bytes))
    world.tip_acknowledged(39)
    await world.at(39)
    assert (await av.get("/v1/tasks")).json()["items"] == []


async def test_what_two_services_say_settles_alike_in_either_order(world: Any) -> None:
    """case-service ends the consent, meeting-service the meeting: the party is reminded of nothing, whoever is heard
    first."""
    world.called(20)
    await world.at(20)
    world.withdrawn(22)
    world.called_off(22)
    await world.at(22)
    assert [t["kind"] for t in (await world.by("emp.hr", org_id=NUMBER).get("/v1/tasks")).json()["items"]] == []
