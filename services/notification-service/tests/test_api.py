"""Contacts, tasks, deadlines, timeline and inbox as the parties meet them over HTTP."""

from typing import Any

CASE = "/v1/cases/{}"
CONTACT = {"channels": ["EMAIL"], "language": "sv", "address": "hr@example.com"}
EMPLOYER = "/v1/contacts/employer:5560125790"
UNKNOWN = "00000000-0000-0000-0000-000000000001"


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def test_an_employer_says_where_it_wants_its_messages(world: Any) -> None:
    employer = world.by("emp.hr", org_id="5560125790")
    answer = await employer.put(EMPLOYER, json=CONTACT)
    assert answer.status_code == 200
    assert answer.json() == {"partyRef": "employer:5560125790", "channels": ["EMAIL"], "language": "sv"}
    assert answer.headers["ETag"] == '"1"'
    again = await employer.put(EMPLOYER, json=CONTACT)
    assert again.headers["ETag"] == '"1"'  # the same contact is no new fact


async def test_another_employer_and_one_that_does_not_exist_are_answered_alike(world: Any) -> None:
    employer = world.by("emp.hr", org_id="5560000167")
    assert problem(await employer.put(EMPLOYER, json=CONTACT)) == (404, "/problems/party-unknown")


async def test_fk_may_register_a_contact_for_an_employer_and_others_may_not(world: Any) -> None:
    assert (await world.by("fk.handler").put(EMPLOYER, json=CONTACT)).status_code == 200
    assert problem(await world.by("care.coordinator").put(EMPLOYER, json=CONTACT)) == (404, "/problems/party-unknown")
    assert problem(await world.by("av.inspector").put(EMPLOYER, json=CONTACT)) == (403, "/problems/role-not-allowed")
    assert (await world.by(None).put(EMPLOYER, json=CONTACT)).status_code == 401


async def test_a_municipality_and_a_samordningsforbund_say_where_they_want_theirs_and_see_nobody_elses(
    world: Any,
) -> None:
    for role, party, number in (("mun.officer", "mun", "2120000019"), ("finsam.officer", "finsam", "2220000018")):
        officer = world.by(role, org_id=number)
        own = {"channels": ["PORTAL"], "language": "sv"}
        assert (await officer.put(f"/v1/contacts/{party}:{number}", json=own)).status_code == 200
        assert problem(await officer.put(EMPLOYER, json=own)) == (404, "/problems/party-unknown")
        for at in ("tasks", "messages"):
            read = await officer.get(f"/v1/{at}")
            assert (read.status_code, read.json()["items"]) == (200, [])
        assert (await officer.get(f"/v1/cases/{UNKNOWN}/timeline")).status_code == 403


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("employer:5560125791", CONTACT, "partyRef"),  # check digit
    ("employer:8112289874", CONTACT, "partyRef"),  # a person's number is no party's name
    ("somebody", CONTACT, "partyRef"),
    ("employer:5560125790", CONTACT | {"address": "nobody"}, "address"),
    ("employer:5560125790", CONTACT | {"address": "a@b.se\nBcc: c@d.se"}, "address"),
    ("employer:5560125790", CONTACT | {"channels": []}, "channels"),
    ("employer:5560125790", CONTACT | {"channels": ["LETTER"]}, "channels.0"),
    ("employer:5560125790", CONTACT | {"channels": ["SMS"]}, "phone"),
    ("employer:5560125790", CONTACT | {"channels": ["SMS"], "phone": "070-1234567"}, "phone"),
    ("person:nobody", CONTACT, "partyRef"),
    ("role:fk.handler", CONTACT, "partyRef"),
    ("employer:5560125790", CONTACT | {"language": "fi"}, "language"),
    ("employer:5560125790", CONTACT | {"fax": "1"}, "body"),
    ("employer:5560125790", {"channels": ["EMAIL"]}, "address"),
]


async def test_a_wrong_contact_is_refused_by_field_and_nothing_is_echoed_or_stored(world: Any) -> None:
    client = world.by("fk.handler")
    for party, body, field in WRONG:
        answer = await client.put(f"/v1/contacts/{party}", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        for value in ("nobody", "b.se", "8112289874", "5560125791"):
            assert value not in answer.text
    assert await world.runtime.log.head() == 0


async def test_the_same_key_with_another_address_is_refused(world: Any) -> None:
    client = world.by("fk.handler")
    key = {"Idempotency-Key": "once"}
    assert (await client.put(EMPLOYER, json=CONTACT, headers=key)).status_code == 200
    other = await client.put(EMPLOYER, json=CONTACT | {"address": "other@example.com"}, headers=key)
    assert problem(other) == (422, "/problems/idempotency-key-reused")


async def test_tasks_come_by_role_the_longest_due_first_and_page_by_page(world: Any) -> None:
    for n in range(3):
        world.submitted(2 + n, job=f"job {n}", plan=f"plan {n}")
    await world.at(6)
    handler = world.by("fk.handler")
    first = (await handler.get("/v1/tasks", params={"limit": 2})).json()
    second = (await handler.get("/v1/tasks", params={"limit": 2, "after": first["next"]})).json()
    items = first["items"] + second["items"]
    assert [t["kind"] for t in items] == ["ASSESS_PLAN"] * 3
    assert [t["dueAt"] for t in items] == sorted(t["dueAt"] for t in items)
    assert second["next"] is None
    assert (await world.by("fk.unit_manager").get("/v1/tasks")).json()["items"] == []
    assert (await world.by("emp.hr").get("/v1/tasks")).json()["items"] == []


async def test_a_missed_task_comes_to_the_manager_and_then_to_the_collaboration_lead(world: Any) -> None:
    world.submitted(2)
    await world.at(2)
    await world.at(19)  # due on day 12, a week later on day 19
    (task,) = (await world.by("fk.unit_manager").get("/v1/tasks")).json()["items"]
    assert (task["missed"], task["escalatedTo"]) == (True, "fk.unit_manager")
    await world.at(26)
    (task,) = (await world.by("fk.collab_lead").get("/v1/tasks")).json()["items"]
    assert task["escalatedTo"] == "fk.collab_lead"
    world.assessed(27)
    await world.at(27)
    for role in ("fk.handler", "fk.unit_manager", "fk.collab_lead"):
        assert (await world.by(role).get("/v1/tasks")).json()["items"] == []


async def test_a_task_that_may_be_ticked_off_says_so_and_closes(world: Any) -> None:
    world.not_received(61)
    await world.at(61)
    handler = world.by("fk.handler")
    (task,) = (await handler.get("/v1/tasks")).json()["items"]
    link, _ = task["links"]
    assert [li["rel"] for li in task["links"]] == ["done", "delegate"]
    done = await handler.post(link["href"])
    assert (done.status_code, done.json()) == (200, {"deadlineId": task["deadlineId"]})
    assert (await handler.get("/v1/tasks")).json()["items"] == []
    assert (await handler.post(link["href"])).status_code == 200


async def test_a_task_that_closes_by_itself_has_no_link_and_cannot_be_ticked_off(world: Any) -> None:
    world.submitted(2)
    await world.at(2)
    handler = world.by("fk.handler")
    (task,) = (await handler.get("/v1/tasks")).json()["items"]
    assert [li["rel"] for li in task["links"]] == ["delegate"]
    answer = await handler.post(f"/v1/tasks/{task['deadlineId']}/done")
    assert problem(answer) == (409, "/problems/not-done-by-hand")
    assert problem(await handler.post(f"/v1/tasks/{UNKNOWN}/done")) == (404, "/problems/deadline-unknown")


async def test_fk_sees_all_deadlines_of_a_case_and_an_employer_its_own(world: Any, case_id: str) -> None:
    world.registered(1)
    world.requested(2)
    world.submitted(3)
    await world.at(3)
    path = CASE.format(case_id) + "/deadlines"
    fk = (await world.by("fk.handler").get(path)).json()["items"]
    assert [(d["kind"], d["status"]) for d in fk] == [
        ("ASSESS_PLAN", "OPEN"),
        ("REQUESTED_PLAN", "MET"),
        ("EMPLOYER_PLAN", "MET"),
    ]
    own = (await world.by("emp.hr", org_id="5560125790").get(path)).json()["items"]
    assert [d["kind"] for d in own] == ["REQUESTED_PLAN"]  # the other would tell what FK expects
    other = await world.by("emp.hr", org_id="5560000167").get(path)
    nothing = await world.by("emp.hr", org_id="5560000167").get(CASE.format(UNKNOWN) + "/deadlines")
    assert problem(other) == problem(nothing) == (404, "/problems/case-unknown")


async def test_the_timeline_tells_what_happened_in_order(world: Any, case_id: str) -> None:
    await world.by("fk.handler").put(EMPLOYER, json=CONTACT)
    world.registered(1)
    await world.at(1)
    await world.through(31)
    handler = world.by("fk.handler")
    path = CASE.format(case_id) + "/timeline"
    told = (await handler.get(path)).json()["items"]
    assert [t["event"] for t in told] == ["DeadlineSet", "ReminderSent", "ReminderSent", "DeadlineSet"]
    assert [t["detail"] for t in told[1:3]] == ["PORTAL", "EMAIL"]
    page = (await handler.get(path, params={"limit": 1})).json()
    rest = (await handler.get(path, params={"after": page["next"]})).json()
    assert page["items"] + rest["items"] == told
    assert problem(await world.by("emp.hr").get(path)) == (403, "/problems/role-not-allowed")


async def test_an_employers_inbox_holds_its_portal_messages(world: Any) -> None:
    world.registered(1)
    await world.at(25)
    (message,) = (await world.by("emp.manager", org_id="5560125790").get("/v1/messages")).json()["items"]
    assert "60 days or more" in message["text"]
    assert (await world.by("emp.manager", org_id="5560000167").get("/v1/messages")).json()["items"] == []


async def test_bad_requests_are_problems(world: Any) -> None:
    handler = world.by("fk.handler")
    assert problem(await handler.get("/v1/tasks", params={"after": "x"}))[0] == 422
    assert problem(await handler.get("/v1/tasks", params={"limit": 1000}))[0] == 422
    assert problem(await handler.get("/v1/cases/x/deadlines"))[0] == 422
    assert problem(await handler.put(EMPLOYER, content=b"{", headers={"content-type": "application/json"})) == (
        400,
        "/problems/malformed-json",
    )


async def test_what_the_api_offers_is_documented(world: Any) -> None:
    paths = (await world.by(None).get("/openapi.json")).json()["paths"]
    assert {
        "/v1/contacts/{partyRef}",
        "/v1/tasks",
        "/v1/tasks/{deadlineId}/done",
        "/v1/tasks/{deadlineId}/delegations",
        "/v1/cases/{caseId}/deadlines",
        "/v1/cases/{caseId}/timeline",
        "/v1/messages",
    } <= set(paths)
