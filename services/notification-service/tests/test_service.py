"""The whole service on real PostgreSQL and NATS: what plan-service says, what time does, what comes of it."""

from typing import Any

from contracts.notification import (
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineHeldBack,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderDue,
    ReminderSent,
    TimerElapsed,
)


async def test_what_plan_service_says_becomes_deadlines_and_time_makes_them_speak(world: Any, mailbox: Any) -> None:
    await contact(world)
    world.registered(1)
    await world.at(1)
    await world.through(32)
    world.requested(32)
    await world.through(33)
    await world.through(62)
    assert [m["Subject"].split(" / ")[1] for m in mailbox.mails] == [
        "Reminder: the employer's plan for return to work",
        "Reminder: you have a message in Samordna",
        "Reminder: you have a message in Samordna",
    ]
    assert len(await world.facts(TimerElapsed)) == 1
    assert [e.to_role for e in await world.facts(DeadlineEscalated)] == ["fk.handler"]


async def test_a_week_off_then_on_fires_each_deadline_once_in_order_with_its_due_date(
    world: Any, mailbox: Any, day: Any
) -> None:
    await contact(world)
    world.registered(1)
    world.requested(10, job="other", request="other request")
    await world.at(20)
    await world.stop()
    await world.at(27)
    await world.start()
    await world.level()
    fired = await world.facts(DeadlineMissed, ReminderDue)
    assert [(type(f).__name__, f.due_at) for f in fired] == [
        ("DeadlineMissed", day(24, "23:59:59")),
        *[("ReminderDue", day(25, "09:00"))] * 3,
    ]
    assert {r.reminder_id for r in await world.facts(ReminderSent)} == {r.reminder_id for r in fired[1:]}
    await world.at(28)
    assert await world.facts(DeadlineMissed, ReminderDue) == fired
    assert len(mailbox.mails) == 2


async def test_a_plan_that_came_in_time_while_the_service_was_off_is_not_called_missing(
    world: Any, mailbox: Any
) -> None:
    await contact(world)
    world.requested(10)
    await world.at(20)
    await world.stop()
    world.submitted(23)
    await world.at(27)  # due on day 24; first reminder on day 25
    await world.start()
    await world.level()
    assert await world.facts(DeadlineMissed) == []
    assert [m.kind for m in await world.facts(DeadlineMet)] == ["REQUESTED_PLAN"]
    assert mailbox.mails == []


async def test_nothing_fires_while_plan_service_is_silent_and_everything_when_it_speaks_again(world: Any) -> None:
    world.registered(1)
    await world.at(1)
    await world.fall_silent()
    world.clock_is(40)
    for _ in range(20):
        await world.runtime.changed(0.05)
    assert [d.kind for d in await world.facts(DeadlineSet)] == ["EMPLOYER_PLAN"]
    world.speak()
    await world.at(40)
    assert [d.kind for d in await world.facts(DeadlineSet)] == ["EMPLOYER_PLAN", "REQUEST_PLAN"]


async def test_a_request_heard_before_the_reopening_it_came_after_is_waited_for_all_the_same(world: Any) -> None:
    world.closed(40)
    await world.at(41)
    await world.fall_silent("case")
    world.reopened(50)
    world.requested(60)
    world.clock_is(60)
    await world.tell()
    await world.until_true(lambda: heard(world, DeadlineHeldBack))
    assert await world.facts(DeadlineSet) == []
    world.speak()
    await world.level()
    assert "REQUESTED_PLAN" in [d.kind for d in await world.facts(DeadlineSet)]
    assert await world.facts(DeadlineCancelled) == []


async def heard(world: Any, kind: type[Any]) -> bool:
    return bool(await world.facts(kind))


async def test_a_case_with_a_message_set_aside_fires_nothing_until_it_has_been_dealt_with(world: Any) -> None:
    world.registered(1)
    await world.at(1)
    await world.runtime.pool.execute(
        "insert into dead_letters select source, position, case_id, type, 'dead', 'a test', 1, recorded_at from heard"
    )
    await world.at(40)
    assert [d.kind for d in await world.facts(DeadlineSet)] == ["EMPLOYER_PLAN"]
    await world.runtime.pool.execute("delete from dead_letters")
    await world.level()
    assert [d.kind for d in await world.facts(DeadlineSet)] == ["EMPLOYER_PLAN", "REQUEST_PLAN"]


async def test_an_agenda_that_cannot_be_worked_out_stops_no_other_case(world: Any) -> None:
    await world.add_broken_agenda(20)
    world.registered(1)
    await world.at(1)
    world.clock_is(31)
    await world.until_true(lambda: has_task(world))
    assert (await world.dues())["timers"] == world.moment_of(20, "06:00")  # an operator sees that it stays due


async def has_task(world: Any) -> bool:
    return "REQUEST_PLAN" in [d.kind for d in await world.facts(DeadlineSet)]


async def test_read_models_rebuilt_are_the_same(world: Any) -> None:
    await contact(world)
    world.registered(1)
    world.requested(3)
    await world.at(40)
    for folder in world.runtime.folders.values():
        before = await folder.digest()
        await folder.rebuild()
        assert await folder.digest() == before


async def contact(world: Any) -> None:
    answer = await world.by("emp.hr", org_id="5560125790").put(
        "/v1/contacts/employer:5560125790", json={"channels": ["EMAIL"], "address": "hr@example.com"}
    )
    assert answer.status_code == 200, answer.text
