"""A sick-leave case, as the parties live it over HTTP."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx


async def test_a_case_goes_from_opening_to_its_end(desk: Any) -> None:
    opened = await desk.opened()
    at = opened["at"]
    handler = {"handlerRef": "handler-1", "unit": "norr-2"}
    assert (await desk.manager.put(f"{at}/assignment", json=handler)).status_code == 200
    periods = {"periods": [{"start": "2026-03-16", "end": "2026-04-30", "incapacityPct": 100}]}
    assert (await desk.fk.post(f"{at}/degrees", json=periods)).status_code == 201
    ikr = {"method": "IKR", "needLevel": "CLEAR", "barriers": ["PAIN"], "nextStep": "STATUS_MEETING"}
    assert (await desk.fk.post(f"{at}/assessments", json=ikr)).status_code == 201
    await desk.decided(at)
    assert (await desk.fk.post(f"{at}/extensions", json={"newExpectedEnd": "2026-08-31"})).status_code == 201

    shown = await desk.read(at)
    assert (shown["status"], shown["spellDay"], shown["chainDay"], shown["caseDay"]) == ("OPEN", 20, 20, 1)
    assert (shown["expectedDays"], shown["needLevel"], shown["decision"]["need"]) == (183, "CLEAR", True)
    assert shown["assignment"]["handlerRef"] == "handler-1"
    assert shown["employments"][0]["workplace"] == "Lagret i Norr"
    assert shown["degrees"] == [{"start": "2026-03-16", "end": "2026-04-30", "incapacityPct": 100}]
    assert {"assign", "referToAF", "close"} <= shown["_links"].keys()

    assert (await desk.fk.post(f"{at}/closing", json={"outcome": "ORDINARY_WORK"})).status_code == 201
    shown = await desk.read(at)
    assert (shown["status"], shown["outcome"]) == ("CLOSED", "ORDINARY_WORK")
    assert set(shown["_links"]) == {"self", "timeline", "reopen"}
    assert (await desk.fk.post(f"{at}/reopening", json={"reason": "RELAPSE"})).status_code == 201
    assert (await desk.read(at))["status"] == "OPEN"


async def test_a_person_is_found_by_number_however_it_is_written(desk: Any) -> None:
    opened = await desk.opened()
    number = opened["personId"]
    for written in (number, f"{number[:8]}-{number[8:]}"):
        found = (await desk.fk.post("/v1/people/search", json={"personId": written})).json()
        assert found["personRef"] == opened["personRef"]
        assert [c["caseId"] for c in found["cases"]] == [opened["caseId"]]


async def test_a_coordination_number_is_a_number_too(desk: Any) -> None:
    number = desk.somebody(coordination=True)
    opened = await desk.opened(personId=number)
    found = await desk.fk.post("/v1/people/search", json={"personId": number})
    assert found.json()["personRef"] == opened["personRef"]


async def test_two_who_open_at_once_mint_one_reference_and_one_case(desk: Any) -> None:
    for _ in range(5):
        body = desk.particulars()
        answers = await asyncio.gather(*(desk.fk.post("/v1/cases", json=body) for _ in range(4)))
        assert {a.status_code for a in answers} <= {200, 201}
        assert len({a.json()["personRef"] for a in answers}) == len({a.json()["caseId"] for a in answers}) == 1
        other = body | {"spellStart": "2026-03-03"}
        assert (await desk.fk.post("/v1/cases", json=other)).json()["type"] == "/problems/case-already-open"


async def test_a_second_case_begins_when_the_first_has_ended(desk: Any) -> None:
    first = await desk.opened()
    await desk.fk.post(f"{first['at']}/closing", json={"outcome": "ORDINARY_WORK"})
    second = await desk.opened(personId=first["personId"])
    assert second["personRef"] == first["personRef"]
    assert second["caseId"] != first["caseId"]


async def test_the_same_opening_with_the_same_key_gets_the_first_answer(desk: Any) -> None:
    body, key = desk.particulars(), {"Idempotency-Key": str(uuid4())}
    first = await desk.fk.post("/v1/cases", json=body, headers=key)
    again = await desk.fk.post("/v1/cases", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_an_employers_notice_opens_a_case_and_a_second_employers_joins_it(desk: Any) -> None:
    body = {
        "personId": desk.somebody(),
        "employmentKind": "ORDINARY",
        "workplace": "Butiken",
        "spellStart": "2026-03-02",
        "lastSickPayDay": "2026-03-15",
    }
    first = await desk.a.post("/v1/sick-notices", json=body)
    other = await desk.running.by("emp.hr", org_id="5560009010").post("/v1/sick-notices", json=body)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["caseId"] == other.json()["caseId"]
    shown = await desk.read(f"/v1/cases/{first.json()['caseId']}")
    assert [e["orgNr"] for e in shown["employments"]] == ["5560360793", "5560009010"]
    assert (shown["expectedDays"], shown["assignment"]) == (14, None)


async def test_health_care_tells_fk_under_consent_and_fk_acknowledges(desk: Any) -> None:
    opened = await desk.opened()
    await desk.consented_in_care(opened)
    sent = await desk.care.post("/v1/koordineringsinfo", json=desk.info(opened["personId"]))
    assert sent.status_code == 201
    info = f"{opened['at']}/koordineringsinfo/{sent.json()['infoId']}"
    assert [i["acknowledged"] for i in (await desk.read(opened["at"]))["infos"]] == [False]
    assert (await desk.fk.post(f"{info}/acknowledgement")).status_code == 201
    assert [i["acknowledged"] for i in (await desk.read(opened["at"]))["infos"]] == [True]


async def test_without_consent_health_care_is_not_told_whether_fk_knows_the_person(desk: Any) -> None:
    known = await desk.opened()
    answers = [
        await desk.care.post("/v1/koordineringsinfo", json=desk.info(number))
        for number in (known["personId"], desk.somebody())
    ]
    assert [(a.status_code, a.json()["type"]) for a in answers] == [(409, "/problems/consent-missing")] * 2
    assert answers[0].json() == answers[1].json()


async def test_a_certificate_is_registered_and_its_diagnosis_shown_in_it_alone(desk: Any) -> None:
    opened, body = await desk.certified()
    shown = await desk.fk.get(opened["at"])
    assert shown.json()["certificates"] == [body["certificateId"]]
    assert "F438" not in shown.text
    stored = await desk.running.runtime.pool.fetchval("select string_agg(data::text, ' ') from readable_events")
    assert "F438" not in stored
    assert opened["personId"] not in stored
    assert "uthållighet" not in stored


async def test_a_referral_is_sent_accepted_and_moved(desk: Any) -> None:
    opened, _, at = await desk.referred()
    waiting = next(r for r in await everything(desk, "/v1/referrals", desk.af) if f"/{r['referralId']}" in at)
    assert waiting["_links"].keys() == {"self", "accept", "decline"}
    seen = await desk.read(at, desk.af)
    assert (seen["functionSummary"], seen["personId"]) == ("Kan arbeta sittande", opened["personId"])
    assert "personId" not in await desk.read(at)
    accepted = await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})
    assert accepted.status_code == 201
    moved = await desk.af.post(f"{at}/reassignment", json={"office": "umea", "officerRef": "officer-2"})
    assert moved.status_code == 201
    (referral,) = (await desk.read(opened["at"]))["referrals"]
    assert (referral["status"], referral["officerRef"], referral["office"]) == ("ACCEPTED", "officer-2", "umea")


async def test_a_withdrawn_consent_ends_what_af_may_see_and_do(desk: Any) -> None:
    opened, consent, at = await desk.referred()
    withdrawn = await desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={})
    assert withdrawn.status_code == 202
    assert (await desk.af.get(at)).json()["type"] == "/problems/referral-unknown"
    assert not [r for r in await everything(desk, "/v1/referrals", desk.af) if f"/{r['referralId']}" in at]
    accepted = await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})
    assert (accepted.status_code, accepted.json()["type"]) == (409, "/problems/consent-missing")
    assert (await desk.af.post(f"{at}/declination", json={"reason": "OTHER"})).status_code == 201
    again = await desk.fk.post(f"{opened['at']}/referrals", json=desk.referral())
    assert again.json()["type"] == "/problems/consent-missing"


async def test_each_of_two_who_write_at_once_is_told_what_became_of_their_own(desk: Any) -> None:
    opened = await desk.opened()
    await desk.consented_in_care(opened)
    decisions = await asyncio.gather(
        *(
            desk.fk.post(f"{opened['at']}/need-decisions", json={"need": True, "types": [t]})
            for t in ("SOCIAL", "MEDICAL")
        )
    )
    assert len({d.json()["decisionId"] for d in decisions}) == 2
    told = await asyncio.gather(
        *(
            desk.care.post("/v1/koordineringsinfo", json=desk.info(opened["personId"], aim=a))
            for a in ("SHORTEN", "PREVENT")
        )
    )
    shown = await desk.read(opened["at"])
    assert {t.json()["infoId"] for t in told} == {i["infoId"] for i in shown["infos"]}
    again = await desk.care.post("/v1/koordineringsinfo", json=desk.info(opened["personId"]))
    assert again.json()["infoId"] in {i["infoId"] for i in shown["infos"]}


async def test_a_closed_case_is_open_to_af_no_more(desk: Any) -> None:
    opened, _, at = await desk.referred()
    assert (await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "ORDINARY_WORK"})).status_code == 201
    assert (await desk.af.get(at)).status_code == 404
    accepted = await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})
    assert (accepted.status_code, accepted.json()["type"]) == (409, "/problems/consent-missing")
    assert at.rpartition("/")[2] not in [r["referralId"] for r in await everything(desk, "/v1/referrals", desk.af)]


async def test_a_consent_ends_with_its_case_though_nobody_else_is_there(desk: Any) -> None:
    """No other service runs here. Opening the case again does not bring it back; the person can give it again."""
    opened, consent, at = await desk.referred()
    assert (await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "OTHER"})).status_code == 201
    assert (await desk.fk.post(f"{opened['at']}/reopening", json={"reason": "CLOSED_IN_ERROR"})).status_code == 201
    assert (await desk.af.get(at)).status_code == 404
    assert at.rpartition("/")[2] not in [r["referralId"] for r in await everything(desk, "/v1/referrals", desk.af)]
    assert (await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})).status_code == 409
    again = await desk.fk.post(f"{opened['at']}/referrals", json=desk.referral())
    assert again.json()["type"] == "/problems/consent-missing"
    await until_consents_are(desk, opened, ["EXPIRED"])
    assert await desk.consented(opened) == consent
    assert (await desk.af.get(at)).status_code == 200


async def test_a_consent_given_again_at_once_outlives_what_is_recorded_late(desk: Any) -> None:
    opened, consent, at = await desk.referred()
    await desk.consented_in_care(opened)
    await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "OTHER"})
    refused = await desk.fk.post("/v1/consents", json=desk.consent(opened["caseId"]))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/case-is-closed")
    await desk.fk.post(f"{opened['at']}/reopening", json={"reason": "CLOSED_IN_ERROR"})
    assert await desk.consented(opened) == consent
    await until_consents_are(desk, opened, ["GIVEN", "EXPIRED"])
    assert (await desk.af.get(at)).status_code == 200
    told = await desk.care.post("/v1/koordineringsinfo", json=desk.info(opened["personId"]))
    assert told.json()["type"] == "/problems/consent-missing"


async def until_consents_are(desk: Any, opened: Any, wanted: list[str]) -> None:
    async with asyncio.timeout(10):
        while [c["status"] for c in (await desk.read(f"{opened['at']}/consents"))["items"]] != wanted:
            await desk.running.runtime.changed(0.1)


async def test_a_consent_that_runs_out_is_made_to_last_longer_and_what_rests_on_it_goes_on(desk: Any) -> None:
    opened = await desk.opened()
    await desk.decided(opened["at"])
    consent = await desk.consented(opened, validTo="2026-06-30")
    sent = await desk.fk.post(f"{opened['at']}/referrals", json=desk.referral())
    at = f"/v1/referrals/{sent.json()['referralId']}"
    (before,) = (await desk.read(f"{opened['at']}/consents"))["items"]
    assert (before["validTo"], set(before["_links"])) == ("2026-06-30", {"renew", "withdraw"})
    late = desk.consent(opened["caseId"], validFrom="2026-03-22", validTo="2027-03-21")
    gap = await desk.fk.post(before["_links"]["renew"]["href"], json=late)
    assert (gap.status_code, gap.json()["type"], gap.json()["field"]) == (
        422,
        "/problems/renewal-leaves-gap",
        "validFrom",
    )
    assert await desk.consented(opened, validTo="2027-03-21") == consent
    (after,) = (await desk.read(f"{opened['at']}/consents"))["items"]
    assert (after["validTo"], after["status"]) == ("2027-03-21", "GIVEN")
    told = [h["event"] for h in (await desk.read(f"{opened['at']}/timeline"))["items"]]
    assert told.count("ConsentGiven") == 2
    assert "ConsentExpired" not in told
    assert (await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})).status_code == 201
    shorter = await desk.fk.post("/v1/consents", json=desk.consent(opened["caseId"], validTo="2026-06-30"))
    assert (shorter.status_code, shorter.json()["type"]) == (409, "/problems/consent-already-given")


async def test_a_consent_given_anew_that_covers_less_opens_no_referral(desk: Any) -> None:
    opened, consent, at = await desk.referred()
    assert (await desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={})).status_code == 202
    assert await desk.consented(opened, dataClasses=["P", "I", "D", "W", "L"]) == consent
    assert (await desk.af.get(at)).status_code == 404
    assert (await desk.af.post(f"{at}/acceptance", json={"officerRef": "af-7"})).status_code == 409
    page = await desk.read("/v1/referrals?limit=100", desk.af)
    assert at.rpartition("/")[2] not in [r["referralId"] for r in page["items"]]
    await desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={})
    await desk.consented(opened)
    assert (await desk.af.get(at)).status_code == 200


async def test_withdrawals_racing_referrals_on_postgresql_let_none_through(desk: Any) -> None:
    for _ in range(12):
        opened = await desk.opened()
        await desk.decided(opened["at"])
        consent = await desk.consented(opened)
        *sent, withdrawn = await asyncio.gather(
            *(desk.fk.post(f"{opened['at']}/referrals", json=desk.referral()) for _ in range(3)),
            desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={}),
        )
        assert withdrawn.status_code == 202
        assert {a.status_code for a in sent} <= {201, 409}
        after = await desk.running.runtime.pool.fetch(
            "select type from events where position > (select position from events where stream_id = $1 "
            "and type = 'ConsentWithdrawn') and type = 'ReferralToAF'",
            f"consent-{consent}",
        )
        assert after == []


async def test_a_referral_carries_case_consent_and_legal_basis_in_its_envelope(desk: Any) -> None:
    opened, consent, _ = await desk.referred()
    envelope = await desk.running.runtime.pool.fetchval(
        "select envelope from readable_events where type = 'ReferralToAF' order by position desc limit 1"
    )
    assert f"ce-caseid: {opened['caseId']}" in envelope
    assert f"ce-consentids: {consent}" in envelope
    assert "ce-legalbasis: SFB%2030:8" in envelope


async def test_the_insured_person_gives_and_withdraws_consent_in_their_own_case_only(desk: Any) -> None:
    opened, other = await desk.opened(), await desk.opened()
    person = desk.running.by("person", user_ref=opened["personRef"])
    given = await person.post("/v1/consents", json=desk.consent(opened["caseId"]))
    assert given.status_code == 201
    listed = await desk.read(f"{opened['at']}/consents", person)
    assert [c["status"] for c in listed["items"]] == ["GIVEN"]
    for ask in (
        person.post("/v1/consents", json=desk.consent(other["caseId"])),
        person.get(other["at"]),
        person.get(f"{other['at']}/timeline"),
        person.get(f"{other['at']}/consents"),
    ):
        assert (await ask).json()["type"] == "/problems/case-unknown"
    theirs = await desk.consented(other)
    foreign = await person.post(f"/v1/consents/{theirs}/withdrawal", json={})
    assert foreign.json()["type"] == "/problems/consent-unknown"
    assert (await person.post(f"/v1/consents/{given.json()['consentId']}/withdrawal", json={})).status_code == 202
    assert "deadlines" not in await desk.read(opened["at"], person)


async def test_an_employer_finds_the_reference_of_its_own_employee_only(desk: Any) -> None:
    opened = await desk.opened()
    number, asked = opened["personId"], "/v1/people/references"
    own = {"personId": number, "orgNr": "5560360793"}
    for by in (desk.a, desk.fk):
        assert (await by.post(asked, json=own)).json() == {"personRef": opened["personRef"]}
    other = desk.running.by("emp.hr", org_id="5560009010")
    for by, body in [
        (other, own),
        (other, own | {"orgNr": "5560009010"}),
        (desk.a, own | {"personId": desk.somebody()}),
        (desk.fk, own | {"orgNr": "5560009010"}),
    ]:
        answer = await by.post(asked, json=body)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/person-unknown")
    assert (await desk.care.post(asked, json=own)).status_code == 403
    assert (await desk.a.post(asked, json=own | {"personId": "196408233235"})).status_code == 422


async def test_a_worklist_holds_the_cases_one_handles_or_stands_in_for(desk: Any) -> None:
    mine, theirs, nobodys = [await desk.opened() for _ in range(3)]
    myself, you = str(uuid4()), str(uuid4())
    me = desk.running.by("fk.handler", user_ref=myself)
    for case, body in [
        (mine, {"handlerRef": myself, "unit": "u"}),
        (theirs, {"handlerRef": you, "unit": "u", "substituteRef": myself, "until": "2026-03-31"}),
    ]:
        assert (await desk.manager.put(f"{case['at']}/assignment", json=body)).status_code == 200
    assert [c["caseId"] for c in await everything(desk, "/v1/cases", me)] == [mine["caseId"], theirs["caseId"]]
    unclaimed = await everything(desk, "/v1/cases?hands=NOBODYS&status=OPEN", me)
    assert nobodys["caseId"] in [c["caseId"] for c in unclaimed]
    every = await everything(desk, "/v1/cases?hands=ALL", me)
    assert len({c["caseId"] for c in every}) == len(every)
    assert {mine["caseId"], theirs["caseId"], nobodys["caseId"]} <= {c["caseId"] for c in every}


async def everything(desk: Any, at: str, by: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All pages of a list, two rows a page."""
    asked = f"{at}{'&' if '?' in at else '?'}limit=2"
    page = await desk.read(asked, by)
    items = page["items"]
    while page["next"]:
        page = await desk.read(f"{asked}&after={page['next']}", by)
        items += page["items"]
    return items


async def test_the_timeline_tells_what_happened_in_order_page_by_page(desk: Any) -> None:
    opened, consent, at = await desk.referred()
    await desk.af.post(f"{at}/declination", json={"reason": "NO_CAPACITY"})
    told = await everything(desk, f"{opened['at']}/timeline", desk.fk)
    assert [t["event"] for t in told] == [
        "CaseOpened",
        "RehabNeedDecided",
        "ConsentGiven",
        "ReferralToAF",
        "ReferralDeclined",
    ]
    assert [t["detail"] for t in told[2:]] == ["AF", "JOINT_ASSESSMENT", "NO_CAPACITY"]
    assert told[2]["about"] == consent


async def test_who_reads_after_a_write_sees_it(desk: Any) -> None:
    opened = await desk.opened()
    closed = await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "OTHER"})
    read = await desk.fk.get(opened["at"], headers={"Read-After": closed.headers["Samordna-Position"]})
    assert read.json()["status"] == "CLOSED"
    assert read.headers["ETag"] == closed.headers["ETag"]


async def test_every_read_model_built_anew_is_the_same(desk: Any) -> None:
    _, _, at = await desk.referred()
    await desk.af.post(f"{at}/acceptance", json={"officerRef": "officer-1"})
    for name in ("cases", "consents", "referrals", "timeline"):
        folder = desk.running.runtime.folders[name]
        await desk.running.runtime.caught_up(folder.view, {})
        before = await folder.digest()
        assert await folder.rebuild() > 0
        assert await folder.digest() == before


async def test_every_body_has_an_example_that_holds(desk: Any) -> None:
    described = (await desk.fk.get("/openapi.json")).json()
    schemas = described["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for item in described["paths"].values()
        for operation in item.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) == 19
    assert all(len(schemas[name]["examples"]) == 1 for name in bodies)
    for path, item in described["paths"].items():
        if path.startswith("/v1"):
            assert all(operation["summary"] and operation["description"] for operation in item.values())
    opened = await desk.fk.post("/v1/cases", json=schemas["NewCase"]["examples"][0])
    assert opened.status_code == 201
    at = f"/v1/cases/{opened.json()['caseId']}"
    for name, to in (("NewDegrees", "degrees"), ("NewIkr", "assessments"), ("NewDecision", "need-decisions")):
        assert (await desk.fk.post(f"{at}/{to}", json=schemas[name]["examples"][0])).status_code == 201
    consent = schemas["NewConsent"]["examples"][0] | {"caseId": opened.json()["caseId"]}
    assert (await desk.fk.post("/v1/consents", json=consent)).status_code == 201
    assert (await desk.fk.post(f"{at}/referrals", json=schemas["NewReferral"]["examples"][0])).status_code == 201
    certificate = schemas["NewCertificate"]["examples"][0]
    assert (await desk.care.post("/v1/certificates", json=certificate)).status_code == 201
