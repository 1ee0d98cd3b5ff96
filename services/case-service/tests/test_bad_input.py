"""What cannot be taken is answered with a problem document, leaves nothing behind, and is never repeated back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

PROBLEM = "application/problem+json"


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


@pytest.mark.parametrize(
    "number",
    ["640823-3235", "19640832-3234", "6408933234", "64082A3234", "640823323", "20990101-0000", "1964082332340"],
)
async def test_a_number_that_is_nobodys_is_refused_and_not_repeated(desk: Any, number: str) -> None:
    for ask in (
        desk.fk.post("/v1/people/search", json={"personId": number}),
        desk.fk.post("/v1/cases", json=desk.particulars(personId=number)),
        desk.care.post("/v1/koordineringsinfo", json=desk.info(number)),
    ):
        before = await desk.facts()
        answer = await ask
        assert answer.status_code == 422
        assert answer.json()["type"] in ("/problems/invalid-person-id", "/problems/invalid-input")
        assert number not in answer.text
        assert await desk.facts() == before


async def test_somebody_unknown_is_not_found(desk: Any) -> None:
    number = desk.somebody()
    found = await refused_whole(
        desk, desk.fk.post("/v1/people/search", json={"personId": number}), 404, "person-unknown"
    )
    assert number not in str(found)


@pytest.mark.parametrize(
    ("change", "type"),
    [
        ({"spellStart": "2026-03-22", "expectedEnd": "2026-06-01"}, "sick-leave-in-future"),
        ({"expectedEnd": "2026-03-01"}, "ends-before-start"),
        ({"employments": [{"employmentKind": "ORDINARY", "workplace": "x"}]}, "employer-not-named"),
        ({"employments": [{"orgNr": "6408233234", "employmentKind": "ORDINARY", "workplace": "x"}]}, "invalid-input"),
        ({"benefit": "PENSION"}, "invalid-input"),
        ({"diagnosis": "F43"}, "invalid-input"),
    ],
)
async def test_an_opening_that_cannot_be_true_leaves_nobody_behind(
    desk: Any, change: dict[str, Any], type: str
) -> None:
    body = desk.particulars(**change)
    await refused_whole(desk, desk.fk.post("/v1/cases", json=body), 422, type)
    search = desk.fk.post("/v1/people/search", json={"personId": body["personId"]})
    await refused_whole(desk, search, 404, "person-unknown")


@pytest.mark.parametrize(
    ("change", "type"),
    [
        ({"spellStart": "2026-03-22", "lastSickPayDay": "2026-03-22"}, "sick-leave-in-future"),
        ({"lastSickPayDay": "2026-03-01"}, "sick-pay-outside-spell"),
        ({"employmentKind": "SELF"}, "employer-not-named"),
        ({"expectedEnd": "2026-03-01"}, "ends-before-start"),
    ],
)
async def test_a_notice_that_cannot_be_true_leaves_nobody_behind(desk: Any, change: dict[str, Any], type: str) -> None:
    body = {
        "personId": desk.somebody(),
        "employmentKind": "ORDINARY",
        "workplace": "Butiken",
        "spellStart": "2026-03-02",
        "lastSickPayDay": "2026-03-15",
    } | change
    await refused_whole(desk, desk.a.post("/v1/sick-notices", json=body), 422, type)


@pytest.mark.parametrize(
    ("periods", "type"),
    [
        ([("2026-03-16", "2026-04-30", 40)], "degree-unknown"),
        ([("2026-04-30", "2026-03-16", 50)], "period-reversed"),
        ([("2026-03-16", "2026-04-30", 50), ("2026-04-30", "2026-05-30", 25)], "periods-overlap"),
    ],
)
async def test_degrees_that_cannot_be(desk: Any, periods: list[tuple[str, str, int]], type: str) -> None:
    at = (await desk.opened())["at"]
    body = {"periods": [{"start": a, "end": b, "incapacityPct": pct} for a, b, pct in periods]}
    await refused_whole(desk, desk.fk.post(f"{at}/degrees", json=body), 422, type)


async def test_a_referral_needs_the_decision_and_the_consent(desk: Any) -> None:
    opened = await desk.opened()
    to = f"{opened['at']}/referrals"
    await refused_whole(desk, desk.fk.post(to, json=desk.referral()), 409, "need-not-decided")
    await desk.decided(opened["at"])
    await refused_whole(desk, desk.fk.post(to, json=desk.referral()), 409, "consent-missing")
    await desk.consented(opened, dataClasses=["P", "D"])
    await refused_whole(desk, desk.fk.post(to, json=desk.referral()), 409, "consent-too-narrow")
    await desk.decided(opened["at"], need=False)
    await refused_whole(desk, desk.fk.post(to, json=desk.referral()), 409, "no-need")
    await refused_whole(desk, desk.fk.post(to, json=desk.referral(incapacityPct=40)), 422, "degree-unknown")
    long = desk.referral(functionSummary="x" * 2001)
    await refused_whole(desk, desk.fk.post(to, json=long), 422, "invalid-input")
    nowhere = f"/v1/cases/{uuid4()}/referrals"
    await refused_whole(desk, desk.fk.post(nowhere, json=desk.referral()), 404, "case-unknown")


async def test_a_consent_is_neither_blanket_nor_backdated(desk: Any) -> None:
    opened = await desk.opened()
    every = ["P", "I", "D", "W", "M1", "M2", "L", "E"]
    for covered in (every, []):
        body = desk.consent(opened["caseId"], dataClasses=covered)
        await refused_whole(desk, desk.fk.post("/v1/consents", json=body), 422, "blanket-consent")
    everyone = desk.consent(opened["caseId"], scope="ALL")
    await refused_whole(desk, desk.fk.post("/v1/consents", json=everyone), 422, "invalid-input")
    nobody = desk.consent(opened["caseId"], scope="CARE")
    await refused_whole(desk, desk.fk.post("/v1/consents", json=nobody), 422, "counterparty-needed")
    consent = await desk.consented(opened)
    for at, type in (("2026-03-21T10:59:59Z", "withdrawal-backdated"), ("2026-03-22T11:00:00Z", "withdrawal-ahead")):
        ask = desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={"effectiveAt": at})
        await refused_whole(desk, ask, 422, type)


async def test_a_consent_is_towards_no_persons_number(desk: Any) -> None:
    """A sole trader's organisation number is a personal one, and a counterparty travels with every consent."""
    opened = await desk.opened()
    for number in ("6408233234", "196408233234", "5560360794"):
        body = desk.consent(opened["caseId"], scope="EMP", counterparty=number)
        found = await refused_whole(desk, desk.fk.post("/v1/consents", json=body), 422, "invalid-input")
        assert number not in str(found)


async def test_what_makes_no_sense_does_not_tell_health_care_who_has_a_case(desk: Any) -> None:
    opened, nobody = await desk.opened(), desk.somebody()
    other = {"scope": "KOORD_TO_FK", "purpose": "COORDINATION_MEASURES"}
    period = {"start": "2026-03-16", "end": "2026-04-30", "pct": 40}
    for number in (opened["personId"], nobody):
        blanket = desk.consent(None, personId=number, dataClasses=[], **other)
        await refused_whole(desk, desk.care.post("/v1/consents", json=blanket), 422, "blanket-consent")
        over = desk.consent(None, personId=number, validTo="2026-03-01", **other)
        await refused_whole(desk, desk.care.post("/v1/consents", json=over), 422, "consent-ends-before-start")
        decades = desk.consent(None, personId=number, validTo="2046-03-21", **other)
        await refused_whole(desk, desk.care.post("/v1/consents", json=decades), 422, "consent-too-long")
        body = desk.certificate(number, periods=[period])
        await refused_whole(desk, desk.care.post("/v1/certificates", json=body), 422, "degree-unknown")


async def test_health_care_notes_consents_about_itself_only(desk: Any) -> None:
    opened = await desk.opened()
    for change in ({"scope": "AF"}, {"scope": "KOORD_TO_FK", "counterparty": "2321000016"}):
        body = desk.consent(None, personId=opened["personId"], **change)
        await refused_whole(desk, desk.care.post("/v1/consents", json=body), 422, "consent-of-another-party")
    theirs = await desk.consented(opened)
    ask = desk.care.post(f"/v1/consents/{theirs}/withdrawal", json={})
    await refused_whole(desk, ask, 404, "consent-unknown")


async def test_what_health_care_tells_has_no_room_for_a_diagnosis(desk: Any) -> None:
    opened = await desk.opened()
    await desk.consented_in_care(opened)
    for field in ("diagnosis", "diagnoses", "functionLimits"):
        body = desk.info(opened["personId"], **{field: "F438"})
        found = await refused_whole(desk, desk.care.post("/v1/koordineringsinfo", json=body), 422, "invalid-input")
        assert "F438" not in str(found)


async def test_health_care_tells_nothing_beyond_the_consent_nor_before_it(desk: Any) -> None:
    opened = await desk.opened()
    consent = await desk.consented_in_care(opened, dataClasses=["D", "M1"])
    info = desk.info(opened["personId"])
    await refused_whole(desk, desk.care.post("/v1/koordineringsinfo", json=info), 409, "consent-too-narrow")
    assert (await desk.care.post(f"/v1/consents/{consent}/withdrawal", json={})).status_code == 202
    await desk.consented_in_care(opened, dataClasses=["P", "I"])
    ahead = info | {"consentAt": "2026-03-21T11:00:01Z"}
    await refused_whole(desk, desk.care.post("/v1/koordineringsinfo", json=ahead), 422, "consented-ahead")
    assert (await desk.care.post("/v1/koordineringsinfo", json=info)).status_code == 201


async def test_af_answers_only_what_was_sent_to_it(desk: Any) -> None:
    _, _, at = await desk.referred()
    other = desk.running.by("af.officer", org_id="2021004763")
    for to, body in (
        ("acceptance", {"officerRef": "x"}),
        ("declination", {"reason": "OTHER"}),
        ("reassignment", {"office": "x", "officerRef": "x"}),
    ):
        theirs = await refused_whole(desk, other.post(f"{at}/{to}", json=body), 404, "referral-unknown")
        missing = desk.af.post(f"/v1/referrals/{uuid4()}/{to}", json=body)
        assert theirs == await refused_whole(desk, missing, 404, "referral-unknown")
    await refused_whole(desk, other.get(at), 404, "referral-unknown")


FAR = ["9999-12-31", "2200-01-01", "1899-12-31", "0001-01-01"]


@pytest.mark.parametrize("far", FAR)
async def test_a_day_from_which_no_deadline_can_be_counted(desk: Any, far: str) -> None:
    opened = await desk.opened()
    at, case_id = opened["at"], opened["caseId"]
    period = {"start": "2026-03-16", "end": far, "incapacityPct": 50}
    notice = {"employmentKind": "ORDINARY", "workplace": "x", "spellStart": far, "lastSickPayDay": "2026-03-15"}
    for ask, field in (
        (desk.fk.post("/v1/cases", json=desk.particulars(expectedEnd=far)), "expectedEnd"),
        (desk.fk.post("/v1/cases", json=desk.particulars(spellStart=far)), "spellStart"),
        (desk.a.post("/v1/sick-notices", json=notice | {"personId": desk.somebody()}), "spellStart"),
        (desk.fk.post(f"{at}/extensions", json={"newExpectedEnd": far}), "newExpectedEnd"),
        (desk.fk.post(f"{at}/degrees", json={"periods": [period]}), "periods.0.end"),
        (desk.fk.put(f"{at}/assignment", json={"handlerRef": "h", "unit": "u", "until": far}), "until"),
        (desk.fk.post("/v1/consents", json=desk.consent(case_id, validTo=far)), "validTo"),
        (desk.fk.post("/v1/consents", json=desk.consent(case_id, validFrom=far)), "validFrom"),
        (desk.fk.post(f"{at}/referrals", json=desk.referral(wishedBy=far)), "wishedBy"),
    ):
        assert (await refused_whole(desk, ask, 422, "invalid-input"))["field"] == field


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2200-01-01T00:00:00Z"])
async def test_a_moment_that_has_no_day_in_sweden(desk: Any, far: str) -> None:
    opened = await desk.opened()
    consent = await desk.consented(opened)
    await desk.consented_in_care(opened)
    decision = {"need": False, "consultedAt": far}
    for ask, field in (
        (desk.care.post("/v1/koordineringsinfo", json=desk.info(opened["personId"], consentAt=far)), "consentAt"),
        (desk.fk.post(f"{opened['at']}/need-decisions", json=decision), "consultedAt"),
        (desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={"effectiveAt": far}), "effectiveAt"),
    ):
        assert (await refused_whole(desk, ask, 422, "invalid-input"))["field"] == field


async def test_unknown_ids(desk: Any) -> None:
    at = f"/v1/cases/{uuid4()}"
    for ask in (
        desk.fk.get(at),
        desk.fk.get(f"{at}/timeline"),
        desk.fk.post(f"{at}/closing", json={"outcome": "OTHER"}),
        desk.fk.post(f"{at}/koordineringsinfo/{uuid4()}/acknowledgement"),
        desk.fk.post("/v1/consents", json=desk.consent(str(uuid4()))),
    ):
        await refused_whole(desk, ask, 404, "case-unknown")
    await refused_whole(desk, desk.fk.post(f"/v1/consents/{uuid4()}/withdrawal", json={}), 404, "consent-unknown")
    opened = await desk.opened()
    info = f"{opened['at']}/koordineringsinfo/{uuid4()}/acknowledgement"
    await refused_whole(desk, desk.fk.post(info), 404, "info-unknown")


@pytest.mark.parametrize("after", ["x", "W10", "W1siIiwieCJdXQ", "W1siIiwxXSxbIiIsMl1d"])
async def test_a_cursor_that_was_not_given_out(desk: Any, after: str) -> None:
    opened = await desk.opened()
    await refused_whole(desk, desk.fk.get(f"/v1/cases?after={after}"), 422, "invalid-cursor")
    await refused_whole(desk, desk.fk.get(f"{opened['at']}/timeline?after={after}"), 422, "invalid-cursor")
    await refused_whole(desk, desk.af.get(f"/v1/referrals?after={after}"), 422, "invalid-cursor")


async def test_each_role_does_only_what_is_its_own(desk: Any) -> None:
    at, referral = f"/v1/cases/{uuid4()}", f"/v1/referrals/{uuid4()}"
    person = desk.running.by("person")
    for ask in (
        desk.a.post("/v1/cases", json=desk.particulars()),
        desk.care.post("/v1/people/search", json={"personId": "x"}),
        desk.af.post("/v1/people/search", json={"personId": "x"}),
        desk.a.get(at),
        desk.af.get(at),
        desk.care.get(at),
        desk.fk.post("/v1/koordineringsinfo", json={}),
        desk.fk.post(f"{referral}/acceptance", json={}),
        desk.fk.post("/v1/sick-notices", json={}),
        person.get("/v1/cases"),
        desk.manager.post(f"{at}/closing", json={}),
    ):
        await refused_whole(desk, ask, 403, "role-not-allowed")
    await refused_whole(desk, desk.running.by(None).get(at), 401, "not-authenticated")


async def test_a_role_in_an_organisation_of_another_kind_opens_nothing(desk: Any) -> None:
    """Neither the consent that AF needs nor whose case it is may be stepped around with it."""
    opened, consent, at = await desk.referred()
    assert (await desk.fk.post(f"/v1/consents/{consent}/withdrawal", json={})).status_code == 202
    for role, org_type, what in (
        ("af.officer", "EMPLOYER", at),
        ("person", "EMPLOYER", opened["at"]),
        ("fk.handler", "CARE", opened["at"]),
    ):
        mixed = desk.running.by(role, org_type=org_type)
        await refused_whole(desk, mixed.get(what), 403, "role-of-another-party")
