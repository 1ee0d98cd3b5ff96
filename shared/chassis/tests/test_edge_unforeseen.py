"""Whatever is sent, what comes back is an answer or a problem document, never an error of ours and never an echo."""

import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema
from tiny_service import app
from tiny_stack import Tiny

JSON = {"Content-Type": "application/json"}
SCHEMA: OpenApiSchema = schemathesis.openapi.from_dict(app.openapi())
EACH = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
ALL = [o for o in EACH if "/break" not in o.path]
"""Every end point but the one that fails on purpose."""

WITH_INPUT = [o for o in ALL if o.body or o.path_parameters or o.query]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3), max_leaves=9,
)  # fmt: skip
quickly = settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.request, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["type"].startswith("/problems/")
        assert told["status"] == answer.status_code


@pytest.fixture(scope="module")
def clients(tiny: Tiny) -> dict[str, httpx.AsyncClient]:
    return {"/v1": tiny.by("fk.handler"), "": tiny.by("ops.operator")}


async def send(clients: dict[str, httpx.AsyncClient], case: Any) -> None:
    sent: dict[str, Any] = case.as_transport_kwargs()
    client = clients["/v1" if case.path.startswith("/v1") else ""]
    ours = {"authorization", "content-length"}
    headers = {k: v for k, v in (sent.pop("headers", None) or {}).items() if k.lower() not in ours}
    body = {k: v for k, v in sent.items() if k in ("json", "content", "data", "files")}
    if isinstance(body.get("data"), bytes | str):
        body["content"] = body.pop("data")
    params = sent.get("params")
    check(await client.request(sent["method"], case.formatted_path, headers=headers, params=params, **body))


@given(case=st.sampled_from(ALL).flatmap(lambda o: o.as_strategy(generation_mode=GenerationMode.POSITIVE)))
@settings(quickly, max_examples=70)
async def test_a_request_like_the_documented_ones(clients: dict[str, httpx.AsyncClient], case: Any) -> None:
    await send(clients, case)


@given(case=st.sampled_from(WITH_INPUT).flatmap(lambda o: o.as_strategy(generation_mode=GenerationMode.NEGATIVE)))
@settings(quickly, max_examples=70)
async def test_a_request_unlike_the_documented_ones(clients: dict[str, httpx.AsyncClient], case: Any) -> None:
    await send(clients, case)


NAMES = ["personRef", "colour", "note", "mark", "size", "tags", "begun", "at", "checked", "by"]


@given(body=st.dictionaries(st.sampled_from(NAMES), anything), id=st.uuids())
@quickly
async def test_a_body_with_known_names_and_any_values(
    clients: dict[str, httpx.AsyncClient], body: dict[str, Any], id: UUID
) -> None:
    content = json.dumps(body).encode()
    for method, path in (("PUT", f"/v1/counters/{id}"), ("POST", f"/v1/counters/{id}/steps")):
        check(await clients["/v1"].request(method, path, content=content, headers=JSON))


@given(content=st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
@quickly
async def test_a_body_of_any_bytes(clients: dict[str, httpx.AsyncClient], content: bytes) -> None:
    for kind in (JSON, {}, {"Content-Type": "multipart/form-data; boundary=a"}):
        check(await clients["/v1"].put(f"/v1/counters/{UUID(int=7)}", content=content, headers=kind))


HEADERS = ["Idempotency-Key", "If-Match", "Read-After", "X-Correlation-Id", "traceparent", "tracestate", "Content-Type"]


@given(headers=st.dictionaries(st.sampled_from(HEADERS), st.text(st.characters(max_codepoint=255), max_size=60)))
@quickly
async def test_any_headers(clients: dict[str, httpx.AsyncClient], headers: dict[str, str]) -> None:
    given = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    id = UUID(int=8)
    client = clients["/v1"]
    check(await client.post(f"/v1/counters/{id}/steps", json={"by": 1}, headers=given))
    check(await client.get(f"/v1/counters/{id}", headers=[h for h in given if h[0] != b"Read-After"]))


@given(path=st.text(max_size=20), query=st.text(max_size=20))
@quickly
async def test_any_address(clients: dict[str, httpx.AsyncClient], path: str, query: str) -> None:
    for start in ("/", "/v1/", "/v1/names/", "/v1/counters/"):
        for method in ("GET", "PUT"):
            address = start + quote(path, safe="/")
            check(await clients["/v1"].request(method, address, params={"after": query}))
