"""What cannot be taken is answered with a problem document, leaves nothing behind, and is never repeated back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.clock import new_id
from contracts.case import Scope

PROBLEM = "application/problem+json"
PERSON, FK = {"role": "PERSON"}, {"role": "FK"}


NAMED = {"text": "text", "agreements": "agreement"}
"""How a refusal for the words of a field begins."""
YES = {"answer": "YES", "arrangement": 1}


async def refused_whole(desk: Any, ask: Any, status: int, type: str) -> dict[str, Any]:
    """The problem that `ask` is answered with; no fact follows."""
    before = await desk.facts()
    answer: httpx.Response = await ask
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM), answer.text
    assert answer.json()["type"] == f"/problems/{type}"
    assert answer.json()["detail"]
    assert await desk.facts() == before
    assert "F32" not in answer.text
    return answer.json()


async def test_a_status_meeting_with_two_parties_is_none(desk: Any) -> None:
    _, at = await desk.opened()
    for guests in ([PERSON], [PERSON, FK], [FK, {"role": "EMPLOYER", "orgId": desk.employer}]):
        ask = desk.fk.post(f"{at}/meetings", json=desk.meeting(participants=guests))
        await refused_whole(desk, ask, 409, "too-few-parties")


async def test_an_answer_by_one_who_was_not_invited(desk: Any) -> None:
    case_id, at = await desk.called()
    other = desk.running.by("emp.hr", org_id=desk.stranger)
    await refused_whole(desk, other.post(f"{at}/answers", json=YES), 404, "case-unknown")
    await desk.consented(case_id, Scope.CARE, desk.region)
    await refused_whole(desk, desk.care.post(f"{at}/answers", json=YES), 404, "meeting-unknown")
    stranger = desk.running.by("person", user_ref=str(uuid4()))
    await refused_whole(desk, stranger.post(f"{at}/answers", json=YES), 404, "case-unknown")


async def test_fk_answers_only_where_it_is_invited(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    await desk.consented(case_id, Scope.KOORD_MEASURE, desk.region)
    guests = [PERSON, {"role": "EMPLOYER", "orgId": desk.employer}]
    made = await desk.care.post(f"{at}/meetings", json=desk.meeting(kind="WORKPLACE_CARE", participants=guests))
    assert made.status_code == 201, made.text
    meeting = f"{at}/meetings/{made.json()['meetingId']}"
    await refused_whole(desk, desk.fk.post(f"{meeting}/answers", json=YES), 409, "not-invited")
    hold = desk.fk.post(f"{meeting}/cancellation", json={"reason": "OTHER"})
    await refused_whole(desk, hold, 409, "not-the-caller")


async def test_an_assessment_before_the_referral(desk: Any) -> None:
    _, at = await desk.opened()
    ask = desk.fk.post(f"{at}/joint-assessments", json=desk.assessment(new_id()))
    await refused_whole(desk, ask, 409, "assessment-before-referral")


async def test_a_meeting_without_consent(desk: Any) -> None:
    _, at = await desk.opened()
    await refused_whole(desk, desk.fk.post(f"{at}/meetings", json=desk.meeting()), 409, "consent-missing")


async def test_a_meeting_called_too_late_or_for_a_time_that_has_passed(desk: Any) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    soon = desk.meeting(startsAt="2026-04-14T21:59:00Z")
    await refused_whole(desk, desk.fk.post(f"{at}/meetings", json=soon), 409, "notice-too-short")
    passed = desk.meeting(startsAt="2026-03-31T08:00:00Z", shortNoticeAgreed=True)
    assert (await refused_whole(desk, desk.fk.post(f"{at}/meetings", json=passed), 422, "start-has-passed"))["field"]
    agreed = await desk.fk.post(f"{at}/meetings", json=soon | {"shortNoticeAgreed": True})
    assert agreed.status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"startsAt": "2026-04-20T08:00:00"},
        {"startsAt": 1776672000},
        {"minutes": 0},
        {"minutes": "60"},
        {"kind": "PARTY"},
        {"purpose": ""},
        {"purpose": "x" * 2001},
        {"participants": []},
        {"participants": [{"role": "EMPLOYER"}]},
        {"participants": [{"role": "EMPLOYER", "orgId": "6408233234"}]},
        {"participants": [{"role": "PERSON", "orgId": "5560360793"}]},
        {"diagnosis": "F43"},
        {"situationCode": "fri text"},
    ],
    ids=str,
)
async def test_a_call_that_makes_no_sense(desk: Any, change: dict[str, Any]) -> None:
    _, at = await desk.opened()
    ask = desk.fk.post(f"{at}/meetings", json=desk.meeting(**change))
    found = await refused_whole(desk, ask, 422, "invalid-input")
    assert "6408233234" not in str(found)
    assert "F43" not in str(found)


async def test_a_meeting_that_has_not_been_held_has_no_minutes(desk: Any) -> None:
    _, at = await desk.called()
    await refused_whole(desk, desk.fk.post(f"{at}/minutes", json={"text": "x"}), 409, "meeting-not-held")
    await refused_whole(desk, desk.fk.get(f"{at}/minutes"), 404, "meeting-unknown")
    held = {"form": "DIGITAL", "present": [PERSON, FK]}
    await refused_whole(desk, desk.fk.post(f"{at}/holding", json=held), 409, "meeting-not-begun")


async def test_agreements_are_made_by_those_who_were_invited_for_days_that_lie_ahead(desk: Any) -> None:
    _, at = await desk.held()
    agreed = {"who": {"role": "CARE", "orgId": desk.region}, "what": "Skickar remiss", "by": "2026-05-04"}
    ask = desk.fk.post(f"{at}/minutes", json={"text": "x", "agreements": [agreed]})
    await refused_whole(desk, ask, 422, "agreement-of-stranger")
    late = {"who": PERSON, "what": "Ringer", "by": "2026-04-19"}
    ask = desk.fk.post(f"{at}/minutes", json={"text": "x", "agreements": [late]})
    await refused_whole(desk, ask, 422, "agreement-passed")


async def test_only_the_caller_moves_holds_and_cancels(desk: Any) -> None:
    _, at = await desk.called()
    move = {"startsAt": "2026-04-27T08:00:00Z", "reason": "OTHER"}
    await refused_whole(desk, desk.hr.post(f"{at}/times", json=move), 409, "not-the-caller")
    await refused_whole(desk, desk.hr.post(f"{at}/cancellation", json={"reason": "OTHER"}), 409, "not-the-caller")
    own = desk.hr.post(at.rpartition("/")[0], json=desk.meeting())
    await refused_whole(desk, own, 409, "not-yours-to-call")


async def test_what_is_not_there_and_what_is_not_yours_look_alike(desk: Any) -> None:
    case_id, at = await desk.called()
    nowhere = f"/v1/cases/{uuid4()}/meetings"
    await refused_whole(desk, desk.fk.get(nowhere), 404, "case-unknown")
    await refused_whole(desk, desk.fk.post(nowhere, json=desk.meeting()), 404, "case-unknown")
    other = desk.running.by("emp.hr", org_id=desk.stranger)
    for by in (other, desk.care, desk.af, desk.running.by("person", user_ref=str(uuid4()))):
        await refused_whole(desk, by.get(at), 404, "case-unknown")
    wish = {"kind": "STATUS", "purpose": "x", "wishedBy": "2026-04-30"}
    ask = other.post(f"/v1/cases/{case_id}/meeting-proposals", json=wish)
    await refused_whole(desk, ask, 404, "case-unknown")


async def test_who_may_ask_at_all(desk: Any) -> None:
    _, at = await desk.called()
    assert (await desk.running.by(None).get(at)).status_code == 401
    assert (await desk.running.by("av.inspector").get(at)).status_code == 403
    assert (await desk.running.by("fk.specialist").post(f"{at}/answers", json=YES)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"answer": "YES"}',
        b'{"answer": "YES", "arrangement": 0}',
        b'{"answer": "YES", "arrangement": true}',
        b'{"answer": "MAYBE", "arrangement": 1}',
        b'{"answer": "YES", "arrangement": 1, "note": "F43"}',
    ],
)
async def test_malformed_bodies(desk: Any, body: bytes) -> None:
    _, at = await desk.called()
    answer = await desk.hr.post(f"{at}/answers", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == (400 if body == b"{" else 422)
    assert "F43" not in answer.text


async def test_a_cursor_of_another_list(desk: Any) -> None:
    _, at = await desk.called()
    ask = desk.fk.get(f"{at.rpartition('/')[0]}?after=bm90IG91cnM")
    await refused_whole(desk, ask, 422, "invalid-cursor")


async def test_fk_writes_the_minutes_and_does_not_comment_on_them(desk: Any) -> None:
    _, at = await desk.held()
    assert (await desk.fk.post(f"{at}/minutes", json={"text": "Vi provar"})).status_code == 201
    said = await desk.fk.post(f"{at}/minutes/comments", json={"stance": "ADDS", "text": "Och så"})
    assert said.status_code == 403
    assert "comment" not in (await desk.read(at))["_links"]


async def test_what_tells_of_health_is_refused_by_the_name_of_its_field_and_not_repeated(desk: Any) -> None:
    case_id, at = await desk.held()
    words = "Depression, F32.1"
    promise = {"who": PERSON, "what": words, "by": "2026-05-08"}
    for body, field in (({"text": words}, "text"), ({"text": "Alla", "agreements": [promise]}, "agreements")):
        told = await refused_whole(
            desk, desk.fk.post(f"{at}/minutes", json=body), 422, f"{NAMED[field]}-tells-of-health"
        )
        assert told["field"] == field
    assert (await desk.fk.post(f"{at}/minutes", json={"text": "Alla"})).status_code == 201
    await desk.consented(case_id, Scope.CARE, desk.region)
    said = {"stance": "ADDS", "text": words}
    for by in (desk.person(case_id), desk.hr):
        told = await refused_whole(desk, by.post(f"{at}/minutes/comments", json=said), 422, "text-tells-of-health")
        assert told["field"] == "text"
    to = at.rpartition("/")[0]
    call = desk.fk.post(to, json=desk.meeting(startsAt="2026-06-20T08:00:00Z", purpose=words))
    told = await refused_whole(desk, call, 422, "purpose-tells-of-health")
    assert told["field"] == "purpose"


@pytest.mark.parametrize(
    ("role", "party", "other", "scope"),
    [
        ("mun.officer", "2120000019", "2120000027", Scope.MUN),
        ("finsam.officer", "2220000018", "2220000026", Scope.FINSAM),
    ],
)
async def test_a_municipality_and_a_samordningsforbund_see_what_they_are_invited_to_and_nothing_else(
    desk: Any, role: str, party: str, other: str, scope: Scope
) -> None:
    officer, elsewhere = desk.running.by(role, org_id=party), desk.running.by(role, org_id=other)
    case_id, at = await desk.called()
    meetings = at.rpartition("/")[0]
    await refused_whole(desk, officer.get(at), 404, "case-unknown")
    await desk.consented(case_id, scope, party)
    await refused_whole(desk, officer.get(at), 404, "meeting-unknown")
    guests = [PERSON, {"role": role.partition(".")[0].upper(), "orgId": party}]
    made = await desk.fk.post(meetings, json=desk.meeting(participants=guests))
    theirs = f"{meetings}/{made.json()['meetingId']}"
    assert (await desk.read(theirs, officer))["purpose"]
    assert [i["caseId"] for i in (await desk.read("/v1/invitations", officer))["items"]] == [str(case_id)]
    assert (await desk.running.by(None).post(f"{theirs}/answers", json=YES)).status_code == 401
    await refused_whole(desk, elsewhere.post(f"{theirs}/answers", json=YES), 404, "case-unknown")
    assert (await officer.post(f"{theirs}/answers", json=YES)).status_code == 201
    assert (await desk.read(theirs))["participants"][2]["answer"] == "YES"
    assert (await officer.get(meetings)).status_code == 403
    assert (await officer.post(meetings, json=desk.meeting())).status_code == 403
    assert (await officer.get(f"{meetings.rpartition('/')[0]}/joint-assessments")).status_code == 403
    said = {"stance": "ADDS", "text": "Vi instämmer"}
    assert (await officer.post(f"{theirs}/minutes/comments", json=said)).status_code == 403
    await refused_whole(desk, officer.post(f"{theirs}/cancellation", json={"reason": "OTHER"}), 409, "not-the-caller")
    await desk.withdrew(case_id, scope, party)
    await refused_whole(desk, officer.get(theirs), 404, "case-unknown")
    assert (await desk.read("/v1/invitations?whole=true", officer))["items"] == []


async def test_a_role_of_another_party_is_nobodys(desk: Any) -> None:
    mixed = desk.running.by("mun.officer", org_type="FINSAM")
    told = await mixed.get("/v1/invitations")
    assert (told.status_code, told.json()["type"]) == (403, "/problems/role-of-another-party")
