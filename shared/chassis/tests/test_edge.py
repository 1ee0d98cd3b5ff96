"""What is sent wrongly gets a problem document that helps and repeats nothing: over real HTTP, from a real process."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode
from tiny_service import FILE_LIMIT
from tiny_stack import Served, serve_tiny, tiny_settings

from chassis.bus import ask
from chassis.http import JSON_LIMIT
from chassis.servers import Nats
from chassis.servers.issuer import KEY_ID, Issuer, Persona
from chassis.testing_stack import Databases, Tokens, as_operator, forget_streams

NUMBER, NAME = "199001011234", "Zebulonia"
MARK = f"{NAME} {NUMBER}"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def served(
    database: Databases, nats_server: Nats, issuer: Issuer, token: Tokens, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    home = tmp_path_factory.mktemp("served")
    await forget_streams(nats_server)
    settings = await tiny_settings(home, database, nats_server, issuer, {})
    async with serve_tiny(settings, home, token) as made:
        yield made


@pytest.fixture
async def handler(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with served.by("fk.handler") as client:
        yield client


@pytest.fixture
async def opened(handler: httpx.AsyncClient) -> str:
    """The path of a counter."""
    path = f"/v1/counters/{uuid4()}"
    assert (await handler.put(path, json={"personRef": str(uuid4())})).status_code == 201
    return path


def is_problem(answer: httpx.Response, status: int, kind: str, field: str | None = None) -> dict[str, Any]:
    """A problem document of this kind, with all that one must have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["status"], told.get("field")) == (f"/problems/{kind}", status, field)
    assert told["title"]
    assert told["detail"]
    assert told.get("do"), "a problem says what to do"
    return told


# --- bodies ---

GOOD = {"personRef": str(uuid4())}
WRONG: dict[str, tuple[Any, str]] = {
    "a field that is missing": ({}, "personRef"),
    "a wrong type": (GOOD | {"size": "many"}, "size"),
    "a number where text belongs": (GOOD | {"note": 7}, "note"),
    "too little": (GOOD | {"size": -1}, "size"),
    "too much": (GOOD | {"size": 11}, "size"),
    "too long": (GOOD | {"note": "x" * 201}, "note"),
    "no code of the list": (GOOD | {"colour": MARK}, "colour"),
    "no reference": ({"personRef": MARK}, "personRef"),
    "no date": (GOOD | {"begun": MARK}, "begun"),
    "a time without a zone": (GOOD | {"at": "2026-03-02T12:00:00"}, "at"),
    "a wrong value deep inside": (GOOD | {"tags": [{"name": "a"}, {"name": "x" * 21}]}, "tags.1.name"),
    "too many": (GOOD | {"tags": [{"name": "a"}] * 4}, "tags"),
    "what our own check refuses": (GOOD | {"checked": MARK}, "checked"),
    "null": (GOOD | {"note": None}, "note"),
    "an unknown field": (GOOD | {MARK: 1}, "body"),
    "an unknown field deep inside": (GOOD | {"tags": [{"name": "a", MARK: 1}]}, "tags.0"),
    "a list": ([MARK], "body"),
    "text": (MARK, "body"),
    "a number": (7, "body"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_a_body_with_something_wrong_is_422_and_names_the_field(handler: httpx.AsyncClient, name: str) -> None:
    body, field = WRONG[name]
    answer = await handler.put(f"/v1/counters/{uuid4()}", json=body)
    told = is_problem(answer, 422, "invalid-input", field)
    assert told["errors"][0]["field"] == field
    assert NAME not in answer.text


async def test_a_message_that_could_show_a_piece_of_what_was_sent_is_replaced(handler: httpx.AsyncClient) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", json={"personRef": MARK})  # "..., found `Z` at 1"
    assert answer.json()["errors"] == [{"field": "personRef", "problem": "Has the wrong form."}]


async def test_every_wrong_field_is_listed(handler: httpx.AsyncClient) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", json={"size": 11, "note": 7, "x": 1, "y": 2})
    fields = [e["field"] for e in is_problem(answer, 422, "invalid-input", "personRef")["errors"]]
    assert fields == ["personRef", "note", "size", "body", "body"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"personRef": "' + MARK.encode(),
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"a": \x00}',
        b"[" * 5000,
        b"nul",
        b'{"size": 1' + b"0" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_not_json_is_refused(handler: httpx.AsyncClient, body: bytes) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert NAME not in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", MARK, ""])
async def test_a_body_of_another_type_is_not_taken_for_json(handler: httpx.AsyncClient, kind: str) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", content=json.dumps(GOOD), headers={"Content-Type": kind})
    assert answer.status_code in (415, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert NAME not in answer.text


async def test_a_refused_request_stored_nothing(served: Served, handler: httpx.AsyncClient, opened: str) -> None:
    async with served.by("ops.operator") as operator:
        head = (await operator.get("/status")).json()["head"]
        for body in ({"by": 0}, {"by": 13}, {"by": 1, "x": 1}, {}, []):
            answer = await handler.post(f"{opened}/steps", json=body, headers={"Idempotency-Key": "k"})
            assert answer.status_code == 422
        assert (await operator.get("/status")).json()["head"] == head
    assert (await handler.post(f"{opened}/steps", json={"by": 1}, headers={"Idempotency-Key": "k"})).status_code == 201


# --- sizes ---


def big(n: int) -> bytes:
    return json.dumps(GOOD | {"note": "x" * n}).encode()


async def test_a_body_too_large_by_its_own_word_is_not_read(handler: httpx.AsyncClient) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", content=big(JSON_LIMIT))
    is_problem(answer, 413, "too-large")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_turns_out_too_large_is_cut_off(handler: httpx.AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 1
            yield b" " * 1000
            await asyncio.sleep(0)

    try:
        answer = await handler.put(f"/v1/counters/{uuid4()}", content=chunks())
    except httpx.TransportError:  # it may hang up while we are still sending
        pass
    else:
        is_problem(answer, 413, "too-large")


async def test_a_body_just_within_the_limit_is_read(handler: httpx.AsyncClient) -> None:
    frame = len(big(0))
    answer = await handler.put(f"/v1/counters/{uuid4()}", content=big(JSON_LIMIT - frame), headers=JSON)
    is_problem(answer, 422, "invalid-input", "note")  # too long for the field, not for the address
    answer = await handler.put(f"/v1/counters/{uuid4()}", content=big(JSON_LIMIT - frame + 1))
    is_problem(answer, 413, "too-large")


async def test_an_address_for_files_takes_more_and_no_more(handler: httpx.AsyncClient) -> None:
    async def chunks(n: int) -> AsyncIterator[bytes]:
        for _ in range(n // 1000):
            yield b"x" * 1000

    assert (await handler.post("/v1/files", content=b"x" * FILE_LIMIT)).json() == {"bytes": FILE_LIMIT}
    assert (await handler.post("/v1/files", content=chunks(FILE_LIMIT))).json() == {"bytes": FILE_LIMIT}
    is_problem(await handler.post("/v1/files", content=b"x" * (FILE_LIMIT + 1)), 413, "too-large")


@pytest.mark.parametrize("said", ["-1", "1e9", "+5", "0x10", "٣"])
async def test_a_length_that_is_no_number_is_refused(served: Served, said: str) -> None:
    told = f"PUT /v1/counters/x HTTP/1.1\r\nHost: x\r\nContent-Length: {said}\r\n\r\n{{}}"
    assert (await raw(served, told.encode())).startswith(b"HTTP/1.1 4")


async def test_what_is_not_http_gets_no_echo_and_harms_nobody(served: Served, handler: httpx.AsyncClient) -> None:
    for line in (f"{MARK}\r\n\r\n", f"GET /{MARK} HTTP/1.1\r\n\r\n", f"GET / HTTP/1.1\r\n{MARK}\r\n\r\n", "\x00" * 50):
        assert NAME.encode() not in await raw(served, line.encode())
    assert (await handler.get("/health/live")).status_code == 200


async def raw(served: Served, request: bytes) -> bytes:
    port = int(served.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


# --- who is calling ---


def forged(issuer: Issuer) -> Iterator[tuple[str, str]]:
    """Authorization headers that name a handler and must not be believed."""
    who = Persona(user_ref=str(uuid4()), org_type="FK", org_id="2021005521", role="fk.handler")
    good = issuer.token(who)
    claims = jwt.decode(good, options={"verify_signature": False})
    pem = issuer._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    rsa = generate_private_key(65537, 2048)
    head, body, signature = good.split(".")

    def token(**changed: Any) -> str:
        return issuer.token(who, claims=changed)

    def signed(key: Any, algorithm: str, kid: Any = KEY_ID, **more: Any) -> str:
        return jwt.encode(claims, key, algorithm, headers={"kid": kid} | more)

    yield "no header", ""
    yield "no token", "Bearer"
    yield "another scheme", "Basic YTpi"
    yield "no JWT", f"Bearer {NUMBER}"
    yield "half a JWT", f"Bearer {head}.{body}"
    yield "no signature", f"Bearer {head}.{body}."
    yield "two tokens", f"Bearer {good} {good}"
    yield "expired", f"Bearer {issuer.token(who, -1)}"
    yield "for somebody else", f"Bearer {token(aud='elsewhere')}"
    yield "from somebody else", f"Bearer {token(iss='https://elsewhere')}"
    yield "not yet valid", f"Bearer {token(nbf=4_000_000_000)}"
    yield "without a role", f"Bearer {token(role='')}"
    yield "with a role of another type", f"Bearer {token(role=['fk.handler'])}"
    yield "without an organisation", f"Bearer {token(org_id=None)}"
    yield "without a user", f"Bearer {token(sub='')}"
    yield "signed by another with the same name", f"Bearer {Issuer(issuer.url).token(who)}"
    yield "changed after signing", f"Bearer {head}.{token(role='ops.operator').split('.')[1]}.{signature}"
    yield "unsigned (alg none)", f"Bearer {signed(None, 'none')}"
    yield "signed with the public key as a secret", f"Bearer {signed(pem.replace(b'-----', b''), 'HS256')}"
    yield "an RSA key under our key's name", f"Bearer {signed(rsa, 'RS256')}"
    yield "an unknown key", f"Bearer {signed(rsa, 'RS256', 'other')}"
    yield "without a key's name", f"Bearer {jwt.encode(claims, issuer._key, 'ES256')}"
    for name in ("exp", "iss", "aud", "sub", "role", "org_id", "org_type"):
        without = {k: v for k, v in claims.items() if k != name}
        yield f"without {name}", f"Bearer {jwt.encode(without, issuer._key, 'ES256', headers={'kid': KEY_ID})}"
    for alg in ("EdDSA", "RS256", "ES384", "HS256", "None", "x"):
        fake = base64url_encode(json.dumps({"alg": alg, "kid": KEY_ID}).encode()).decode()
        yield f"says {alg}", f"Bearer {fake}.{body}.{signature}"


async def test_a_token_that_must_not_be_believed_is_401(served: Served, issuer: Issuer) -> None:
    async with served.by(None) as client:
        for name, header in forged(issuer):
            answer = await client.get("/v1/counters", headers={"Authorization": header} if header else {})
            assert answer.status_code == 401, (name, answer.status_code, answer.text)
            is_problem(answer, 401, "not-authenticated")
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_nothing_behind_a_token_can_be_reached_without_one(served: Served) -> None:
    async with served.by(None) as client:
        for path, methods in (await client.get("/openapi.json")).json()["paths"].items():
            for method in methods:
                address = re.sub(r"\{.*?\}", "1", path)
                answer = await client.request(method, address)
                assert answer.status_code == (200 if path.startswith("/health/") else 401), (method, path)


async def test_another_role_is_403_and_is_told_which_it_takes(served: Served, opened: str) -> None:
    async with served.by("emp.hr") as hr:
        told = is_problem(await hr.put(opened, json=GOOD), 403, "role-not-allowed")
        assert "fk.handler" in told["do"]
        assert (await hr.post(f"{opened}/steps", json={"by": 1})).status_code == 201
        is_problem(await hr.get("/status"), 403, "role-not-allowed")


async def test_a_stranger_learns_nothing_from_a_body(served: Served) -> None:
    """Who may not act is told so, whatever the body holds."""
    async with served.by("emp.hr") as hr:
        is_problem(await hr.put(f"/v1/counters/{uuid4()}", json={"x": 1}), 403, "role-not-allowed")


# --- what the rules say ---


async def test_a_refusal_is_409_under_its_own_name(handler: httpx.AsyncClient, opened: str) -> None:
    await handler.post(f"{opened}/steps", json={"by": 60})
    is_problem(await handler.post(f"{opened}/steps", json={"by": 60}), 409, "too-far")


async def test_what_is_unknown_is_404(handler: httpx.AsyncClient) -> None:
    for path in (f"/v1/counters/{uuid4()}", f"/v1/counters/{uuid4()}/note"):
        answer = await handler.get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-counter")
    is_problem(await handler.get("/v1/nothing"), 404, "not-found")


async def test_a_wrong_value_that_only_the_rules_know_is_422_with_its_field(
    handler: httpx.AsyncClient, opened: str
) -> None:
    answer = await handler.post(f"{opened}/steps", json={"by": 13})
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (422, "/problems/unlucky", "by")


async def test_prose_where_a_code_belongs_is_422(handler: httpx.AsyncClient) -> None:
    answer = await handler.put(f"/v1/counters/{uuid4()}", json=GOOD | {"mark": MARK})
    is_problem(answer, 422, "not-a-code")


async def test_a_method_that_an_address_does_not_know_is_405(handler: httpx.AsyncClient) -> None:
    answer = await handler.delete("/v1/counters")
    is_problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("id", ["a%00b", "a%0D%0Ace-type:%20x", "a%20b", "%C3%A5", "x" * 201])
async def test_an_id_that_could_break_a_header_is_422(handler: httpx.AsyncClient, id: str) -> None:
    is_problem(await handler.put(f"/v1/names/{id}"), 422, "not-an-id", "id")


async def test_what_no_operator_can_mean_is_told_in_words(served: Served) -> None:
    async with served.by("ops.operator") as operator:
        for position in ("x", "0", "-1", "9" * 30):
            answer = await operator.post(f"/ops/dead-letters/notification/{position}/replay")
            is_problem(answer, 422, "invalid-input", "position")
        is_problem(await operator.post("/ops/rebuild/nothing"), 404, "unknown-view", "view")
        is_problem(await operator.get("/ops/views/nothing/digest"), 404, "unknown-view", "view")
        answer = await operator.post("/ops/dead-letters/nobody/1/replay")
        is_problem(answer, 404, "unknown-source", "source")


# --- again, and versions ---


async def test_the_same_request_again_gets_the_same_answer(handler: httpx.AsyncClient, opened: str) -> None:
    k = {"Idempotency-Key": str(uuid4())}
    first = await handler.post(f"{opened}/steps", json={"by": 60}, headers=k)
    again = await handler.post(f"{opened}/steps", content=b' {"by" : 60 }', headers=k | JSON)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    for name in ("etag", "samordna-position"):
        assert again.headers[name] == first.headers[name]
    assert (await handler.get(opened)).json()["total"] == 60


async def test_a_key_used_for_something_else_is_422(served: Served, handler: httpx.AsyncClient, opened: str) -> None:
    k = {"Idempotency-Key": str(uuid4())}
    await handler.post(f"{opened}/steps", json={"by": 1}, headers=k)
    for path, body in ((f"{opened}/steps", {"by": 2}), (f"/v1/counters/{uuid4()}/steps", {"by": 1})):
        answer = await handler.post(path, json=body, headers=k)
        is_problem(answer, 422, "idempotency-key-reused", "Idempotency-Key")
    async with served.by("fk.handler", user_ref=str(uuid4())) as other:  # a key belongs to its user
        assert (await other.post(f"{opened}/steps", json={"by": 2}, headers=k)).status_code == 201
    assert (await handler.get(opened)).json()["total"] == 3


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 256, "a\tb"])
async def test_a_key_that_is_none_is_422(handler: httpx.AsyncClient, opened: str, wrong: str) -> None:
    answer = await handler.post(f"{opened}/steps", json={"by": 1}, headers={"Idempotency-Key": wrong})
    is_problem(answer, 422, "invalid-idempotency-key", "Idempotency-Key")


async def test_a_change_needs_the_version_it_was_made_from(handler: httpx.AsyncClient, opened: str) -> None:
    is_problem(await handler.post(f"{opened}/close"), 428, "if-match-needed", "If-Match")
    await handler.post(f"{opened}/steps", json={"by": 1})
    for etag in ('"1"', '"3"', 'W/"1"', '"x"', "2", '"2", "3"', '"99999999999"'):
        answer = await handler.post(f"{opened}/close", headers={"If-Match": etag})
        assert (answer.status_code, answer.json()["type"]) == (412, "/problems/stale-version"), etag
    seen = (await handler.get(opened)).headers["etag"]
    assert (await handler.post(f"{opened}/close", headers={"If-Match": seen})).status_code == 200


# --- nothing that was sent comes back ---


HEADERS = ["Idempotency-Key", "If-Match", "Read-After", "X-Correlation-Id", "traceparent", "tracestate", "baggage",
           "Authorization", "Content-Type", "Content-Encoding", "Accept", "Cookie", "User-Agent", "Host", "Origin",
           "Referer", "X-Forwarded-For", "X-Request-Id"]  # fmt: skip


async def everywhere(client: httpx.AsyncClient) -> list[httpx.Response]:
    """The mark in every place of a request that there is."""
    id, good = f"/v1/counters/{uuid4()}", GOOD
    quoted, word = MARK.replace(" ", "%20"), MARK.replace(" ", "-")
    await client.put(id, json=good)
    asked = [
        client.get(f"/v1/{quoted}"), client.get(f"/v1/counters/{quoted}"), client.get(f"/v1/counters/{quoted}/"),
        client.get(f"/v1/names/{quoted}/"), client.put(f"/v1/names/{quoted}"), client.get(f"/v1/counters?{quoted}=1"),
        client.request(NAME.upper(), id), client.patch(f"{id}?{quoted}", json=MARK), client.get(f"{id}/{quoted}"),
        client.get(f"/ops/views/{quoted}/digest"),
    ]  # fmt: skip
    asked += [client.get("/v1/counters", params={p: MARK}) for p in ("after", "limit", "colour", "else")]
    for name in (*HEADERS, word):
        for value in (MARK, word, f"Bearer {word}", f"plan:{word}", f'"{word}"'):
            asked.append(client.post(f"{id}/steps", json={"by": 0}, headers={name: value}))
        asked.append(client.get(id, headers={name: MARK}))
        asked.append(client.post(f"{id}/close", headers={"If-Match": '"7"'} | {name: MARK}))
    for body in [b for b, _ in WRONG.values()] + [good | dict.fromkeys(("note", "mark", "checked"), MARK)]:
        asked.append(client.put(f"/v1/counters/{uuid4()}", json=body))
    for name in ("personRef", "colour", "note", "mark", "size", "tags", "begun", "at", "checked", MARK):
        for value in (MARK, [MARK], {MARK: MARK}, {"name": MARK}, [{"name": MARK * 3}], [{MARK: 1}], MARK * 100):
            asked.append(client.put(f"/v1/counters/{uuid4()}", json=good | {name: value}))
    asked += [client.put(id, content=c.encode()) for c in (MARK, f'{{"note": "{MARK}', f"[{MARK}]", f'"{MARK}" x')]
    asked.append(client.put(id, files={MARK: (MARK, MARK)}))
    return [await a for a in asked]


@pytest.fixture(scope="module")
async def answers(served: Served) -> list[httpx.Response]:
    async with served.by("fk.handler") as client:
        return await everywhere(client)


async def test_nothing_that_was_sent_is_repeated_in_an_answer(answers: list[httpx.Response]) -> None:
    for answer in answers:
        shown = f"{answer.headers} {answer.text}"
        assert not any(m in shown or m.lower() in shown for m in (NAME, NUMBER)), (answer.request, shown)
        assert answer.status_code < 500, (answer.request, answer.text)
    assert {a.status_code for a in answers} >= {401, 400, 404, 405, 412, 422}


async def test_an_error_of_ours_is_a_500_without_its_text(handler: httpx.AsyncClient) -> None:
    answer = await handler.post(f"/v1/counters/{uuid4()}/break", json=GOOD | {"note": MARK})
    is_problem(answer, 500, "unexpected")
    assert NAME not in answer.text
    assert (await handler.get("/health/live")).status_code == 200


async def test_what_was_sent_stands_neither_in_logs_nor_traces_nor_open_in_the_store_nor_on_the_bus(
    served: Served, handler: httpx.AsyncClient, nats_server: Nats, answers: list[httpx.Response]
) -> None:
    path = f"/v1/counters/{uuid4()}"
    await handler.put(path, json=GOOD | {"note": MARK}, headers={"Idempotency-Key": NUMBER})
    assert (await handler.get(f"{path}/note")).json() == {"note": MARK}
    await handler.post(f"{path}/break", json=GOOD | {"note": MARK})
    said = await _said(served)
    for mark in (NAME, NAME.upper(), NUMBER, NUMBER[2:8] + "-" + NUMBER[8:]):
        assert mark not in said
    assert '"event": "unexpected"' in said
    assert "RuntimeError" in said
    assert "break_down" in said, "the log says where it happened"
    assert "/counters/{counter_id}" in said, "spans name the route"
    for url in (served.settings.database_url, served.settings.keys_database_url):
        assert NAME not in await _dump(url)
    async with as_operator(nats_server) as bus:
        info = await ask(bus, "STREAM.INFO.PLAN")
        for n in range(1, info["state"]["last_seq"] + 1):
            message = await ask(bus, "STREAM.MSG.GET.PLAN", {"seq": n})
            assert not any(m in _decoded(message["message"]) for m in (NAME, NUMBER))


async def _said(served: Served) -> str:
    """All it said, once the last of it has been written."""
    mark = str(uuid4())
    async with served.by("fk.handler") as client, asyncio.timeout(10):
        trace = mark.replace("-", "")
        await client.get("/health/live", headers={"traceparent": f"00-{trace}-{trace[:16]}-01"})
        while trace not in served.said():  # noqa: ASYNC110 - a file tells nobody that it grew
            await asyncio.sleep(0.02)
    return served.said()


async def _dump(url: str) -> str:
    """Every row of every table, binary columns as the text they would be."""
    c = await asyncpg.connect(url)
    tables = await c.fetch(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'views')"
    )
    shown = [str(dict(row.items())) for (t,) in tables for row in await c.fetch(f"select * from {t}")]
    await c.close()
    return "\n".join(shown)


def _decoded(message: dict[str, str]) -> str:
    return message["subject"] + "".join(base64.b64decode(message.get(k, "")).decode() for k in ("hdrs", "data"))
