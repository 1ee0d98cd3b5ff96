"""An SMS reaches the gateway once, or goes another way and says so; nothing is pretended."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.notification import ReminderRerouted, ReminderSent
from notification_service.settings import NotificationSettings

EMPLOYER = "/v1/contacts/employer:5560125790"


class Gateway:
    """A real HTTP server on loopback that keeps what it takes and answers with `status`."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.status = 202

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        body = json.loads(await reader.readexactly(int(fields["content-length"])))
        if self.status < 300:
            self.taken.append(body)
            self.tokens.append(fields.get("authorization", ""))
        writer.write(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """Must stand before `world`, which reads the settings when it starts."""
    made = Gateway()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    monkeypatch.setenv("SAMORDNA_SMS_URL", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send")
    monkeypatch.setenv("SAMORDNA_SMS_TOKEN", "secret")
    yield made
    server.close()
    await server.wait_closed()


async def meeting_tomorrow(world: Any, *channels: str) -> None:
    body = {"channels": list(channels), "address": "hr@example.com", "phone": "+46700000000"}
    assert (await world.by("emp.hr", org_id="5560125790").put(EMPLOYER, json=body)).status_code == 200
    world.called(20)
    await world.at(20)
    await world.at(59)


async def ways(world: Any) -> list[tuple[str, str, str]]:
    told = [r for r in await world.facts(ReminderRerouted) if r.recipient_ref.startswith("employer")]
    return [(r.channel.value, r.instead.value, r.cause) for r in told if r.channel.value == "SMS"]


async def sent(world: Any) -> list[str]:
    told = [r for r in await world.facts(ReminderSent) if r.template_id == "meeting-soon"]
    return sorted(r.channel.value for r in told if r.recipient_ref.startswith("employer"))


async def test_who_chose_sms_gets_it_the_day_before_and_it_says_nothing_about_anybody(
    gateway: Gateway, world: Any
) -> None:
    await meeting_tomorrow(world, "SMS", "EMAIL", "PORTAL")
    (text,) = gateway.taken
    assert (text["to"], gateway.tokens) == ("+46700000000", ["bearer secret"])
    assert text["text"].startswith("Du har ett meddelande")
    assert await sent(world) == ["EMAIL", "PORTAL", "SMS"]


async def test_without_a_gateway_it_goes_by_e_mail_and_the_timeline_says_why(
    world: Any, mailbox: Any, case_id: str
) -> None:
    await meeting_tomorrow(world, "SMS", "EMAIL")
    assert await ways(world) == [("SMS", "EMAIL", "NO_GATEWAY")]
    assert "SMS" not in await sent(world)
    told = (await world.by("fk.handler").get(f"/v1/cases/{case_id}/timeline?limit=100")).json()["items"]
    assert "SMS>EMAIL NO_GATEWAY" in [t["detail"] for t in told]


async def test_who_did_not_choose_sms_gets_none_though_there_is_a_gateway(gateway: Gateway, world: Any) -> None:
    await meeting_tomorrow(world, "PORTAL")
    assert (gateway.taken, await ways(world)) == ([], [("SMS", "PORTAL", "NOT_CHOSEN")])


async def test_nothing_leaves_for_an_insured_person_whose_identity_may_be_protected(
    gateway: Gateway, world: Any, mailbox: Any
) -> None:
    world.called(20)
    await world.at(59)
    told = [r for r in await world.facts(ReminderSent) if r.recipient_ref.startswith("person")]
    assert {r.channel.value for r in told} == {"PORTAL"}
    assert (gateway.taken, mailbox.mails) == ([], [])


async def test_a_number_that_is_refused_for_good_goes_another_way(gateway: Gateway, world: Any) -> None:
    gateway.status = 422
    await meeting_tomorrow(world, "SMS", "EMAIL")
    assert await ways(world) == [("SMS", "EMAIL", "REFUSED")]


async def test_a_gateway_that_is_away_is_waited_for(gateway: Gateway, world: Any) -> None:
    gateway.status = 503
    await meeting_tomorrow(world, "SMS", "EMAIL")
    assert (gateway.taken, await ways(world)) == ([], [])
    gateway.status = 202
    await world.until_true(lambda: taken(gateway))
    assert len(gateway.taken) == 1


async def taken(gateway: Gateway) -> bool:
    return bool(gateway.taken)


def test_a_gateway_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="SAMORDNA_SMS_URL") as error:
        NotificationSettings(sms_url="ftp://user:secret@sms").sms_gateway()  # type: ignore[call-arg]
    assert "secret" not in str(error.value)
