"""An employer's plan, as the parties live it over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from contracts.wording import about_health


async def test_a_plan_is_asked_for_handed_in_with_its_file_and_found_good(desk: Any) -> None:
    at = await desk.registered()
    assert (await desk.read(at))["planStatus"] == "NOT_KNOWN"
    asked = await desk.fk.post(f"{at}/plan-requests", json={})
    assert (asked.status_code, asked.json()["due"]) == (201, "2026-04-15")
    assert (await desk.read(at, desk.a))["request"] == asked.json()

    uploaded = await desk.uploaded(at)
    assert uploaded.status_code == 201
    plan = await desk.submitted(at, documentRef=uploaded.json()["documentRef"])
    assert (await desk.read(at))["planStatus"] == "RECEIVED"

    assessed = await desk.fk.post(f"{plan}/assessments", json={"version": 1}, headers=await desk.etag(at))
    assert assessed.status_code == 201
    assert (assessed.json()["score"], assessed.json()["quality"], assessed.json()["shortcomings"]) == (6, "GOOD", [])
    after = await desk.read(at)
    assert (after["planStatus"], after["plan"]["assessment"]["quality"]) == ("ASSESSED", "GOOD")
    assert "request" not in after


async def test_a_plan_is_read_back_whole_by_fk_and_by_its_employer(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    shown = await desk.read(plan, desk.a)
    (version,) = shown["versions"]
    assert version["activities"][0]["description"] == "Halvtid i packningen"
    assert version["activities"][0]["responsible"] == "Arbetsledare"
    assert "spellDay" not in version
    assert (await desk.read(plan))["versions"][0]["spellDay"] == 31


async def test_a_new_version_keeps_its_activities_ids_and_waits_for_assessment(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    first = (await desk.read(plan))["versions"][0]["activities"][0]
    changed = {"activities": [first | {"targetPct": 75}], "changes": ["Mer arbetstid"]}
    body = {"channel": "PORTAL", "drawnUpOn": "2026-04-01", "employeeConsulted": True} | changed
    answer = await desk.a.post(f"{plan}/versions", json=body, headers=await desk.etag(at))
    assert (answer.status_code, answer.json()["version"]) == (201, 2)
    versions = (await desk.read(plan))["versions"]
    assert [v["version"] for v in versions] == [1, 2]
    assert versions[1]["changes"] == ["Mer arbetstid"]
    assert versions[1]["activities"][0]["activityId"] == first["activityId"]
    again = await desk.a.post(f"{plan}/versions", json=body, headers=await desk.etag(at))
    assert (again.status_code, again.json()["version"]) == (200, 2)


async def test_registering_twice_alike_says_so_and_otherwise_is_refused(desk: Any) -> None:
    at, particulars = f"/v1/employments/{uuid4()}", desk.particulars()
    assert (await desk.fk.put(at, json=particulars)).status_code == 201
    assert (await desk.fk.put(at, json=particulars)).status_code == 200
    other = await desk.fk.put(at, json=particulars | {"expectedDays": 120})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/registered-differently")


async def test_the_same_request_with_the_same_key_gets_the_first_answer(desk: Any) -> None:
    at = await desk.registered()
    uploaded = (await desk.uploaded(at)).json()["documentRef"]
    body = {"channel": "API", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "documentRef": uploaded}
    key = {"Idempotency-Key": str(uuid4())}
    first = await desk.a.post(f"{at}/plans", json=body, headers=key)
    before = await desk.facts()
    again = await desk.a.post(f"{at}/plans", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    without_key = await desk.a.post(f"{at}/plans", json=body)
    assert (without_key.status_code, without_key.json()["planId"]) == (200, first.json()["planId"])
    assert await desk.facts() == before


async def test_asking_again_gives_the_open_request(desk: Any) -> None:
    at = await desk.registered()
    first = await desk.fk.post(f"{at}/plan-requests", json={"due": "2026-04-20"})
    again = await desk.fk.post(f"{at}/plan-requests", json={})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_what_an_employer_may_not_touch_looks_like_what_does_not_exist(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    document = (await desk.uploaded(at)).json()["documentRef"]
    nowhere, no_plan = f"/v1/employments/{uuid4()}", f"plans/{uuid4()}"
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True}
    for theirs, missing in [
        (desk.b.get(at), desk.b.get(nowhere)),
        (desk.b.get(plan), desk.b.get(f"{nowhere}/{no_plan}")),
        (desk.b.get(f"{at}/documents/{document}"), desk.b.get(f"{nowhere}/documents/{document}")),
        (desk.b.post(f"{at}/plans", json=body), desk.b.post(f"{nowhere}/plans", json=body)),
        (desk.b.post(f"{plan}/versions", json=body), desk.b.post(f"{nowhere}/{no_plan}/versions", json=body)),
        (desk.b.post(f"{at}/documents", content=b"%PDF-"), desk.b.post(f"{nowhere}/documents", content=b"%PDF-")),
    ]:
        one, other = await theirs, await missing
        assert one.status_code == other.status_code == 404
        assert one.json() == other.json()
        assert one.headers == other.headers


async def test_an_employer_lists_its_own_and_is_not_told_what_fk_expects(desk: Any) -> None:
    short = await desk.registered(expectedDays=30)
    long = await desk.registered(expectedDays=90)
    of_b = await desk.registered(orgNr="5560009010")
    items = (await desk.read("/v1/employments?limit=100", desk.a))["items"]
    ids = [i["employmentId"] for i in items]
    assert short.rpartition("/")[2] in ids
    assert of_b.rpartition("/")[2] not in ids
    assert not any({"spellStart", "expectedDays", "spellDay"} & i.keys() for i in items)
    assert [(await desk.read(at))["planStatus"] for at in (short, long)] == ["NOT_DUE", "NOT_KNOWN"]
    assert [(await desk.read(at, desk.a))["planStatus"] for at in (short, long)] == ["NOT_KNOWN", "NOT_KNOWN"]


async def test_an_employers_status_before_a_request_is_the_same_on_every_day(desk: Any) -> None:
    """It would otherwise tell, on the day it changes, when the spell began and that FK expects 60 days."""
    begun = [await desk.registered(spellStart=day) for day in ("2026-03-02", "2026-03-03", "2026-04-01")]
    begun.append(await desk.registered(expectedDays=59))
    for at in begun:
        assert (await desk.read(at, desk.a))["planStatus"] == "NOT_KNOWN"
    assert (await desk.read("/v1/employments?planStatus=NOT_DUE", desk.a))["items"] == []
    await desk.fk.post(f"{begun[2]}/plan-requests", json={})
    assert (await desk.read(begun[2], desk.a))["planStatus"] == "REQUESTED"


async def test_pages_miss_nobody_while_employments_are_added(desk: Any) -> None:
    before = {i["employmentId"] for i in (await everything(desk, limit=100))}
    added = {(await desk.registered()).rpartition("/")[2] for _ in range(5)}
    page = await desk.read("/v1/employments?limit=2")
    seen = [i["employmentId"] for i in page["items"]]
    late = (await desk.registered()).rpartition("/")[2]
    while page["next"]:
        page = await desk.read(f"/v1/employments?limit=2&after={page['next']}")
        seen += [i["employmentId"] for i in page["items"]]
    assert len(seen) == len(set(seen))
    assert set(seen) == before | added | {late}


async def everything(desk: Any, limit: int, query: str = "") -> list[dict[str, Any]]:
    page = await desk.read(f"/v1/employments?limit={limit}{query}")
    items = page["items"]
    while page["next"]:
        page = await desk.read(f"/v1/employments?limit={limit}&after={page['next']}{query}")
        items += page["items"]
    return items


async def test_a_list_by_status_shows_exactly_those_with_that_status(desk: Any) -> None:
    for day in ("2026-03-02", "2026-03-03"):
        await desk.registered(spellStart=day)
    await desk.submitted(await desk.registered())
    every = await everything(desk, 100)
    for status in {i["planStatus"] for i in every}:
        listed = await everything(desk, 3, f"&planStatus={status}")
        assert [i["employmentId"] for i in listed] == [i["employmentId"] for i in every if i["planStatus"] == status]


async def test_the_plan_is_not_known_from_day_31_and_not_before(desk: Any) -> None:
    assert (await desk.read(await desk.registered(spellStart="2026-03-03")))["planStatus"] == "NOT_DUE"
    assert (await desk.read(await desk.registered(spellStart="2026-03-02")))["planStatus"] == "NOT_KNOWN"
    assert (await desk.read(await desk.registered(expectedDays=59)))["planStatus"] == "NOT_DUE"
    assert (await desk.read(await desk.registered(employmentKind="SELF")))["planStatus"] == "NOT_DUE"


async def test_the_day_is_a_swedish_one(desk: Any) -> None:
    at = await desk.registered(spellStart="2026-03-03")
    try:
        desk.running.now_is(datetime(2026, 4, 1, 21, 59, tzinfo=UTC))
        assert (await desk.read(at))["planStatus"] == "NOT_DUE"
        desk.running.now_is(datetime(2026, 4, 1, 22, 0, tzinfo=UTC))
        assert (await desk.read(at))["planStatus"] == "NOT_KNOWN"
    finally:
        desk.running.now_is(datetime(2026, 4, 1, 10, tzinfo=UTC))


async def test_a_lawful_ground_is_shown_as_exempt_and_not_scored(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at, exemption="HEALTH_EXCLUDES", activities=[])
    read = await desk.read(at)
    assert read["planStatus"] == "EXEMPT"
    assert "assessPlan" not in read["_links"]
    refused = await desk.fk.post(f"{plan}/assessments", json={"version": 1}, headers=await desk.etag(at))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-score")
    assert (await desk.fk.post(f"{at}/plan-requests", json={})).status_code == 201


async def test_words_about_health_are_taken_with_a_warning_to_the_writer(desk: Any) -> None:
    at = await desk.registered()
    activity = {
        "kind": "TASKS",
        "description": "Lättare uppgifter på grund av F43.8",
        "responsible": "Chefen, efter sin egen utmattning",
    }
    answer = await desk.a.post(
        f"{at}/plans",
        json={"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "activities": [activity]},
    )
    assert answer.status_code == 201
    assert [w["field"] for w in answer.json()["warnings"]] == ["activities.0.description", "activities.0.responsible"]
    assert "F43" not in answer.text


def test_a_nudge_knows_codes_and_words_of_health_but_not_those_of_a_workplace() -> None:
    for text in ("Depression", "behandlas för utmattning", "M54.5", "diagnosen F32"):
        assert about_health(text)
    for text in ("Packning vid station 4, hall B", "Arbetsledare", "75 % från 11 maj", "Truck TX100, kl 09.30"):
        assert not about_health(text)


async def test_links_tell_each_party_what_it_may_do_now(desk: Any) -> None:
    at = await desk.registered()
    assert links_of(await desk.read(at)) == {"requestPlan", "uploadDocument", "submitPlan", "proposeTip"}
    assert links_of(await desk.read(at, desk.a)) == {"uploadDocument", "submitPlan"}
    assert links_of(await desk.read(at, desk.specialist)) == set()
    await desk.submitted(at)
    handler = {"uploadDocument", "plan", "revisePlan", "assessPlan", "proposeTip"}
    assert links_of(await desk.read(at)) == handler
    assert links_of(await desk.read(at, desk.a)) == {"uploadDocument", "plan", "revisePlan"}
    assert links_of(await desk.read(at, desk.specialist)) == {"plan", "assessPlan"}


def links_of(shown: dict[str, Any]) -> set[str]:
    """What may be done, beside reading what everybody may read."""
    assert {"self", "timeline"} <= set(shown["_links"])
    return set(shown["_links"]) - {"self", "timeline"}


async def test_who_reads_after_a_write_sees_it(desk: Any) -> None:
    at = await desk.registered()
    asked = await desk.fk.post(f"{at}/plan-requests", json={})
    position = asked.headers["Samordna-Position"]
    read = await desk.a.get(at, headers={"Read-After": position})
    assert read.json()["planStatus"] == "REQUESTED"
    assert read.headers["ETag"] == asked.headers["ETag"]


async def test_facts_carry_case_legal_basis_and_who_did_it(desk: Any) -> None:
    particulars = desk.particulars()
    at = f"/v1/employments/{uuid4()}"
    await desk.fk.put(at, json=particulars)
    await desk.fk.post(f"{at}/plan-requests", json={})
    envelope = await desk.running.runtime.pool.fetchval(
        "select envelope from readable_events where type = 'EmployerPlanRequested' order by position desc limit 1"
    )
    assert f"ce-caseid: {particulars['caseId']}" in envelope
    assert "ce-actorrole: fk.handler" in envelope
    assert "ce-legalbasis: SFB%20110:31" in envelope


async def test_the_read_model_built_anew_is_the_same(desk: Any) -> None:
    at = await desk.registered()
    await desk.fk.post(f"{at}/plan-requests", json={})
    await desk.uploaded(at, b"no pdf")
    await desk.submitted(at)
    await desk.read(at)
    folder = desk.running.runtime.folders["employments"]
    before = await folder.digest()
    assert await folder.rebuild() > 0
    assert await folder.digest() == before


async def test_every_body_has_an_example_that_holds(desk: Any) -> None:
    described = (await desk.fk.get("/openapi.json")).json()
    bodies = {
        path: operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path, item in described["paths"].items()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) == 12
    for name in bodies.values():
        (example,) = described["components"]["schemas"][name]["examples"]
        assert example
    for path, item in described["paths"].items():
        if path.startswith("/v1"):
            assert all(operation["summary"] and operation["description"] for operation in item.values())
    at = f"/v1/employments/{uuid4()}"
    schemas = described["components"]["schemas"]
    assert (await desk.fk.put(at, json=schemas["NewEmployment"]["examples"][0])).status_code == 201
    example = schemas["NewPlan"]["examples"][0]
    del example["documentRef"]
    assert (await desk.a.post(f"{at}/plans", json=example)).status_code == 201


async def test_a_request_may_not_be_due_today(desk: Any) -> None:
    at = await desk.registered()
    today = (datetime(2026, 4, 1) + timedelta(0)).date().isoformat()
    refused = await desk.fk.post(f"{at}/plan-requests", json={"due": today})
    assert (refused.status_code, refused.json()["field"]) == (422, "due")
