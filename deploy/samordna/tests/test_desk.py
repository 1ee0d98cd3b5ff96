"""The desk: real tokens, an operator's clock, e-mails that stay here."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import httpx
import jwt
import pytest

from chassis.clock import set_simulated
from samordna.desk import Desk, create_desk, postbox_open
from samordna.personas import PERSONAS

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    set_simulated(tmp_path / "clock", NOW)
    return Desk(tmp_path, "http://desk", {})


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_desk(desk)), base_url="http://desk") as client:
        yield client


async def _bearer(client: httpx.AsyncClient, persona: str) -> dict[str, str]:
    answer = await client.post("/token", json={"persona": persona})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_every_persona_gets_a_token_that_the_published_keys_confirm(client: httpx.AsyncClient) -> None:
    keys = jwt.PyJWKSet.from_dict((await client.get("/jwks.json")).json())
    for name, persona in PERSONAS.items():
        token = (await client.post("/token", json={"persona": name})).json()["access_token"]
        said = jwt.decode(token, keys.keys[0], ["ES256"], audience="samordna", issuer="http://desk")
        assert (said["role"], said["org_id"], said["sub"]) == (persona.role, persona.org_id, persona.user_ref)


async def test_all_roles_of_the_first_step_can_be_played() -> None:
    assert {p.role for p in PERSONAS.values()} == {
        "fk.handler", "fk.unit_manager", "fk.specialist", "fk.collab_lead", "emp.hr", "care.coordinator", "af.officer",
        "mun.officer", "finsam.officer", "person", "av.inspector", "ops.operator",
    }  # fmt: skip
    assert len({p.org_id for p in PERSONAS.values() if p.role == "emp.hr"}) == 2


async def test_an_unknown_persona_is_told_whom_there_is(client: httpx.AsyncClient) -> None:
    answer = await client.post("/token", json={"persona": "somebody"})
    assert answer.status_code == 422
    assert "fk-handler" in answer.json()["do"]
    assert "somebody" not in answer.text


async def test_the_insured_person_can_be_whoever_a_case_is_about(client: httpx.AsyncClient) -> None:
    person = str(uuid4())
    answer = await client.post("/token", json={"persona": "insured", "personRef": person})
    said = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (said["sub"], said["role"], said["org_type"]) == (person, "person", "PERSON")
    refused = await client.post("/token", json={"persona": "hr-a", "personRef": person})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/not-the-insured")
    assert person not in refused.text


async def test_tokens_outlive_a_restart_of_the_desk(desk: Desk) -> None:
    again = Desk(desk.home, "http://desk", {})
    assert again.issuer.jwks() == desk.issuer.jwks()
    assert (desk.home / "issuer.pem").stat().st_mode & 0o777 == 0o600


async def test_only_an_operator_moves_time_and_only_forward(client: httpx.AsyncClient, desk: Desk) -> None:
    assert (await client.post("/clock", json={"days": 1})).status_code == 401
    assert (
        await client.post("/clock", json={"days": 1}, headers=await _bearer(client, "fk-handler"))
    ).status_code == 403
    operator = await _bearer(client, "operator")
    moved = await client.post("/clock", json={"days": 1.5}, headers=operator)
    assert moved.status_code == 200
    assert desk.clock.now() == NOW + timedelta(days=1.5)
    assert datetime.fromisoformat((await client.get("/clock")).json()["now"]) == NOW + timedelta(days=1.5)
    back = await client.post("/clock", json={"to": NOW.isoformat()}, headers=operator)
    assert (back.status_code, back.json()["type"]) == (422, "/problems/time-goes-forward")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"days": 1, "to": "2026-04-01T00:00:00Z"},
        {"to": "2026-04-01T00:00:00"},
        {"days": 4000},
        {"days": 1, "without": ["nobody"]},
        {"weeks": 1},
    ],
)
async def test_an_unclear_wish_about_time_changes_nothing(
    client: httpx.AsyncClient, desk: Desk, body: dict[str, object]
) -> None:
    answer = await client.post("/clock", json=body, headers=await _bearer(client, "operator"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert desk.clock.now() == NOW


async def test_an_email_is_kept_as_it_came_with_the_simulated_time(client: httpx.AsyncClient, desk: Desk) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.se", "b@example.se", "Påminnelse om plan"
    message.set_content("Hej! Planen för återgång i arbete behövs.\n")
    async with postbox_open(desk.post, 0) as port:
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port)

    assert (await client.get("/mail")).status_code == 401
    operator = await _bearer(client, "operator")
    [kept] = (await client.get("/mail", headers=operator)).json()["items"]
    assert (kept["subject"], kept["to"], kept["text"].strip()) == (
        "Påminnelse om plan", ["b@example.se"], "Hej! Planen för återgång i arbete behövs.",
    )  # fmt: skip
    assert datetime.fromisoformat(kept["at"]) == NOW
    assert "Subject:" in (await client.get("/mail/1", headers=operator)).text
    assert (await client.get("/mail/2", headers=operator)).status_code == 404


async def test_a_restarted_postbox_goes_on_counting(desk: Desk) -> None:
    (desk.post.folder / "7.eml").write_bytes(b"Subject: x\r\n\r\ny")
    (desk.post.folder / "7.json").write_text(json.dumps({"at": NOW.isoformat(), "from": "a", "to": ["b"]}))
    async with postbox_open(Desk(desk.home, "http://desk", {}).post, 0) as port:
        message = EmailMessage()
        message["From"], message["To"] = "a@example.se", "b@example.se"
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port)
    assert [m["id"] for m in desk.post.all()] == [7, 8]
