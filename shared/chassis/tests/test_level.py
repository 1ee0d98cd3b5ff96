"""Who decides on what another service told asks it first how far it has come; without an answer, not at all."""

import asyncio
from uuid import UUID

import nats
import pytest
from tiny_stack import RunTiny

from chassis.bus import BusUnavailable
from chassis.level import answer_heads, ask_head
from chassis.problems import Problem
from chassis.servers import Nats
from chassis.testing_stack import arrived

COUNTER = UUID(int=77)


async def test_one_is_level_once_all_has_been_heard_that_the_other_had_acknowledged(run_tiny: RunTiny) -> None:
    async with run_tiny() as tiny:
        told = 0

        async def head() -> int:
            return told

        await answer_heads(tiny.neighbour.wire.client, "notification", head)
        await arrived(tiny.neighbour.wire.client)
        for n in range(1, 6):
            told = await tiny.neighbour.tells(tiny.noted(counter_id=COUNTER, by=n))
            await tiny.runtime.level_with("notification")
            reacted = "select position from checkpoints where name = 'react:notification'"
            assert await tiny.runtime.pool.fetchval(reacted) >= told


async def test_one_waits_for_what_was_acknowledged_and_is_not_published_yet(run_tiny: RunTiny) -> None:
    async with run_tiny() as tiny:

        async def ahead() -> int:
            return 1

        await answer_heads(tiny.neighbour.wire.client, "notification", ahead)
        await arrived(tiny.neighbour.wire.client)
        waiting = asyncio.create_task(tiny.runtime.level_with("notification"))
        await asyncio.wait({waiting}, timeout=0.2)
        assert not waiting.done()
        await tiny.neighbour.tells(tiny.noted(counter_id=COUNTER, by=1))
        await waiting


async def test_who_does_not_answer_stops_what_rests_on_it(run_tiny: RunTiny) -> None:
    async with run_tiny() as tiny:
        with pytest.raises(Problem) as silent:
            await tiny.runtime.level_with("notification")
        assert (silent.value.status_code, silent.value.code) == (503, "owner-unreachable")


async def test_a_message_that_was_set_aside_stops_what_rests_on_its_case_alone(run_tiny: RunTiny) -> None:
    async with run_tiny() as tiny:

        async def nothing() -> int:
            return 0

        await answer_heads(tiny.neighbour.wire.client, "notification", nothing)
        await arrived(tiny.neighbour.wire.client)
        await tiny.runtime.pool.execute(
            "insert into dead_letters values ('notification', 9, $1, 'Noted', 'dead', 'poison', 1, now())", COUNTER
        )
        with pytest.raises(Problem) as unknown:
            await tiny.runtime.level_with("notification", COUNTER)
        assert unknown.value.code == "set-aside"
        await tiny.runtime.level_with("notification", UUID(int=78))


async def test_a_service_answers_for_itself_alone(nats_server: Nats) -> None:
    refused = list[str]()

    async def note(e: Exception) -> None:
        refused.append(str(e))

    async def lie() -> int:
        return 10**9

    plan = await nats.connect(nats_server.url("plan"), inbox_prefix="_INBOX.plan")
    liar = await nats.connect(nats_server.url("notification"), inbox_prefix="_INBOX.notification", error_cb=note)
    await answer_heads(liar, "case", lie)
    await arrived(liar)
    with pytest.raises(BusUnavailable):
        await ask_head(plan, "case")
    assert any("subscription to" in text.lower() for text in refused)
    await plan.close()
    await liar.close()
