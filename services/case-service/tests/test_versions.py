"""How often a case changes is told to those who may read it, and cannot be found out by others."""

from typing import Any

NOTICE = {
    "employmentKind": "ORDINARY",
    "workplace": "Butiken",
    "spellStart": "2026-03-02",
    "lastSickPayDay": "2026-03-15",
}


async def told(desk: Any, **headers: str) -> dict[str, Any]:
    """What an employer and health care are answered when they write to a case: the answers by name."""
    opened = await desk.opened()
    person, consent = opened["personId"], {"scope": "KOORD_TO_FK", "purpose": "COORDINATION_MEASURES"}

    async def post(by: Any, path: str, body: Any) -> Any:
        return await by.post(path, json=body, headers=headers)

    answers = {
        "notice": await post(desk.a, "/v1/sick-notices", NOTICE | {"personId": person}),
        "certificate": await post(desk.care, "/v1/certificates", desk.certificate(person)),
        "consent": await post(desk.care, "/v1/consents", desk.consent(None, personId=person, **consent)),
        "info": await post(desk.care, "/v1/koordineringsinfo", desk.info(person)),
    }
    withdrawal = f"/v1/consents/{answers['consent'].json()['consentId']}/withdrawal"
    return answers | {"withdrawal": await post(desk.care, withdrawal, {})}


async def test_an_employer_and_health_care_are_not_told_how_often_a_case_has_changed(desk: Any) -> None:
    for what, answer in (await told(desk)).items():
        assert answer.status_code in (201, 202), what
        assert "ETag" not in answer.headers, what
        assert "Samordna-Position" in answer.headers, what


async def test_nor_can_they_find_it_out_by_guessing(desk: Any) -> None:
    for what, answer in (await told(desk, **{"If-Match": '"4711"'})).items():
        assert answer.status_code in (201, 202), what


async def test_who_may_read_a_case_is_told_its_version(desk: Any) -> None:
    opened = await desk.opened()
    extended = await desk.fk.post(f"{opened['at']}/extensions", json={"newExpectedEnd": "2026-08-31"})
    assert extended.headers["ETag"] == (await desk.fk.get(opened["at"])).headers["ETag"]
    again = {"If-Match": '"4711"'}
    stale = await desk.fk.post(f"{opened['at']}/extensions", json={"newExpectedEnd": "2026-09-30"}, headers=again)
    assert stale.status_code == 412
