"""Files, from the upload to the shelf and back, and what becomes of those that are refused or never named."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
from pikepdf import Dictionary, Name, String

from plan_service.api.documents import examiner
from plan_service.documents.checking import MAX_BYTES, CannotCheck, Examiner
from plan_service.documents.signature import TEST_SIGNATURE


def made(pages: int = 1, scripted: bool = False, password: str | None = None) -> bytes:
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        if scripted:
            pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(owner="x", user=password) if password else False)
        return out.getvalue()


def another() -> bytes:
    """A plain PDF that nobody has sent before."""
    return made() + f"\n% {uuid4()}".encode()


async def kept(desk: Any, at: str) -> list[Any]:
    return await desk.running.runtime.pool.fetch(
        "select * from documents where employment_id = $1::uuid", at.rpartition("/")[2]
    )


async def test_a_file_is_kept_encrypted_and_given_back_as_it_was(desk: Any) -> None:
    at = await desk.registered()
    answer = await desk.uploaded(at)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["bytes"], told["pages"]) == (len(desk.pdf), 2)
    assert told["sha256"] == hashlib.sha256(desk.pdf).hexdigest()
    (row,) = await kept(desk, at)
    assert b"PDF" not in row["content"]
    for reader in (desk.a, desk.fk, desk.specialist):
        back = await reader.get(f"{at}/documents/{told['documentRef']}")
        assert (back.status_code, back.content) == (200, desk.pdf)
        assert back.headers["Content-Type"] == "application/pdf"
        assert back.headers["X-Content-Type-Options"] == "nosniff"
        assert back.headers["Cache-Control"] == "no-store"


async def test_the_same_file_again_is_the_same_document(desk: Any) -> None:
    at = await desk.registered()
    first, again = await desk.uploaded(at), await desk.uploaded(at)
    assert first.json() == again.json()
    assert len(await kept(desk, at)) == 1


async def test_a_file_of_one_employment_is_not_a_file_of_another(desk: Any) -> None:
    one, other = await desk.registered(), await desk.registered()
    ref = (await desk.uploaded(one)).json()["documentRef"]
    assert (await desk.fk.get(f"{other}/documents/{ref}")).status_code == 404
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "documentRef": ref}
    assert (await desk.a.post(f"{other}/plans", json=body)).json()["type"] == "/problems/unknown-document"


async def test_an_upload_is_no_fact_until_a_plan_names_it(desk: Any) -> None:
    at = await desk.registered()
    before = await desk.facts()
    await desk.uploaded(at)
    assert await desk.facts() == before


async def test_a_key_is_good_for_one_file(desk: Any) -> None:
    at, key = await desk.registered(), {"Idempotency-Key": str(uuid4())}
    first = await desk.a.post(f"{at}/documents", content=desk.pdf, headers=key)
    again = await desk.a.post(f"{at}/documents", content=desk.pdf, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = await desk.a.post(f"{at}/documents", content=another(), headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(await kept(desk, at)) == 1


@pytest.mark.parametrize(
    ("content", "status", "type"),
    [
        (b"PK\x03\x04 another kind of document", 415, "file-not-pdf"),
        (b"%PDF-1.7\nnothing more", 422, "file-unreadable"),
        (made(password="hemligt"), 422, "file-encrypted"),
        (made(scripted=True), 422, "file-scripted"),
        (made(pages=51), 422, "file-too-many-pages"),
        (TEST_SIGNATURE, 422, "file-malware"),
        (made() + TEST_SIGNATURE, 422, "file-malware"),
    ],
)
async def test_a_refused_file_counts_as_received_and_is_not_kept(
    desk: Any, content: bytes, status: int, type: str
) -> None:
    at = await desk.registered()
    await desk.fk.post(f"{at}/plan-requests", json={})
    answer = await desk.uploaded(at, content)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{type}")
    assert answer.json()["do"]
    assert await kept(desk, at) == []
    read = await desk.read(at, desk.a)
    fault = type.removeprefix("file-").replace("-", "_").upper()
    assert (read["planStatus"], read["fileFault"]) == ("RECEIVED", fault)
    assert "assessPlan" not in (await desk.read(at))["_links"]
    facts = await desk.facts()
    assert facts[-1] == "PlanFileRejected"
    assert (await desk.uploaded(at, content)).status_code == status
    assert await desk.facts() == facts


async def test_a_bad_file_that_fk_uploads_is_refused_and_the_employer_still_owes_its_plan(desk: Any) -> None:
    at, key = await desk.registered(), {"Idempotency-Key": str(uuid4())}
    await desk.fk.post(f"{at}/plan-requests", json={})
    before = await desk.facts()
    for content, status in ((b"a scan that went wrong", 415), (b"%PDF-" + b"\x00" * MAX_BYTES, 413)):
        answer = await desk.fk.post(f"{at}/documents", content=content)
        assert answer.status_code == status, answer.text
    first = await desk.fk.post(f"{at}/documents", content=TEST_SIGNATURE, headers=key)
    again = await desk.fk.post(f"{at}/documents", content=TEST_SIGNATURE, headers=key)
    assert [(a.status_code, a.json()["type"]) for a in (first, again)] == [(422, "/problems/file-malware")] * 2
    assert await desk.facts() == before
    read = await desk.read(at)
    assert (read["planStatus"], read.get("fileFault")) == ("REQUESTED", None)


async def test_a_file_that_is_too_large_is_refused_however_its_size_is_told(desk: Any) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"\x00" * (1 << 20)

    for body in (b"%PDF-" + b"\x00" * MAX_BYTES, in_pieces()):
        at = await desk.registered()
        answer = await desk.a.post(f"{at}/documents", content=body)
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/file-too-large")
        assert (await desk.read(at))["fileFault"] == "TOO_LARGE"
        assert (await desk.facts())[-1] == "PlanFileRejected"


async def test_an_empty_body_is_no_file_and_no_fact(desk: Any) -> None:
    at = await desk.registered()
    before = await desk.facts()
    answer = await desk.uploaded(at, b"")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/empty-file")
    assert await desk.facts() == before


async def test_a_refused_file_sent_again_with_its_key_is_refused_alike(desk: Any) -> None:
    at, key = await desk.registered(), {"Idempotency-Key": str(uuid4())}
    first = await desk.a.post(f"{at}/documents", content=b"no pdf", headers=key)
    again = await desk.a.post(f"{at}/documents", content=b"no pdf", headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())


class Away:
    """A scanner that gives no answer."""

    async def scan(self, content: bytes) -> bool:
        raise CannotCheck


@contextmanager
def scanned_by(desk: Any, scanner: Any) -> Generator[None, None, None]:
    overrides = desk.running.app.dependency_overrides
    overrides[examiner] = lambda: Examiner(scanner)
    yield
    del overrides[examiner]


async def test_while_the_scanner_is_away_nothing_is_taken_and_nobody_is_blamed(desk: Any) -> None:
    at = await desk.registered()
    before = await desk.facts()
    with scanned_by(desk, Away()):
        answer = await desk.uploaded(at)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert await desk.facts() == before
    assert await kept(desk, at) == []


async def test_fk_files_what_the_insured_brings_and_may_then_ask_the_employer(desk: Any) -> None:
    at = await desk.registered()
    ref = (await desk.fk.post(f"{at}/documents", content=desk.pdf)).json()["documentRef"]
    body = {"channel": "INSURED", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "documentRef": ref}
    first = await desk.fk.post(f"{at}/plans", json=body)
    assert first.status_code == 201
    assert (await desk.fk.post(f"{at}/plan-requests", json={})).status_code == 201
    answered = await desk.a.post(f"{at}/plans", json=body | {"channel": "PORTAL"})
    assert answered.status_code == 201
    assert answered.json()["planId"] != first.json()["planId"]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():  # noqa: ASYNC110 - what is waited for is done by a worker
            await asyncio.sleep(0.01)


async def test_a_file_that_no_plan_names_is_gone_after_a_day_and_one_that_is_named_stays(desk: Any) -> None:
    unused, used = await desk.registered(), await desk.registered()
    ref = (await desk.uploaded(unused)).json()["documentRef"]
    named = (await desk.uploaded(used)).json()["documentRef"]
    await desk.submitted(used, documentRef=named)
    body = {"channel": "PORTAL", "drawnUpOn": "2026-03-27", "employeeConsulted": True, "documentRef": ref}

    async def swept() -> bool:
        return not await kept(desk, unused)

    try:
        desk.running.now_is(desk.noon + timedelta(hours=23, minutes=1))
        late = await desk.a.post(f"{unused}/plans", json=body)
        assert (late.status_code, late.json()["type"]) == (422, "/problems/unknown-document")
        assert await kept(desk, unused)
        desk.running.now_is(desk.noon + timedelta(hours=24))
        await until(swept)
        assert (await desk.a.get(f"{used}/documents/{named}")).content == desk.pdf
        plan = (await desk.read(used))["plan"]["planId"]
        again = await desk.a.post(
            f"{used}/plans/{plan}/versions", json=body | {"documentRef": named}, headers=await desk.etag(used)
        )
        assert again.status_code == 201
    finally:
        desk.running.now_is(desk.noon)


async def test_a_file_that_is_sent_again_stays_another_day(desk: Any) -> None:
    again, witness = await desk.registered(), await desk.registered()
    await desk.uploaded(again)
    await desk.uploaded(witness)

    async def swept() -> bool:
        return not await kept(desk, witness)

    try:
        desk.running.now_is(desk.noon + timedelta(hours=20))
        await desk.uploaded(again)
        desk.running.now_is(desk.noon + timedelta(hours=25))
        await until(swept)
        assert await kept(desk, again)
    finally:
        desk.running.now_is(desk.noon)


async def test_the_service_may_note_but_not_change_a_file(desk: Any) -> None:
    at = await desk.registered()
    await desk.uploaded(at)
    pool = desk.running.runtime.pool
    with pytest.raises(Exception, match="permission denied"):
        await pool.execute("update documents set content = ''")
