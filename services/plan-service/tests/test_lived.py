"""A plan's activities, a tip, a search by number and the end of a case, as the parties live them over HTTP."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from chassis.envelope import SYSTEM
from plan_service.api.finding import people
from plan_service.domain.case_end import NoteEnd, NoteReopening, case_end
from plan_service.domain.commands import (
    FollowCase,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RecordPlanNotReceived,
)
from plan_service.domain.employment import employment
from plan_service.people import Nobody, People

NUMBER = "196408233234"
"""One that Skatteverket gives out for tests."""
FACTS = "Arbetsgivaren har inte lämnat in den plan för återgång i arbete som begärts, trots två påminnelser."


async def happens(desk: Any, aggregate: Any, id: Any, command: Any) -> None:
    """What a reaction would ask of this service."""
    await desk.running.runtime.act(aggregate, id, command, command_id=uuid4(), actor=SYSTEM)


def id_of(at: str) -> UUID:
    return UUID(at.split("/")[3])


async def silent(desk: Any) -> str:
    """The address of an employment whose requested plan did not come."""
    at = await desk.registered()
    due = (await desk.fk.post(f"{at}/plan-requests", json={})).json()["due"]
    assert due == "2026-04-15"
    late = desk.noon.date().replace(month=4, day=30)
    await happens(desk, employment, id_of(at), RecordPlanNotReceived(ran_out_on=late, reminders=2))
    return at


def tip(at: str, *grounds: str) -> dict[str, Any]:
    return {"employmentId": str(id_of(at)), "grounds": list(grounds)}


def sending(at: str, **other: Any) -> dict[str, Any]:
    said = {"employmentId": str(id_of(at)), "kind": "TIP", "workplace": "Lagret", "caseCount": 1, "facts": FACTS}
    return said | other


# --- activities ---


async def test_an_activity_begins_is_missed_and_is_done_after_all(desk: Any) -> None:
    at = await desk.registered()
    plan = await desk.submitted(at)
    (progress,) = (await desk.read(plan, desk.a))["progress"]
    assert set(progress["_links"]) == {"start", "complete", "miss"}
    steps = {name: link["href"] for name, link in progress["_links"].items()}
    assert (await desk.a.post(steps["start"], json={"on": "2026-03-31"})).status_code == 201
    ran_out = desk.noon.date().replace(month=6, day=7)
    await happens(desk, employment, id_of(at), RecordActivitiesMissed(ran_out_on=ran_out))
    assert (await desk.fk.post(steps["miss"], json={"cause": "EMPLOYER"})).status_code == 201
    assert (await desk.a.post(steps["complete"], json={})).status_code == 201
    (progress,) = (await desk.read(plan, desk.a))["progress"]
    told = {name: progress.get(name) for name in ("startedOn", "missedOn", "completedOn", "cause", "_links")}
    assert told == {
        "startedOn": "2026-03-31", "missedOn": "2026-04-01", "completedOn": "2026-04-01", "cause": "EMPLOYER",
        "_links": {},
    }  # fmt: skip
    timeline = (await desk.read(f"{at}/timeline", desk.a))["items"]
    assert [(h["event"], h["detail"]) for h in timeline[2:]] == [
        ("PlanActivityStarted", "2026-03-31"),
        ("PlanActivityMissed", ""),
        ("PlanActivityMissed", "EMPLOYER"),
        ("PlanActivityCompleted", "2026-04-01"),
    ]


async def test_an_activity_before_its_plan_or_of_anothers_plan_is_refused(desk: Any) -> None:
    at = await desk.registered()
    ask = await desk.a.post(f"{at}/plans/{uuid4()}/activities/{uuid4()}/starts", json={})
    assert (ask.status_code, ask.json()["type"]) == (409, "/problems/plan-missing")
    plan = await desk.submitted(at)
    ask = await desk.a.post(f"{plan}/activities/{uuid4()}/starts", json={})
    assert (ask.status_code, ask.json()["type"]) == (404, "/problems/activity-not-planned")
    ask = await desk.b.post(f"{plan}/activities/{uuid4()}/starts", json={})
    assert (ask.status_code, ask.json()["type"]) == (404, "/problems/employment-unknown")
    (activity,) = (await desk.read(plan))["versions"][0]["activities"]
    ahead = await desk.a.post(f"{plan}/activities/{activity['activityId']}/starts", json={"on": "2026-04-02"})
    assert (ahead.status_code, ahead.json()["field"]) == (422, "on")
    misses = f"{plan}/activities/{activity['activityId']}/misses"
    silent = await desk.a.post(misses, json={"cause": "NOT_TOLD"})
    assert (silent.status_code, silent.json()["field"]) == (422, "cause")
    for cause in ("EMPLOYER", "PERSON", "HEALTH", "OTHER"):
        assert (await desk.a.post(misses, json={"cause": cause})).status_code == 201


# --- the end of a case ---


async def test_nothing_is_asked_for_once_the_case_has_ended_and_what_comes_is_taken(desk: Any) -> None:
    particulars = desk.particulars()
    at = await desk.registered(**particulars)
    case_id = UUID(particulars["caseId"])
    await happens(desk, case_end, case_id, NoteEnd(case_id=case_id, closed_at=desk.noon))
    ask = await desk.fk.post(f"{at}/plan-requests", json={})
    assert (ask.status_code, ask.json()["type"]) == (409, "/problems/case-ended")
    await happens(desk, case_end, case_id, NoteReopening(case_id=case_id, opening=2))
    assert (await desk.fk.post(f"{at}/plan-requests", json={})).status_code == 201
    await happens(desk, case_end, case_id, NoteEnd(case_id=case_id, closed_at=desk.noon))
    await desk.submitted(at)


# --- how long the case is expected to last ---


async def test_a_longer_sick_leave_is_told_to_fk_and_not_to_the_employer(desk: Any) -> None:
    at = await desk.registered(expectedDays=14)
    await happens(desk, employment, id_of(at), FollowCase(expected_days=120))
    shown = await desk.read(at)
    assert (shown["expectedDays"], shown["planStatus"]) == (120, "NOT_KNOWN")
    theirs = await desk.read(at, desk.a)
    assert "expectedDays" not in theirs
    assert [h["event"] for h in (await desk.read(f"{at}/timeline", desk.a))["items"]] == ["EmploymentRegistered"]


# --- tips ---


async def test_a_tip_is_proposed_sent_acknowledged_and_concluded(desk: Any) -> None:
    at, av = await silent(desk), desk.running.by("av.inspector")
    lead = desk.running.by("fk.collab_lead")
    made = await desk.fk.post("/v1/tips", json=tip(at, "NO_PLAN"))
    assert made.status_code == 201, made.text
    assert (await lead.post("/v1/tips", json=tip(at, "NO_PLAN"))).json() == made.json()
    here = f"/v1/tips/{made.json()['tipId']}"
    assert (await av.get(here)).status_code == 404
    assert (await av.post(f"{here}/acknowledgements")).status_code == 404
    assert (await lead.post(f"{here}/sendings", json=sending(at))).status_code == 201
    seen = await desk.read(here, av)
    assert set(seen["_links"]) == {"self", "acknowledge"}
    assert (seen["facts"], seen["workplace"], seen["status"]) == (FACTS, "Lagret", "SENT")
    assert (await av.post(f"{here}/outcomes", json={"outcome": "INSPECTION"})).status_code == 409
    assert (await av.post(f"{here}/acknowledgements")).status_code == 201
    assert (await av.post(f"{here}/outcomes", json={"outcome": "INSPECTION"})).status_code == 201
    told = await desk.read(here)
    assert (told["status"], told["outcome"], told["acknowledgedOn"]) == ("CONCLUDED", "INSPECTION", "2026-04-01")
    assert here.rpartition("/")[2] in [t["tipId"] for t in (await desk.read("/v1/tips?status=CONCLUDED", av))["items"]]


async def test_a_tip_leads_back_to_nobody(desk: Any) -> None:
    """Neither in the log nor in what is published, whatever the request brought with it."""
    at = await silent(desk)
    shown = await desk.read(at)
    links = {"X-Correlation-Id": str(uuid4()), "traceparent": f"00-{uuid4().hex}-{'b' * 16}-01"}
    made = await desk.fk.post("/v1/tips", json=tip(at, "NO_PLAN"), headers=links)
    here = f"/v1/tips/{made.json()['tipId']}"
    assert (await desk.fk.post(f"{here}/sendings", json=sending(at), headers=links)).status_code == 201
    rows = await desk.running.runtime.pool.fetch(
        "select stream_id, data, envelope from readable_events where stream_id = $1", f"tip-{made.json()['tipId']}"
    )
    assert len(rows) == 2
    for stored in rows:
        whole = " ".join(map(str, stored.values())).replace("-", "")
        for link in (shown["caseId"], shown["personRef"], shown["employmentId"], *links.values()):
            assert link.replace("-", "") not in whole
        for header in ("ce-caseid", "ce-correlationid", "ce-causationid", "traceparent"):
            assert header not in str(stored["envelope"])
        assert "Lagret" not in whole


@pytest.mark.parametrize(
    "person", ["19640823-3234", "64 08 23 32 34", "hr@example.org", "070-123 45 67", "Testsson", "TESTSSON"]
)
async def test_a_tip_that_contains_a_person_is_refused_and_not_repeated(desk: Any, person: str) -> None:
    at = await desk.registered()
    activity = {"kind": "TASKS", "description": "Lättare pass", "responsible": "Exempla Testsson", "end": "2026-03-20"}
    await desk.submitted(at, activities=[activity])
    day = desk.noon.date()
    await happens(desk, employment, id_of(at), RecordActivitiesMissed(ran_out_on=day))
    early = await desk.fk.post("/v1/tips", json=tip(at, "NOT_DONE"))
    assert (early.status_code, early.json()["type"]) == (409, "/problems/ground-not-shown")
    await happens(desk, employment, id_of(at), RecordActivitiesNotTold(ran_out_on=day.replace(day=9)))
    made = await desk.fk.post("/v1/tips", json=tip(at, "NOT_DONE"))
    sendings = f"/v1/tips/{made.json()['tipId']}/sendings"
    before = await desk.facts()
    ask = await desk.fk.post(sendings, json=sending(at, facts=f"Enligt {person} blev det inget."))
    assert (ask.status_code, ask.json()["type"]) == (409, "/problems/tip-contains-a-person")
    assert person not in ask.text
    assert await desk.facts() == before
    assert (await desk.fk.post(sendings, json=sending(at))).status_code == 201


async def test_a_tip_rests_on_what_is_recorded_when_it_is_proposed_and_when_it_is_sent(desk: Any) -> None:
    waiting = await desk.registered()
    await desk.fk.post(f"{waiting}/plan-requests", json={})
    for ground in ("NO_PLAN", "NOT_DONE", "POOR"):
        ask = await desk.fk.post("/v1/tips", json=tip(waiting, ground))
        assert (ask.status_code, ask.json()["type"]) == (409, "/problems/ground-not-shown")
    at = await silent(desk)
    made = await desk.fk.post("/v1/tips", json=tip(at, "NO_PLAN"))
    await desk.submitted(at)
    ask = await desk.fk.post(f"/v1/tips/{made.json()['tipId']}/sendings", json=sending(at))
    assert (ask.status_code, ask.json()["type"]) == (409, "/problems/ground-fell-away")


async def test_a_tip_is_sent_only_with_the_employment_it_rests_on(desk: Any) -> None:
    at, other = await silent(desk), await silent(desk)
    made = await desk.fk.post("/v1/tips", json=tip(at, "NO_PLAN"))
    ask = await desk.fk.post(f"/v1/tips/{made.json()['tipId']}/sendings", json=sending(other))
    assert (ask.status_code, ask.json()["type"]) == (404, "/problems/tip-unknown")


async def test_tips_are_between_fk_and_the_authority(desk: Any) -> None:
    at, av = await silent(desk), desk.running.by("av.inspector")
    id = (await desk.fk.post("/v1/tips", json=tip(at, "NO_PLAN"))).json()["tipId"]
    for ask in (
        desk.a.get("/v1/tips"),
        desk.a.get(f"/v1/tips/{id}"),
        desk.a.post("/v1/tips", json=tip(at, "NO_PLAN")),
        desk.specialist.post("/v1/tips", json=tip(at, "NO_PLAN")),
        av.post("/v1/tips", json=tip(at, "NO_PLAN")),
        av.post(f"/v1/tips/{id}/sendings", json=sending(at)),
        desk.fk.post(f"/v1/tips/{id}/acknowledgements"),
        desk.fk.post(f"/v1/tips/{id}/outcomes", json={"outcome": "NO_ACTION"}),
    ):
        assert (await ask).status_code == 403
    assert (await desk.fk.get(f"/v1/tips/{uuid4()}")).status_code == 404
    assert (await desk.fk.get("/v1/tips?after=x")).status_code == 422
    first = await desk.read("/v1/tips?limit=1")
    assert len(first["items"]) == 1


# --- finding by number ---


class Owner:
    """Stands in for case-service: it knows one person, and can be away or out of its mind."""

    def __init__(self) -> None:
        self.person_ref, self.answers = str(uuid4()), 200
        self.asked: list[tuple[Any, str | None]] = []
        app = FastAPI()
        app.post("/v1/people/references")(self.reference)
        self.people = People(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://case"))

    async def reference(self, request: Request, response: Response) -> dict[str, str]:
        body = await request.json()
        self.asked.append((body, request.headers.get("authorization")))
        response.status_code = self.answers if body["personId"] == NUMBER else 404
        return {"personRef": self.person_ref} if response.status_code == 200 else {"type": "/problems/any"}


@pytest.fixture
def owner(desk: Any) -> Iterator[Owner]:
    made = Owner()
    overrides = desk.running.app.dependency_overrides
    overrides[people] = lambda: made.people
    yield made
    del overrides[people]


@pytest.fixture
async def found_at(desk: Any, owner: Owner) -> str:
    return await desk.registered(personRef=owner.person_ref)


ASKED = {"personId": NUMBER, "orgNr": "5560360793"}
SEARCH = "/v1/employments/search"


async def test_an_upload_finds_its_employment_by_number_and_organisation(
    desk: Any, owner: Owner, found_at: str
) -> None:
    for by in (desk.a, desk.fk):
        answer = await by.post(SEARCH, json=ASKED)
        assert (answer.status_code, answer.json()["employmentId"]) == (200, str(id_of(found_at)))
    upload = answer.json()["_links"]["uploadDocument"]["href"]
    made = await desk.a.post(upload, content=desk.pdf, headers={"Content-Type": "application/pdf"})
    assert made.status_code == 201
    assert all(body == ASKED and token is not None for body, token in owner.asked)


async def test_what_is_not_found_looks_like_what_is_not_ones_own(desk: Any, owner: Owner, found_at: str) -> None:
    asks = [
        (desk.b, ASKED),
        (desk.b, ASKED | {"orgNr": "5560009010"}),
        (desk.a, ASKED | {"personId": "196408233235"}),
        (desk.fk, ASKED | {"orgNr": "5560009010"}),
    ]
    answers = [await by.post(SEARCH, json=body) for by, body in asks]
    answers.append(await desk.a.get(f"/v1/employments/{uuid4()}"))
    assert {a.status_code for a in answers} == {404}
    told = [{k: v for k, v in a.json().items() if k not in ("instance", "traceId")} for a in answers]
    assert all(t == told[0] for t in told)
    assert all(NUMBER not in a.text for a in answers)


@pytest.mark.parametrize(("answers", "status", "problem"), [
    (422, 422, "invalid-person-id"), (500, 503, "case-service-unavailable"), (403, 503, "case-service-unavailable"),
    (503, 503, "case-service-unavailable"),
])  # fmt: skip
async def test_where_the_owner_gives_no_answer_there_is_none(
    desk: Any, owner: Owner, found_at: str, answers: int, status: int, problem: str
) -> None:
    owner.answers = answers
    answer = await desk.a.post(SEARCH, json=ASKED)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert NUMBER not in answer.text


async def test_where_nobody_can_be_asked_nothing_is_found(desk: Any) -> None:
    overrides = desk.running.app.dependency_overrides
    overrides[people] = Nobody
    answer = await desk.a.post(SEARCH, json=ASKED)
    del overrides[people]
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


async def test_an_owner_out_of_reach_is_an_owner_away(desk: Any) -> None:
    overrides = desk.running.app.dependency_overrides
    away = People(httpx.AsyncClient(base_url="http://127.0.0.1:1", timeout=1))
    overrides[people] = lambda: away
    answer = await desk.a.post(SEARCH, json=ASKED)
    del overrides[people]
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/case-service-unavailable")
