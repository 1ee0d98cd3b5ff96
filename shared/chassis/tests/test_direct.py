"""Is a request that goes to its end point directly answered as FastAPI itself would answer it?"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tiny_service import app
from tiny_stack import Tiny

from chassis.direct import ways

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
JSON = {"Content-Type": "application/json"}
UTF8 = {"Content-Type": "application/json; charset=utf-8"}
TEXT = {"Content-Type": "text/plain"}
NO_KEY = {"Idempotency-Key": "a b"}
GOOD = {"personRef": str(uuid4()), "colour": "BLUE", "tags": [{"name": "a"}]}
Asked = tuple[str, str, dict[str, Any]]

ASKED: dict[str, Asked] = {
    "done": ("PUT", "/v1/counters/{new}", {"json": GOOD}),
    "done before": ("PUT", "/v1/counters/{old}", {"json": GOOD}),
    "done, with a key": ("PUT", "/v1/counters/{new}", {"json": GOOD, "headers": {"Idempotency-Key": "{new}"}}),
    "read": ("GET", "/v1/counters/{old}", {}),
    "a list": ("GET", "/v1/others?limit=7", {}),
    "a list with a wrong limit": ("GET", "/v1/others?limit=x", {}),
    "a list with a wrong cursor": ("GET", "/v1/others?after=x", {}),
    "unknown": ("GET", "/v1/counters/{new}", {}),
    "no id": ("GET", "/v1/counters/x", {}),
    "no id, and a body": ("PUT", "/v1/counters/x", {"json": {"size": 11}}),
    "a slash too many": ("GET", "/v1/counters/{old}/", {}),
    "an escaped slash": ("GET", "/v1/counters/a%2Fb", {}),
    "no such address": ("GET", "/v1/nothing", {}),
    "another method": ("DELETE", "/v1/counters", {}),
    "only the head": ("HEAD", "/v1/counters/{old}", {}),
    "a wrong field": ("PUT", "/v1/counters/{new}", {"json": {"size": 11, "x": 1}}),
    "a list for a body": ("PUT", "/v1/counters/{new}", {"json": [GOOD]}),
    "null for a body": ("PUT", "/v1/counters/{new}", {"content": b"null", "headers": JSON}),
    "no body": ("PUT", "/v1/counters/{new}", {"headers": JSON}),
    "half a body": ("PUT", "/v1/counters/{new}", {"content": b'{"size":', "headers": JSON}),
    "not UTF-8": ("PUT", "/v1/counters/{new}", {"content": b"\xff\xfe\xfd", "headers": JSON}),
    "too deep": ("PUT", "/v1/counters/{new}", {"content": b"[" * 50_000, "headers": JSON}),
    "too large": ("PUT", "/v1/counters/{new}", {"content": b" " * 70_000, "headers": JSON}),
    "JSON with a charset": ("PUT", "/v1/counters/{new}", {"json": GOOD, "headers": UTF8}),
    "JSON that says it is text": ("PUT", "/v1/counters/{new}", {"content": b"{}", "headers": TEXT}),
    "JSON that says nothing": ("PUT", "/v1/counters/{new}", {"content": b"{}"}),
    "refused": ("POST", "/v1/counters/{old}/steps", {"json": {"by": 13}}),
    "a key that is none": ("POST", "/v1/counters/{old}/steps", {"json": {"by": 1}, "headers": NO_KEY}),
    "without If-Match": ("POST", "/v1/counters/{old}/close", {}),
    "with a stale one": ("POST", "/v1/counters/{old}/close", {"headers": {"If-Match": '"77"'}}),
    "an error of ours": ("POST", "/v1/counters/{old}/break", {"json": GOOD}),
    "a file": ("POST", "/v1/files", {"content": b"x" * 1000}),
    "an id that could break a header": ("PUT", "/v1/names/a%0Db", {}),
}  # fmt: skip


@contextmanager
def by_fastapi_alone(tiny: Tiny) -> Generator[None, None, None]:
    """An app whose dependencies are replaced leaves everything to FastAPI."""
    tiny.app.dependency_overrides[uuid4] = uuid4
    try:
        yield
    finally:
        tiny.app.dependency_overrides.clear()


async def ask(client: httpx.AsyncClient, asked: Asked, old: str) -> tuple[Any, ...]:
    """What was answered, without what differs from one request to the next."""
    method, path, more = asked
    new = str(uuid4())
    more = dict(more)
    headers = {k: v.format(new=new) for k, v in more.pop("headers", {}).items()}
    answer = await client.request(method, path.format(new=new, old=old), headers=headers, **more)
    kept = [(k, "" if k in ("samordna-position", "etag") else v) for k, v in answer.headers.multi_items()]
    return answer.status_code, sorted(kept), ID.sub("id", answer.text)


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("role", ["fk.handler", "emp.hr", None])
async def test_both_ways_give_the_same_answer(tiny: Tiny, name: str, role: str | None) -> None:
    old = await tiny.opened(tiny.by("fk.handler"))
    client = tiny.by(role)
    direct = await ask(client, ASKED[name], old)
    with by_fastapi_alone(tiny):
        assert await ask(client, ASKED[name], old) == direct


async def test_a_key_used_one_way_is_known_the_other(tiny: Tiny) -> None:
    client, key = tiny.by("fk.handler"), {"Idempotency-Key": str(uuid4())}
    path = f"/v1/counters/{await tiny.opened(client)}/steps"
    first = await client.post(path, json={"by": 1}, headers=key)
    with by_fastapi_alone(tiny):
        again = await client.post(path, content=b'{ "by": 1 }', headers=key | JSON)
        other = await client.post(path, json={"by": 2}, headers=key)
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    assert other.status_code == 422


async def test_whoever_hangs_up_before_the_body_harms_nobody(tiny: Tiny) -> None:
    sent: list[Any] = []
    token = tiny.by("fk.handler").headers["authorization"].encode()
    scope = {
        "type": "http", "method": "PUT", "path": f"/v1/counters/{uuid4()}", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"authorization", token)], "state": {},
    }  # fmt: skip

    async def hung_up() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await tiny.app(scope, hung_up, send)
    assert sent[0]["status"] == 400
    assert (await tiny.by(None).get("/health/live")).status_code == 200


def test_most_end_points_are_reached_directly() -> None:
    directly = {way.endpoint.__name__ for found in ways(app).values() for _, way in found if way is not None}
    assert directly >= {"put_counter", "step", "close", "get_counter", "list_counters", "take_file"}
    assert "break_down" not in directly, "it says nothing about what it answers"
