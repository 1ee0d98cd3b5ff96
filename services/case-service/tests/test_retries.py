"""A request that is sent again under its key gets its first answer, whatever has become of the case since."""

from typing import Any
from uuid import uuid4


async def asked(desk: Any, opened: dict[str, Any]) -> dict[str, Any]:
    """What is sent about a person's open case without its id being known: address, body, by whom."""
    person = opened["personId"]
    consent = desk.consent(None, personId=person, scope="KOORD_TO_FK", purpose="COORDINATION_MEASURES")
    return {
        "/v1/consents": (desk.care, consent),
        "/v1/certificates": (desk.care, desk.certificate(person)),
        "/v1/koordineringsinfo": (desk.care, desk.info(person)),
    }


async def test_a_retry_after_the_case_was_closed_gets_the_first_answer(desk: Any) -> None:
    opened = await desk.opened()
    requests = await asked(desk, opened)
    keys = {path: {"Idempotency-Key": str(uuid4())} for path in requests}
    first = {p: await by.post(p, json=body, headers=keys[p]) for p, (by, body) in requests.items()}
    assert {a.status_code for a in first.values()} == {201}
    assert (await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "OTHER"})).status_code == 201
    before = [f for f in await desk.facts() if f != "ConsentExpired"]
    for path, (by, body) in requests.items():
        again = await by.post(path, json=body, headers=keys[path])
        assert (again.status_code, again.json()) == (201, first[path].json()), path
        new = await by.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
        assert new.status_code in (404, 409), path
        other = await by.post(path, json=body | {"unit": "x"}, headers=keys[path])
        assert other.status_code == 422, path
    assert [f for f in await desk.facts() if f != "ConsentExpired"] == before


async def test_a_key_that_was_used_for_something_else_is_refused_whatever_has_become_of_the_case(desk: Any) -> None:
    opened = await desk.opened()
    key = {"Idempotency-Key": str(uuid4())}
    info = desk.info(opened["personId"])
    await desk.consented_in_care(opened)
    assert (await desk.care.post("/v1/koordineringsinfo", json=info, headers=key)).status_code == 201
    await desk.fk.post(f"{opened['at']}/closing", json={"outcome": "OTHER"})
    other = await desk.care.post("/v1/koordineringsinfo", json=info | {"aim": "RELIEVE"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_used_key_does_not_make_anybody_known(desk: Any) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    assert (await desk.fk.post("/v1/cases", json=desk.particulars(), headers=key)).status_code == 201
    before, another = await desk.facts(), desk.particulars()
    answer = await desk.fk.post("/v1/cases", json=another, headers=key)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert await desk.facts() == before
