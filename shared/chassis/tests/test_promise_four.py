"""Whoever writes can read their own write, and a page misses nothing: promise 4, over HTTP, without a sleep."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from tiny_service import Noted
from tiny_stack import RunTiny, Tiny

from chassis.http import Paging, paged
from chassis.testing_stack import cut_off


@pytest.fixture
def handler(tiny: Tiny) -> httpx.AsyncClient:
    return tiny.by("fk.handler")


async def step(client: httpx.AsyncClient, id: str, by: int = 1) -> httpx.Response:
    return await client.post(f"/v1/counters/{id}/steps", json={"by": by})


async def total(client: httpx.AsyncClient, id: str, read_after: str | None = None) -> int:
    answer = await client.get(f"/v1/counters/{id}", headers={"Read-After": read_after} if read_after else {})
    assert answer.status_code == 200, answer.text
    return answer.json()["total"]


async def test_a_read_right_after_a_write_sees_it(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    for n in range(1, 40):
        await step(handler, id)
        assert await total(handler, id) == n


async def test_many_who_write_and_read_at_once_each_see_their_own(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    async def one() -> None:
        id = await tiny.opened(handler)
        for n in range(1, 6):
            await step(handler, id)
            assert await total(handler, id) == n

    await asyncio.gather(*(one() for _ in range(20)))


async def test_what_one_process_wrote_another_reads(tiny: Tiny, run_tiny: RunTiny, handler: httpx.AsyncClient) -> None:
    async with run_tiny(beside=tiny) as other, run_tiny(beside=tiny, parts="api") as third:
        id = await tiny.opened(handler)
        for n in range(1, 9):
            await step(handler, id)
            assert await total(other.by("fk.handler"), id) == n
            assert await total(third.by("fk.handler"), id) == n


async def test_a_view_counts_as_level_only_after_its_commit(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    assert await total(handler, id) == 0
    app = await asyncpg.connect(tiny.settings.database_url)
    await app.execute(
        "create function views.slowly() returns trigger language plpgsql as "
        "'begin perform pg_advisory_xact_lock(42); return null; end'; "
        "create constraint trigger slowly after insert or update on views.counters deferrable initially deferred "
        "for each row execute function views.slowly(); select pg_advisory_lock(42)"
    )
    try:
        await step(handler, id)
        async with asyncio.timeout(5):
            while not await app.fetchval(  # noqa: ASYNC110 - what is waited for happens in the server
                "select exists(select from pg_locks where locktype = 'advisory' and not granted)"
            ):
                await asyncio.sleep(0.01)
        reading = asyncio.create_task(total(handler, id))
        await asyncio.wait({reading}, timeout=0.2)
        assert not reading.done(), "a read was answered from a view whose commit was still under way"
        await app.execute("select pg_advisory_unlock(42)")
        assert await reading == 1
    finally:
        await app.execute("drop trigger slowly on views.counters; drop function views.slowly")
        await app.close()


async def test_what_a_crash_takes_back_from_a_view_is_folded_again_before_it_is_read(
    tiny: Tiny, handler: httpx.AsyncClient
) -> None:
    id = await tiny.opened(handler)
    await step(handler, id)
    assert await total(handler, id) == 1
    c = await asyncpg.connect(tiny.settings.database_url)
    async with c.transaction():  # the log is kept; the newest of a view, and its checkpoint, may not be
        await c.execute("update checkpoints set position = position - 1 where name = 'view:counters:plan'")
        await c.execute("update views.counters set total = 0")
        await cut_off(c)
    await c.close()
    assert await total(handler, id) == 1


async def test_a_view_that_does_not_catch_up_in_time_is_503_and_says_when_to_come_again(
    tiny: Tiny, run_tiny: RunTiny, handler: httpx.AsyncClient
) -> None:
    id = await tiny.opened(handler)
    app = await asyncpg.connect(tiny.settings.database_url)
    async with run_tiny(beside=tiny, read_wait=0.2) as impatient:
        async with app.transaction():
            await app.execute("select from checkpoints where name = 'view:counters:plan' for update")
            await step(handler, id)
            answer = await impatient.by("fk.handler").get(f"/v1/counters/{id}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["type"] == "/problems/not-caught-up"
        assert await total(impatient.by("fk.handler"), id) == 1
    await app.close()


# --- positions ---


async def test_a_write_says_how_far_the_log_is_and_a_read_may_bring_it(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    answer = await step(handler, id)
    assert answer.headers["samordna-position"] == f"plan:{await tiny.runtime.log.head()}"
    assert answer.headers["etag"] == '"2"'
    assert await total(handler, id, answer.headers["samordna-position"]) == 1


async def test_a_position_that_is_not_reached_in_time_is_503(
    tiny: Tiny, run_tiny: RunTiny, handler: httpx.AsyncClient
) -> None:
    id = await tiny.opened(handler)
    async with run_tiny(beside=tiny, read_wait=0.2) as impatient:
        client = impatient.by("fk.handler")
        for position in (
            f"plan:{await tiny.runtime.log.head() + 1}",
            "notification:999999",
            "plan:1, notification:999",
        ):
            answer = await client.get(f"/v1/counters/{id}", headers={"Read-After": position})
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), position
        for path in (f"/v1/counters/{id}/note", "/v1/counters"):
            answer = await client.get(path, headers={"Read-After": position})
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), path


async def test_a_read_waits_for_what_it_brings_and_no_longer(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    after = {"Read-After": f"plan:{await tiny.runtime.log.head() + 1}"}
    reading = asyncio.create_task(handler.get(f"/v1/counters/{id}", headers=after))
    await asyncio.wait({reading}, timeout=0.1)
    assert not reading.done()
    await step(handler, id, 7)
    assert (await reading).json()["total"] == 7


async def test_what_the_neighbour_told_is_heard_reacted_to_and_shown(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    position = await tiny.neighbour.tells(*(Noted(counter_id=UUID(id), by=3) for _ in range(5)))
    answer = await handler.get(f"/v1/counters/{id}", headers={"Read-After": f"notification:{position}"})
    assert (answer.json()["noted"], answer.json()["total"]) == (15, 15)


async def test_a_view_that_has_not_folded_what_was_heard_is_waited_for(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    id = await tiny.opened(handler)
    app = await asyncpg.connect(tiny.settings.database_url)
    async with app.transaction():
        await app.execute("select from checkpoints where name = 'view:counters:notification' for update")
        position = await tiny.neighbour.tells(Noted(counter_id=UUID(id), by=3))
        after = {"Read-After": f"notification:{position}"}
        reading = asyncio.create_task(handler.get(f"/v1/counters/{id}", headers=after))
        await asyncio.wait({reading}, timeout=0.3)
        assert not reading.done()
    assert (await reading).json()["noted"] == 3
    await app.close()


async def test_a_service_that_is_not_heard_is_not_waited_for(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    assert await total(handler, await tiny.opened(handler), "moon:7") == 0


@pytest.mark.parametrize("wrong", ["57", "plan", "plan:", "plan:-1", "plan:x", "plan:1 case:2", "plan:" + "9" * 19])
async def test_a_position_that_is_none_is_refused(handler: httpx.AsyncClient, wrong: str) -> None:
    answer = await handler.get("/v1/counters", headers={"Read-After": wrong})
    assert (answer.status_code, answer.json()["field"]) == (422, "Read-After")


# --- pages ---


async def pages(client: httpx.AsyncClient, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        page = (await client.get("/v1/counters", params={"limit": limit, "colour": "BLUE"} | after)).json()
        found.append([r["counterId"] for r in page["items"]])
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_pages_miss_no_tie_and_show_nothing_twice(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    ids = [await tiny.opened(handler, colour="BLUE") for _ in range(12)]
    for id in ids[::2]:
        await step(handler, id, 5)  # six rows with the same total, and six with another
    wanted = sorted(ids[1::2]) + sorted(ids[::2])
    for limit in (1, 2, 4, 5, 12, 100):
        found = await pages(handler, limit)
        assert [id for page in found for id in page] == wanted, limit
        assert all(len(p) == limit for p in found[:-1])
        assert found[-1], "no empty page at the end"


@pytest.mark.parametrize("wrong", ["0", "101", "-1", "x", ""])
async def test_a_page_holds_one_to_a_hundred_rows(handler: httpx.AsyncClient, wrong: str) -> None:
    answer = await handler.get("/v1/counters", params={"limit": wrong})
    assert (answer.status_code, answer.json()["field"]) == (422, "limit")


@pytest.mark.parametrize("wrong", ["", "x", "AAAA", "W10", "bnVsbA", "WzFd", "W1siZCIsMV1d", "Å", "=" * 9, "9" * 501])
async def test_a_cursor_that_is_none_is_refused(handler: httpx.AsyncClient, wrong: str) -> None:
    answer = await handler.get("/v1/counters", params={"after": wrong})
    assert (answer.status_code, answer.json()["field"]) == (422, "after"), answer.text


async def test_a_cursor_serves_only_where_it_was_given(tiny: Tiny, handler: httpx.AsyncClient) -> None:
    for _ in range(2):
        await tiny.opened(handler)
    cursor = (await handler.get("/v1/counters", params={"limit": 1})).json()["next"]
    assert (await handler.get("/v1/counters", params={"after": cursor})).status_code == 200
    other = "A" if cursor[0] != "A" else "B"
    for wrong in (cursor[:-4], cursor + "AAAA", other + cursor[1:]):
        assert (await handler.get("/v1/counters", params={"after": wrong})).status_code == 422
    assert (await handler.get("/v1/others", params={"after": cursor})).status_code == 422


def paging(after: str | None = None) -> Paging:
    """Paging as a request to a service with a secret makes it."""
    app = FastAPI()
    app.state.runtime = type("Runtime", (), {"secret": b"s"})
    return Paging(Request({"type": "http", "app": app, "path": "/", "headers": [], "server": ("x", 1)}), after, 1)


@pytest.mark.parametrize(
    "last", [(1, UUID(int=7)), (date(2026, 3, 2), "x"), (datetime(2026, 3, 2, tzinfo=UTC), None), (True, "å")], ids=str
)
def test_a_cursor_brings_back_what_it_was_made_from(last: tuple[Any, ...]) -> None:
    page = paged([1, 2], paging(), lambda _: last)
    assert page["items"] == [1]
    assert paging(page["next"]).after == last


def test_the_last_page_says_that_there_is_no_next() -> None:
    assert paged([1], paging(), lambda _: (1,))["next"] is None
    assert paged([], paging(), lambda _: (1,)) == {"items": [], "next": None}
