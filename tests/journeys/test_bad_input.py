"""Whatever is sent to any address of any running service and cannot be taken is answered with a problem document;
nothing is stored and nothing is repeated back. The addresses are those that the services themselves describe."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.journeys.house import House

from chassis.http import JSON_LIMIT
from samordna.personas import EMPLOYER_A, PERSONAS

JSON = {"Content-Type": "application/json"}
MARK = "kvistmarkör"
"""In everything that is sent; in nothing that is answered."""

BODIES: Mapping[str, tuple[bytes, set[int]]] = {
    "half a document": (b'{"%s": ' % MARK.encode(), {400}),
    "nothing": (b"", {422}),
    "no UTF-8": (b'{"a": "%s\xff\xfe"}' % MARK.encode(), {400}),
    "a list": (b'["%s"]' % MARK.encode(), {422}),
    "a text": (b'"%s"' % MARK.encode(), {422}),
    "unknown fields only": (b'{"%s": "%s"}' % (MARK.encode(), MARK.encode()), {422}),
    "nested without end": (b'{"a":' * 12_000, {400}),
    "too much": (b'{"a": "%s"}' % (MARK.encode() * (JSON_LIMIT // len(MARK))), {413}),
}
IDS = ("x", "%00", "%ff", "null", "%C3%A5" * 40, "0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a1g", "a" * 2000)
QUERIES = ("limit=0", "limit=101", "limit=1e2", "limit=" + "9" * 30, "after=%00", "after=W10", "after=" + "A" * 501)


@dataclass
class Address:
    """Something a service answers, and a persona who may ask for it. `path` has its ids still in braces."""

    service: str
    method: str
    path: str
    who: str
    takes_json: bool
    pages: bool

    def at(self, *ids: str) -> str:
        """The path with these ids in place of those in braces; the rest are drawn."""
        left = list(ids)
        return re.sub(r"\{.*?\}", lambda _: left.pop(0) if left else str(uuid4()), self.path)


@pytest.fixture(scope="module")
async def addresses(house: House) -> list[Address]:
    found: list[Address] = []
    for service in house.names:
        described = (await house.call(None, "GET", service, "/openapi.json")).json()["paths"]
        for path, item in described.items():
            for method, operation in item.items():
                if path.startswith("/v1"):
                    found.append(await described_as(house, service, method.upper(), path, operation))
    assert {a.service for a in found} == set(house.names)
    return found


async def described_as(house: House, service: str, method: str, path: str, operation: Mapping[str, Any]) -> Address:
    takes = operation.get("requestBody", {}).get("content", {})
    pages = any(p["name"] == "limit" for p in operation.get("parameters", ()))
    address = Address(service, method, path, "", "application/json" in takes, pages)
    for who in ("fk-handler", "hr-a", *PERSONAS):
        answer = await house.call(who, method, service, address.at(), content=b"{}", headers=JSON)
        if answer.status_code != 403:
            address.who = who
            return address
    raise AssertionError(f"Nobody may {method} {path}.")


@dataclass
class Sent:
    """A registration that was taken, and the key it came with."""

    key: Mapping[str, str]
    path: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any]


@pytest.fixture(scope="module")
async def sent(house: House) -> Sent:
    key, (path, body) = {"Idempotency-Key": str(uuid4())}, house.employment()
    answer = await house.done("fk-handler", "PUT", "plan", path, json=body, headers=key)
    return Sent(key, path, body, answer.json())


@pytest.fixture(autouse=True)
async def nothing_is_stored(house: House, sent: Sent) -> AsyncIterator[None]:
    """Every log ends where it did."""
    await house.operator.level()
    before = await house.heads()
    yield
    await house.operator.level()
    assert await house.heads() == before


def is_a_problem(answer: httpx.Response, statuses: set[int], why: str) -> None:
    assert answer.status_code in statuses, f"{why}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["Content-Type"] == "application/problem+json", why
    said = answer.json()
    assert said["type"].startswith("/problems/"), why
    assert said["status"] == answer.status_code, why
    assert said["detail"], why
    assert MARK not in answer.text, why


@pytest.mark.parametrize("kind", BODIES)
async def test_a_body_that_cannot_be_taken(house: House, addresses: list[Address], kind: str) -> None:
    body, statuses = BODIES[kind]
    taking = [a for a in addresses if a.takes_json]
    assert {a.service for a in taking} == set(house.names)
    for a in taking:
        answer = await house.call(a.who, a.method, a.service, a.at(), content=body, headers=JSON)
        is_a_problem(answer, statuses, f"{kind} to {a.method} {a.path}")


async def test_a_body_that_grows_while_it_is_sent(house: House, addresses: list[Address]) -> None:
    """It is not read to its end, so the connection may be cut before the answer has got through."""

    async def growing() -> AsyncIterator[bytes]:
        for _ in range(JSON_LIMIT // 1024 + 1):
            yield b"x" * 1024

    answered = 0
    for a in (a for a in addresses if a.takes_json):
        try:
            answer = await house.call(a.who, a.method, a.service, a.at(), content=growing(), headers=JSON)
        except httpx.TransportError:
            continue
        is_a_problem(answer, {413}, f"{a.method} {a.path}")
        answered += 1
    assert answered > 0


async def test_an_id_that_is_none(house: House, addresses: list[Address]) -> None:
    asked = [(a, id) for a in addresses if "{" in a.path for id in IDS]
    for a, id in asked:
        answer = await house.call(a.who, a.method, a.service, a.at(id), json={} if a.takes_json else None)
        is_a_problem(answer, {422}, f"{a.method} {a.path} with {id[:20]}")


async def test_an_id_that_nobody_knows(house: House, addresses: list[Address]) -> None:
    for a in (a for a in addresses if a.method == "GET" and "{" in a.path):
        is_a_problem(await house.call(a.who, a.method, a.service, a.at()), {404}, f"{a.method} {a.path}")


async def test_a_page_that_cannot_be_asked_for(house: House, addresses: list[Address]) -> None:
    paged = [a for a in addresses if a.pages]
    assert {a.service for a in paged} == set(house.names)
    for a in paged:
        for query in QUERIES:
            answer = await house.call(a.who, "GET", a.service, f"{a.at()}?{query}")
            is_a_problem(answer, {422}, f"{a.path}?{query[:20]}")


async def test_a_cursor_of_another_address(house: House, sent: Sent) -> None:
    page = await house.read("fk-handler", "plan", "/v1/employments?limit=1&planStatus=NOT_DUE")
    cursor = page["next"] or "W10"
    for service, path in (("notification", "/v1/tasks"), ("notification", f"/v1/cases/{sent.body['caseId']}/timeline")):
        answer = await house.call("fk-handler", "GET", service, f"{path}?after={cursor}")
        is_a_problem(answer, {422}, path)


async def test_a_method_that_an_address_does_not_answer(house: House, addresses: list[Address]) -> None:
    for a in addresses:
        is_a_problem(await house.call(a.who, "DELETE", a.service, a.at()), {405}, a.path)


async def test_a_token_that_is_none(house: House, addresses: list[Address]) -> None:
    head, body, seal = house.tokens["fk-handler"].split(".")
    unsigned = "eyJhbGciOiJub25lIn0"
    for token in (MARK, f"{head}.{body}.{seal[:-4]}AAAA", f"{unsigned}.{body}.", f"{head}.{body}", "." * 9000):
        for a in addresses:
            headers = {"Authorization": f"Bearer {token}".encode()}
            is_a_problem(await house.call(None, a.method, a.service, a.at(), headers=headers), {401}, a.path)


async def test_a_role_in_an_organisation_of_another_kind(house: House, addresses: list[Address]) -> None:
    for a in addresses:
        whole = PERSONAS[a.who]
        for org_type in {"FK", "EMPLOYER", "AF", "PERSON"} - {whole.org_type}:
            mixed = house.issuer.token(replace(whole, org_type=org_type))
            headers = {"Authorization": f"Bearer {mixed}"}
            answer = await house.call(None, a.method, a.service, a.at(), json={}, headers=headers)
            is_a_problem(answer, {403}, f"{whole.role} of {org_type}: {a.method} {a.path}")
            assert answer.json()["type"] == "/problems/role-of-another-party", a.path


async def test_a_key_that_is_none(house: House) -> None:
    path, body = house.employment()
    contact = {"channels": ["EMAIL"], "address": "hr@arbetsgivare.example"}
    for key in ("", "a b", "å", "x" * 256):
        headers = {"Idempotency-Key": key.encode()}
        for service, at, json in (
            ("plan", path, body),
            ("notification", f"/v1/contacts/employer:{EMPLOYER_A}", contact),
        ):
            answer = await house.call("fk-handler", "PUT", service, at, json=json, headers=headers)
            is_a_problem(answer, {422}, f"{service} with key {key[:5]}")
            assert answer.json()["field"] == "Idempotency-Key"


async def test_a_key_that_was_used_for_something_else(house: House, sent: Sent) -> None:
    other = {
        "another body": (sent.path, {**sent.body, "workplace": f"Butiken {MARK}"}),
        "another address": (house.employment()[0], sent.body),
    }
    for why, (path, body) in other.items():
        answer = await house.call("fk-handler", "PUT", "plan", path, json=body, headers=sent.key)
        is_a_problem(answer, {422}, why)
        assert answer.json()["type"] == "/problems/idempotency-key-reused", why


async def test_a_key_of_somebody_else_gives_nobody_elses_answer(house: House, sent: Sent) -> None:
    answer = await house.call("hr-a", "PUT", "plan", sent.path, json=sent.body, headers=sent.key)
    is_a_problem(answer, {403}, "the same key from another party")


async def test_the_same_again_with_its_key_is_the_first_answer_again(house: House, sent: Sent) -> None:
    again = await house.done("fk-handler", "PUT", "plan", sent.path, json=sent.body, headers=sent.key)
    assert (again.status_code, again.json()) == (201, sent.answer)
