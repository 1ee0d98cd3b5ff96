"""Meetings, as the parties live them over HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from chassis.clock import new_id
from contracts.case import Covered, Scope

PERSON, FK = {"role": "PERSON"}, {"role": "FK"}


async def test_a_meeting_goes_from_call_to_minutes(desk: Any) -> None:
    case_id, at = await desk.called()
    hr = {"role": "EMPLOYER", "orgId": desk.employer}
    assert (await desk.hr.post(f"{at}/answers", json={"answer": "YES", "arrangement": 1})).status_code == 201
    shown = await desk.read(at)
    assert (shown["status"], shown["arrangement"], shown["startsAt"]) == ("CALLED", 1, "2026-04-20T08:00:00Z")
    assert [(p["ref"], p["answer"]) for p in shown["participants"]] == [
        ("fk:2021005521", None),
        (f"person:{desk.ref_of(case_id)}", None),
        (f"employer:{desk.employer}", "YES"),
    ]
    assert {"move", "cancel", "answer"} <= shown["_links"].keys()

    move = {"startsAt": "2026-04-21T08:00:00Z", "form": "PHONE", "reason": "NEW_TIME_ASKED"}
    assert (await desk.fk.post(f"{at}/times", json=move)).status_code == 201
    shown = await desk.read(at)
    assert (shown["arrangement"], shown["form"]) == (2, "PHONE")
    assert [p["answer"] for p in shown["participants"]] == [None] * 3
    assert (await desk.hr.post(f"{at}/answers", json={"answer": "YES", "arrangement": 2})).status_code == 201

    desk.running.now_is(datetime(2026, 4, 21, 9, tzinfo=UTC))
    held = {"form": "PHONE", "present": [PERSON, FK, hr]}
    assert (await desk.fk.post(f"{at}/holding", json=held)).status_code == 201
    agreed = {"who": hr, "what": "Ordnar handledare", "by": "2026-05-04"}
    minutes = {"text": "Alla vill pröva halvtid", "agreements": [agreed]}
    assert (await desk.fk.post(f"{at}/minutes", json=minutes)).status_code == 201
    said = {"stance": "DISAGREES", "text": "Jag sade en fjärdedel"}
    assert (await desk.person(case_id).post(f"{at}/minutes/comments", json=said)).status_code == 201

    for reader in (desk.fk, desk.hr, desk.person(case_id)):
        read = await desk.read(f"{at}/minutes", reader)
        assert (read["version"], read["text"]) == (1, "Alla vill pröva halvtid")
        assert read["agreements"][0]["what"] == "Ordnar handledare"
        assert read["comments"] == [{"by": f"person:{desk.ref_of(case_id)}", **said}]
    (row,) = (await desk.read(at.rpartition("/")[0]))["items"]
    assert (row["status"], row["minutesVersion"], row["agreements"]) == ("HELD", 1, 1)


async def test_an_answer_to_the_time_before_a_move_does_not_count_for_the_new_one(desk: Any) -> None:
    _, at = await desk.called()
    read = (await desk.read("/v1/invitations?limit=100", desk.hr))["items"]
    (invited,) = [i for i in read if at.endswith(i["meetingId"])]
    move = {"startsAt": "2026-04-21T08:00:00Z", "form": "PHONE", "reason": "NEW_TIME_ASKED"}
    assert (await desk.fk.post(f"{at}/times", json=move)).status_code == 201
    raced = await desk.hr.post(f"{at}/answers", json={"answer": "YES", "arrangement": invited["arrangement"]})
    assert (raced.status_code, raced.json()["type"]) == (409, "/problems/another-time-stands")
    assert [p["answer"] for p in (await desk.read(at))["participants"]] == [None] * 3
    now = (await desk.read(at, desk.hr))["arrangement"]
    assert (await desk.hr.post(f"{at}/answers", json={"answer": "YES", "arrangement": now})).status_code == 201


async def test_the_answer_that_was_given_to_an_earlier_time_is_told_again_to_the_same_key(desk: Any) -> None:
    _, at = await desk.called()
    key, said = {"Idempotency-Key": str(uuid4())}, {"answer": "YES", "arrangement": 1}
    assert (await desk.hr.post(f"{at}/answers", json=said, headers=key)).status_code == 201
    move = {"startsAt": "2026-04-21T08:00:00Z", "form": "PHONE", "reason": "NEW_TIME_ASKED"}
    assert (await desk.fk.post(f"{at}/times", json=move)).status_code == 201
    assert (await desk.hr.post(f"{at}/answers", json=said, headers=key)).status_code == 201
    assert [p["answer"] for p in (await desk.read(at))["participants"]] == [None] * 3


async def test_minutes_are_amended_by_whoever_has_read_the_newest(desk: Any) -> None:
    _, at = await desk.held()
    person = {"who": PERSON, "what": "Ringer", "by": "2026-05-08"}
    await desk.fk.post(f"{at}/minutes", json={"text": "Första", "agreements": [person]})
    read = await desk.fk.get(f"{at}/minutes")
    kept = {"agreementId": read.json()["agreements"][0]["agreementId"], **person}
    body = {"text": "Andra", "agreements": [kept], "reason": "WRONG"}
    without = await desk.fk.post(f"{at}/minutes/amendments", json=body)
    assert (without.status_code, without.json()["type"]) == (428, "/problems/if-match-needed")
    match = {"If-Match": read.headers["ETag"]}
    assert (await desk.fk.post(f"{at}/minutes/amendments", json=body, headers=match)).status_code == 201
    stale = await desk.fk.post(f"{at}/minutes/amendments", json=body | {"text": "Tredje"}, headers=match)
    assert stale.status_code == 412
    assert (await desk.read(f"{at}/minutes"))["version"] == 2


async def test_a_change_of_another_meeting_refuses_no_change_of_this_one(desk: Any) -> None:
    case_id, at = await desk.called()
    read = await desk.fk.get(at)
    other = await desk.fk.post(f"{at.rpartition('/')[0]}", json=desk.meeting(purpose="Ett annat"))
    assert other.status_code == 201
    await desk.consented(case_id, Scope.CARE, desk.region)
    assert (await desk.fk.get(at)).headers["ETag"] == read.headers["ETag"]
    move = {"startsAt": "2026-04-21T08:00:00Z", "form": "PHONE", "reason": "NEW_TIME_ASKED"}
    moved = await desk.fk.post(f"{at}/times", json=move, headers={"If-Match": read.headers["ETag"]})
    assert moved.status_code == 201, moved.text
    assert moved.headers["ETag"] == (await desk.fk.get(at)).headers["ETag"] != read.headers["ETag"]


async def test_a_change_of_this_meeting_refuses_who_has_read_it_before(desk: Any) -> None:
    _, at = await desk.called()
    before = {"If-Match": (await desk.fk.get(at)).headers["ETag"]}
    assert (await desk.hr.post(f"{at}/answers", json={"answer": "NO", "arrangement": 1})).status_code == 201
    off = {"reason": "PARTY_DECLINED"}
    stale = await desk.fk.post(f"{at}/cancellation", json=off, headers=before)
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale-version")
    for wrong in ("yesterday", '"x"', '"0"'):
        refused = await desk.fk.post(f"{at}/cancellation", json=off, headers={"If-Match": wrong})
        assert refused.status_code == 412
    now = {"If-Match": (await desk.fk.get(at)).headers["ETag"], "Idempotency-Key": str(uuid4())}
    done, again = [await desk.fk.post(f"{at}/cancellation", json=off, headers=now) for _ in range(2)]
    assert (done.status_code, again.status_code) == (201, 201)
    assert done.headers["ETag"] == again.headers["ETag"]


async def test_the_same_call_with_the_same_key_is_one_meeting(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    key = {"Idempotency-Key": str(uuid4())}
    first, again = [await desk.fk.post(f"{at}/meetings", json=desk.meeting(), headers=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len((await desk.read(f"{at}/meetings"))["items"]) == 1
    other = await desk.fk.post(f"{at}/meetings", json=desk.meeting(purpose="Annat"), headers=key)
    assert other.status_code == 422


async def test_a_proposal_becomes_a_meeting(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    wish = {"kind": "STATUS", "purpose": "Vi behöver ses", "wishedBy": "2026-04-30"}
    for by in (desk.hr, desk.person(case_id)):
        proposed = await by.post(f"{at}/meeting-proposals", json=wish)
        assert proposed.status_code == 201, proposed.text
        meeting = f"{at}/meetings/{proposed.json()['meetingId']}"
        assert (await desk.read(meeting, by))["purpose"] == "Vi behöver ses"
        called = await desk.fk.post(f"{at}/meetings", json=desk.meeting(proposalId=proposed.json()["meetingId"]))
        assert called.json() == proposed.json()
        assert (await desk.read(meeting, by))["status"] == "CALLED"


async def test_a_party_sees_its_own_invitations_soonest_first_page_by_page(desk: Any) -> None:
    org = "5560125790"
    hr = desk.running.by("emp.hr", org_id=org)
    for day in ("22", "20", "21"):
        case_id, at = await desk.opened()
        await desk.consented(case_id, party=org)
        body = desk.meeting(
            startsAt=f"2026-04-{day}T08:00:00Z", participants=[PERSON, {"role": "EMPLOYER", "orgId": org}]
        )
        assert (await desk.fk.post(f"{at}/meetings", json=body)).status_code == 201
    page = await desk.read("/v1/invitations?limit=2", hr)
    rest = await desk.read(f"/v1/invitations?limit=2&after={page['next']}", hr)
    both = page["items"] + rest["items"]
    assert [i["startsAt"][:10] for i in both] == ["2026-04-20", "2026-04-21", "2026-04-22"]
    assert rest["next"] is None
    assert all(i["_links"]["answer"]["href"].endswith("/answers") for i in both)
    answered = await hr.post(both[0]["_links"]["answer"]["href"], json={"answer": "NEW_TIME", "arrangement": 1})
    assert answered.status_code == 201
    assert (await desk.read("/v1/invitations", hr))["items"][0]["answer"] == "NEW_TIME"


async def test_a_withdrawn_consent_ends_what_the_party_may_see_and_do_at_once(desk: Any) -> None:
    case_id, at = await desk.called()
    assert (await desk.hr.get(at)).status_code == 200
    await desk.withdrew(case_id)
    for ask in (
        desk.hr.get(at),
        desk.hr.post(f"{at}/answers", json={"answer": "YES", "arrangement": 1}),
        desk.hr.get(f"{at}/minutes"),
    ):
        assert (await ask).json()["type"] == "/problems/meeting-unknown"
    assert at.rpartition("/")[2] not in (await desk.hr.get("/v1/invitations?limit=100")).text
    shown = await desk.read(at)
    assert [p["takesPart"] for p in shown["participants"]] == [True, True, False]
    (row,) = (await desk.read(at.rpartition("/")[0]))["items"]
    assert row["marked"]


async def test_a_cancelled_meeting_is_no_longer_among_the_invitations_of_a_party_without_consent(desk: Any) -> None:
    case_id, at = await desk.called()
    assert (await desk.fk.post(f"{at}/cancellation", json={"reason": "OTHER"})).status_code == 201
    assert at.rpartition("/")[2] in (await desk.hr.get("/v1/invitations?limit=100&whole=true")).text
    await desk.withdrew(case_id)
    assert at.rpartition("/")[2] not in (await desk.hr.get("/v1/invitations?limit=100&whole=true")).text


async def workplace_meeting(desk: Any) -> tuple[UUID, str]:
    """A meeting that health care has called without FK, under the person's consents to both parties."""
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    await desk.consented(case_id, Scope.KOORD_MEASURE, desk.region)
    guests = [PERSON, {"role": "EMPLOYER", "orgId": desk.employer}]
    made = await desk.care.post(f"{at}/meetings", json=desk.meeting(kind="WORKPLACE_CARE", participants=guests))
    assert made.status_code == 201, made.text
    return case_id, f"{at}/meetings/{made.json()['meetingId']}"


async def test_whoever_called_a_meeting_takes_it_off_after_the_consent_has_ended_and_does_no_more(desk: Any) -> None:
    case_id, at = await workplace_meeting(desk)
    await desk.withdrew(case_id, Scope.KOORD_MEASURE, desk.region)
    assert (await desk.care.get(at)).status_code == 404
    assert (await desk.care.post(f"{at}/cancellation", json={"reason": "COOPERATION_ENDED"})).status_code == 201
    assert (await desk.read(at))["status"] == "CANCELLED"
    assert (await desk.care.post(f"{at}/cancellation", json={"reason": "COOPERATION_ENDED"})).status_code == 404


async def test_whoever_called_a_meeting_reads_its_minutes_as_long_as_the_consent_holds(desk: Any) -> None:
    case_id, at = await workplace_meeting(desk)
    await desk.consented(case_id, Scope.KOORD_TO_FK, desk.region)
    desk.running.now_is(datetime(2026, 4, 20, 9, tzinfo=UTC))
    present = [PERSON, {"role": "EMPLOYER", "orgId": desk.employer}, {"role": "CARE", "orgId": desk.region}]
    assert (await desk.care.post(f"{at}/holding", json={"form": "DIGITAL", "present": present})).status_code == 201
    assert (await desk.care.post(f"{at}/minutes", json={"text": "Vi provar"})).status_code == 201
    assert (await desk.read(f"{at}/minutes", desk.care))["text"] == "Vi provar"
    await desk.withdrew(case_id, Scope.KOORD_MEASURE, desk.region)
    for hidden in (at, f"{at}/minutes"):
        assert (await desk.care.get(hidden)).json()["type"] == "/problems/meeting-unknown"


async def test_a_consent_given_anew_that_covers_less_shows_af_no_assessment_and_no_minutes(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id, Scope.AF, "2021002114")
    await desk.consented(case_id, Scope.SUS_REG, "2021002114")
    referral = await desk.referred(case_id)
    body = desk.assessment(referral)
    assert (await desk.fk.post(f"{at}/joint-assessments", json=body)).status_code == 201
    assert (await desk.read(f"{at}/joint-assessments", desk.af))["items"]
    await desk.withdrew(case_id, Scope.AF, "2021002114")
    await desk.consented(case_id, Scope.AF, "2021002114", giving=2, covering=(Covered.D, Covered.W))
    assert (await desk.read(f"{at}/joint-assessments", desk.af))["items"] == []
    said = await desk.af.post(
        f"{at}/joint-assessments/{referral}/comments", json={"stance": "ADDS", "text": "Vi ser det så"}
    )
    assert said.json()["type"] == "/problems/assessment-unknown"


async def test_a_withdrawal_that_was_acknowledged_before_the_call_always_stops_it(desk: Any) -> None:
    for giving in range(1, 11):
        case_id, at = await desk.opened()
        await desk.consented(case_id, giving=giving)
        await desk.withdrew(case_id, giving=giving)
        refused = await desk.fk.post(f"{at}/meetings", json=desk.meeting())
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/consent-missing")


async def test_a_withdrawal_racing_a_call_stops_it_or_marks_it(desk: Any) -> None:
    for _ in range(6):
        case_id, at = await desk.opened()
        await desk.consented(case_id)
        called, _ = await asyncio.gather(desk.fk.post(f"{at}/meetings", json=desk.meeting()), desk.withdrew(case_id))
        assert called.status_code in (201, 409)
        await desk.running.runtime.level_with("case", case_id)
        assert all(row["marked"] for row in (await desk.read(f"{at}/meetings"))["items"])


async def test_what_case_service_has_not_published_yet_is_waited_for(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    await desk.fk.post(f"{at}/meetings", json=desk.meeting())
    await desk.case.fall_silent()
    await desk.withdrew(case_id)
    calling = asyncio.create_task(desk.fk.post(f"{at}/meetings", json=desk.meeting(purpose="Ett till")))
    await asyncio.wait({calling}, timeout=0.3)
    assert not calling.done()
    await desk.case.speak()
    assert (await calling).json()["type"] == "/problems/consent-missing"


async def test_when_the_case_is_closed_its_meetings_are_cancelled(desk: Any) -> None:
    case_id, at = await desk.called()
    await desk.closed(case_id)
    await desk.running.runtime.level_with("case", case_id)
    shown = await desk.read(at)
    assert (shown["status"], shown["reason"]) == ("CANCELLED", "CASE_CLOSED")
    refused = await desk.fk.post(at.rpartition("/")[0], json=desk.meeting())
    assert refused.json()["type"] == "/problems/case-is-closed"


async def test_a_joint_assessment_follows_the_referral_and_both_consents(desk: Any) -> None:
    case_id, at = await desk.opened()
    to = f"{at}/joint-assessments"
    nothing = await desk.fk.post(to, json=desk.assessment(new_id()))
    assert (nothing.status_code, nothing.json()["type"]) == (409, "/problems/assessment-before-referral")
    referral = await desk.referred(case_id, accepted=False)
    early = await desk.fk.post(to, json=desk.assessment(referral))
    assert early.json()["type"] == "/problems/assessment-before-referral"
    await desk.accepted(case_id, referral)
    for scope in (Scope.AF, Scope.SUS_REG):
        refused = await desk.fk.post(to, json=desk.assessment(referral))
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/consent-missing")
        await desk.consented(case_id, scope, "2021002114")
    made = await desk.fk.post(to, json=desk.assessment(referral))
    assert made.status_code == 201
    by_af = await desk.af.post(to, json=desk.assessment(referral))
    assert by_af.json() == made.json()
    for reader in (desk.fk, desk.af, desk.person(case_id)):
        (read,) = (await desk.read(to, reader))["items"]
        assert (read["functionView"], read["workView"]) == ("Kan sitta", "Arbetsträning")
    said = {"stance": "DISAGREES", "text": "Jag kan stå också"}
    assert (await desk.person(case_id).post(f"{to}/{referral}/comments", json=said)).status_code == 201
    assert (await desk.read(to))["items"][0]["comments"][0]["text"] == said["text"]
    await desk.withdrew(case_id, Scope.AF, "2021002114")
    assert (await desk.af.get(to)).json()["type"] == "/problems/case-unknown"
    assert (await desk.hr.get(to)).status_code == 403


async def test_what_is_written_in_words_stands_in_no_table(desk: Any) -> None:
    _, at = await desk.held()
    await desk.fk.post(f"{at}/minutes", json={"text": "Hemlighetsfullt protokoll", "agreements": []})
    pool = desk.running.runtime.pool
    stored = await pool.fetchval("select string_agg(data::text, ' ') from readable_events")
    assert "Hemlighetsfullt" not in stored
    assert "Steg tillbaka" not in stored


async def test_every_read_model_built_anew_is_the_same(desk: Any) -> None:
    await desk.held()
    for name in ("meetings", "invitations"):
        folder = desk.running.runtime.folders[name]
        await desk.running.runtime.caught_up(folder.view, {})
        before = await folder.digest()
        assert await folder.rebuild() > 0
        assert await folder.digest() == before


async def test_facts_carry_their_case_and_legal_basis(desk: Any) -> None:
    case_id, _ = await desk.called()
    envelope = await desk.running.runtime.pool.fetchval(
        "select envelope from readable_events where type = 'MeetingCalled' order by position desc limit 1"
    )
    assert f"ce-caseid: {case_id}" in envelope
    assert "ce-legalbasis: SFB%2030:8" in envelope
    assert "ce-consentids: " in envelope


async def test_every_body_has_an_example_that_holds(desk: Any) -> None:
    described = (await desk.fk.get("/openapi.json")).json()
    schemas = described["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for item in described["paths"].values()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert bodies == {
        "NewProposal", "NewMeeting", "NewAnswer", "NewTime", "NewHolding", "NewMinutes", "NewAmendment", "NewComment",
        "NewCancellation", "NewAssessment",
    }  # fmt: skip
    assert all(len(schemas[name]["examples"]) == 1 for name in bodies)
    for path, item in described["paths"].items():
        if path.startswith("/v1"):
            assert all(operation["summary"] and operation["description"] for operation in item.values())
    example = {name: schemas[name]["examples"][0] for name in bodies}
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    await desk.consented(case_id, Scope.CARE, desk.region)
    await desk.consented(case_id, Scope.AF, "2021002114")
    assert (await desk.hr.post(f"{at}/meeting-proposals", json=example["NewProposal"])).status_code == 201
    called = await desk.fk.post(f"{at}/meetings", json=example["NewMeeting"])
    assert called.status_code == 201, called.text
    meeting = f"{at}/meetings/{called.json()['meetingId']}"
    for to, name in (("answers", "NewAnswer"), ("times", "NewTime"), ("cancellation", "NewCancellation")):
        answer = await desk.fk.post(f"{meeting}/{to}", json=example[name])
        assert answer.status_code == 201, answer.text
    guests = [PERSON, {"role": "AF"}]
    second = await desk.fk.post(f"{at}/meetings", json=desk.meeting(participants=guests))
    meeting = f"{at}/meetings/{second.json()['meetingId']}"
    desk.running.now_is(datetime(2026, 4, 20, 9, tzinfo=UTC))
    for to, name in (("holding", "NewHolding"), ("minutes", "NewMinutes"), ("minutes/comments", "NewComment")):
        by = desk.person(case_id) if name == "NewComment" else desk.fk
        answer = await by.post(f"{meeting}/{to}", json=example[name])
        assert answer.status_code == 201, answer.text
    match = {"If-Match": (await desk.fk.get(meeting)).headers["ETag"]}
    amended = await desk.fk.post(f"{meeting}/minutes/amendments", json=example["NewAmendment"], headers=match)
    assert amended.status_code == 201, amended.text


async def test_who_reads_after_a_write_sees_it_here_and_what_case_service_wrote(desk: Any) -> None:
    case_id, at = await desk.called()
    answered = await desk.hr.post(f"{at}/answers", json={"answer": "NO", "arrangement": 1})
    read = await desk.fk.get(at, headers={"Read-After": answered.headers["Samordna-Position"]})
    assert read.json()["participants"][2]["answer"] == "NO"
    assert read.headers["ETag"] == answered.headers["ETag"]
    head = await desk.closed(case_id)
    read = await desk.fk.get(at, headers={"Read-After": f"case:{head}"})
    assert read.json()["status"] == "CANCELLED"


async def everything(desk: Any, at: str, by: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All pages of a list, two rows a page."""
    page = await desk.read(f"{at}?limit=2", by)
    items = page["items"]
    while page["next"]:
        page = await desk.read(f"{at}?limit=2&after={page['next']}", by)
        items += page["items"]
    return items


async def test_the_meetings_of_a_case_come_page_by_page_in_the_order_in_which_they_came_up(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    ids: list[str] = []
    for n in range(5):
        made = await desk.fk.post(f"{at}/meetings", json=desk.meeting(purpose=f"Möte {n}"))
        ids.append(made.json()["meetingId"])
    for reader in (desk.fk, desk.person(case_id)):
        assert [m["meetingId"] for m in await everything(desk, f"{at}/meetings", reader)] == ids
