"""Messages leave by a real mail server, once, within the allowed hours; what cannot leave waits or says why."""

import asyncio
from typing import Any

import pytest

from contracts.notification import (
    DeadlineSet,
    ReminderDue,
    ReminderFailed,
    ReminderRerouted,
    ReminderSent,
    ReminderWithdrawn,
)
from notification_service.settings import NotificationSettings

EMPLOYER = "/v1/contacts/employer:5560125790"


async def contact(world: Any, **more: Any) -> None:
    body = {"channels": ["EMAIL", "PORTAL"], "address": "hr@example.com"} | more
    answer = await world.by("emp.hr", org_id="5560125790").put(EMPLOYER, json=body)
    assert answer.status_code == 200, answer.text


def channels(facts: list[Any]) -> set[str]:
    return {f.channel.value for f in facts}


async def test_a_message_reaches_the_address_with_an_id_of_its_own_and_says_nothing_about_anybody(
    world: Any, mailbox: Any
) -> None:
    await contact(world)
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: mailed(world))
    (mail,) = mailbox.mails
    (due,) = [r for r in await world.facts(ReminderDue) if r.channel.value == "EMAIL"]
    assert mailbox.recipients == ["hr@example.com"]
    assert mail["Message-ID"] == f"<{due.reminder_id}@notification.samordna>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = f"{mail['Subject']} {mail.get_content()}"
    assert "60 days or more" in text
    for secret in (str(due.about), str(due.deadline_id), "5560125790", "90"):
        assert secret not in text


async def test_swedish_comes_first_and_english_second(world: Any, mailbox: Any) -> None:
    await contact(world)
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: mailed(world))
    text = mailbox.mails[0].get_content()
    assert text.index("Hej,") < text.index("---") < text.index("Hello,")


async def test_a_message_whose_time_came_at_night_waits_for_the_morning(world: Any, mailbox: Any) -> None:
    await contact(world)
    world.registered(1)
    await world.at(24)
    await world.stop()
    await world.at(26, "21:30")
    await world.start()
    await world.level()
    assert mailbox.mails == []
    assert channels(await world.facts(ReminderSent)) == {"PORTAL"}
    assert await world.next_due() == world.moment_of(27, "09:00")
    await world.at(27, "09:00")
    await world.until_true(lambda: mailed(world))
    assert len(mailbox.mails) == 1


async def test_without_a_contact_the_message_fails_and_the_handler_sees_it(world: Any, mailbox: Any) -> None:
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: told(world, ReminderFailed))
    (failed,) = await world.facts(ReminderFailed)
    assert failed.cause == "NO_CONTACT"
    tasks = (await world.by("fk.handler").get("/v1/tasks")).json()["items"]
    assert [(t["kind"], t["unreached"]) for t in tasks] == [("EMPLOYER_PLAN", "NO_CONTACT")]


async def test_what_reached_nobody_comes_to_the_handler_who_tells_the_party_and_ticks_it_off(world: Any) -> None:
    world.withdrawn(30)
    await world.at(31)
    handler = world.by("fk.handler")
    asked = {"kind": "COOPERATION_ENDED"}
    (task,) = (await handler.get("/v1/tasks", params=asked)).json()["items"]
    assert (task["unreached"], task["ownerRef"]) == ("NO_CONTACT", "af:2021002114")
    (done,) = [link["href"] for link in task["links"] if link["rel"] == "done"]
    assert (await world.by("fk.collab_lead").post(done)).json()["type"] == "/problems/task-of-another-role"
    assert (await handler.post(done)).status_code == 200
    assert (await handler.get("/v1/tasks", params=asked)).json()["items"] == []


async def test_a_party_that_wants_no_e_mail_has_it_once_in_its_inbox(world: Any, mailbox: Any) -> None:
    await contact(world, channels=["PORTAL"])
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: told(world, ReminderWithdrawn))
    assert mailbox.mails == []
    assert await world.facts(ReminderFailed) == []
    assert channels(await world.facts(ReminderSent)) == {"PORTAL"}


async def test_what_was_meant_for_e_mail_alone_goes_to_the_inbox_of_who_wants_none(world: Any, mailbox: Any) -> None:
    await contact(world, channels=["PORTAL"])
    world.requested(10)
    await world.at(25)
    await world.until_true(lambda: told(world, ReminderSent))
    (rerouted,) = await world.facts(ReminderRerouted)
    assert (rerouted.channel.value, rerouted.instead.value, rerouted.cause) == ("EMAIL", "PORTAL", "NOT_CHOSEN")
    assert channels(await world.facts(ReminderSent)) == {"PORTAL"}
    inbox = (await world.by("emp.hr", org_id="5560125790").get("/v1/messages")).json()["items"]
    assert len(inbox) == 1


async def test_a_mail_server_that_is_away_loses_nothing_and_stops_nothing_else(world: Any, mailbox: Any) -> None:
    await contact(world)
    await mailbox.close()
    world.registered(1)
    await world.through(31)
    assert [d.kind for d in await world.facts(DeadlineSet)] == ["EMPLOYER_PLAN", "REQUEST_PLAN"]
    assert channels(await world.facts(ReminderSent)) == {"PORTAL"}
    await mailbox.open()
    await world.until_true(lambda: mailed(world))
    assert len(mailbox.mails) == 1


async def test_a_message_that_waited_is_withdrawn_when_the_plan_comes(world: Any, mailbox: Any) -> None:
    await contact(world)
    await mailbox.close()
    world.registered(1)
    await world.at(25)
    world.submitted(26)
    await world.at(26)
    assert channels(await world.facts(ReminderSent)) == {"PORTAL"}
    assert len(await world.facts(ReminderWithdrawn)) == 1
    await mailbox.open()
    await world.runtime.pool.execute("update deliveries set next_try = now()")
    await world.runtime.changed(1.0)
    assert mailbox.mails == []


async def test_an_address_that_is_refused_for_good_fails(world: Any, mailbox: Any) -> None:
    await contact(world)
    mailbox.refuse = "550 no such mailbox"
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: told(world, ReminderFailed))
    assert [f.cause for f in await world.facts(ReminderFailed)] == ["REFUSED"]


async def test_an_address_that_is_refused_for_now_is_tried_again(world: Any, mailbox: Any) -> None:
    await contact(world)
    mailbox.refuse = "450 try later"
    world.registered(1)
    await world.at(25)
    assert await world.facts(ReminderFailed) == []
    mailbox.refuse = ""
    await world.until_true(lambda: mailed(world))
    assert len(mailbox.mails) == 1


async def test_a_message_is_not_sent_again_after_a_restart(world: Any, mailbox: Any) -> None:
    await contact(world)
    world.registered(1)
    await world.at(25)
    await world.until_true(lambda: mailed(world))
    await world.stop()
    await world.start()
    await world.at(26)
    assert len(mailbox.mails) == 1


async def test_a_message_taken_but_not_recorded_before_a_crash_comes_again_with_the_same_id(
    world: Any, mailbox: Any
) -> None:
    await contact(world)
    world.registered(1)
    await world.at(24)
    stopping: list[asyncio.Task[None]] = []

    async def stop() -> None:
        """The service ends after the mail server has taken the message and before it has said so."""
        mailbox.when_taken = None
        stopping.append(asyncio.create_task(world.stop()))
        await asyncio.wait(stopping)

    mailbox.when_taken = stop
    world.clock_is(25)
    await world.until_true(lambda: asyncio.sleep(0, bool(stopping)))
    await stopping[0]
    await world.start()
    await world.level()
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert len([s for s in await world.facts(ReminderSent) if s.channel.value == "EMAIL"]) == 1


async def test_an_address_is_found_in_no_table_and_no_message(world: Any, mailbox: Any) -> None:
    await contact(world, address="marker-4711@example.com")
    world.registered(1)
    await world.at(25)
    tables = await world.runtime.pool.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'views') "
        "and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')"
    )
    for table in tables:
        rows = await world.runtime.pool.fetch(f"select t::text as row from {table['name']} t")
        for row in rows:
            assert "marker-4711" not in row["row"]
            assert b"marker-4711".hex() not in row["row"]


async def told(world: Any, kind: type[Any]) -> bool:
    return bool(await world.facts(kind))


async def mailed(world: Any) -> bool:
    return "EMAIL" in channels(await world.facts(ReminderSent))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail:2525", ("mail", 2525, False, None, None)),
        ("smtps://u:p%40ss@mail", ("mail", 465, True, False, "p@ss")),
        ("smtp+starttls://mail", ("mail", 587, False, True, None)),
    ],
)
def test_the_mail_server_is_named_by_a_url(url: str, expected: tuple[Any, ...]) -> None:
    server = NotificationSettings(smtp_url=url).mail_server()  # type: ignore[call-arg]
    names = ("hostname", "port", "use_tls", "start_tls", "password")
    assert tuple(server[n] for n in names) == expected


def test_a_url_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="SAMORDNA_SMTP_URL") as error:
        NotificationSettings(smtp_url="http://user:secret@mail").mail_server()  # type: ignore[call-arg]
    assert "secret" not in str(error.value)
