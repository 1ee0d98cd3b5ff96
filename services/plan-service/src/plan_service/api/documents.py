"""Files: looked at, taken in or refused, given back."""

import hashlib
from functools import cache
from typing import Annotated, Any, assert_never
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from chassis.decider import Aggregate, Decider, Unknown
from chassis.envelope import Actor
from chassis.http import Act, Acting, Problem, limit
from contracts.plan import FileFault
from plan_service.api.bodies import DocumentTaken
from plan_service.api.employments import SFB_PLAN_DUTY
from plan_service.api.relation import Reader, Writer, of, own_org
from plan_service.documents.checking import MAX_BYTES, CannotCheck, Examiner, Fine
from plan_service.documents.scanners import scanner_from
from plan_service.documents.shelf import Shelf, document_ref
from plan_service.domain.commands import RecordFileRejected
from plan_service.domain.employment import employment
from plan_service.domain.situations import Registered
from plan_service.settings import PlanSettings

router = APIRouter(prefix="/employments/{employment_id}/documents", tags=["documents"])

PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


class DocumentUnknown(Unknown):
    reason = "There is no such file here."
    do = "Take the documentRef from the plan."


@cache
def examiner() -> Examiner:
    """The examiner of this process; tests put another in its place."""
    return Examiner(scanner_from(PlanSettings().scanner_url))


def shelf(request: Request) -> Shelf:
    return Shelf(request.app.state.runtime.pool, request.app.state.runtime.keys)


OnShelf = Annotated[Shelf, Depends(shelf)]

_leaves_no_fact: Aggregate[Any, Any, Any] = Aggregate("upload", Decider(None, lambda c, s: [], lambda s, f: s))
"""A file that is taken in is no fact until a plan names it; only the answer is remembered under the Idempotency-Key."""


@router.post(
    "",
    status_code=201,
    response_model=DocumentTaken,
    dependencies=[Depends(limit(MAX_BYTES))],
    openapi_extra={"requestBody": {"required": True, "content": PDF}},
    responses={
        413: {"description": "Larger than 10 MB"},
        415: {"description": "Not a PDF"},
        422: {"description": "Encrypted, scripted, more than 50 pages, unreadable, or infected"},
        503: {"description": "The file cannot be checked just now"},
    },
    summary="Upload a file",
    description="The PDF itself as the body, at most 10 MB and 50 pages, without scripts, attachments or encryption. "
    "It is kept encrypted, and thrown away after a day unless a plan names it. A refused file is not kept; when "
    "the employer sent it, the plan counts as received without a readable file.",
)
async def upload(
    employment_id: UUID, act: Act, who: Writer, request: Request, response: Response, put: OnShelf,
    examine: Annotated[Examiner, Depends(examiner)],
) -> DocumentTaken:  # fmt: skip
    situation = of(await act.load(employment, employment_id), who)
    content = await _read(request)
    act.body = hashlib.sha256(content).digest() if content is not None else b"too large"
    found = await _examined(examine, content)
    if isinstance(found, FileFault):
        sha256 = act.body.hex() if content is not None else None
        raise await _rejected(act, who, situation, found, sha256, response)
    ref = document_ref(employment_id, found.sha256)
    act.concerning(case_id=situation.employment.registration.case_id, legal_basis=SFB_PLAN_DUTY)
    await act(_leaves_no_fact, ref, None, answer={}, new=True)
    del response.headers["ETag"]
    subject = situation.employment.registration.person_ref
    await put.keep(employment_id, subject, found, content or b"", act.now, who.org_id)
    return DocumentTaken(document_ref=ref, sha256=found.sha256, bytes=found.bytes, pages=found.pages)


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is larger than may be sent; it is not read to its end then."""
    try:
        content = await request.body()
    except Problem as problem:
        if problem.status_code != 413:
            raise
        return None
    if not content:
        raise Problem(422, "empty-file", "The body is empty.", do="Send the PDF itself as the body.")
    return content


async def _examined(examine: Examiner, content: bytes | None) -> Fine | FileFault:
    if content is None:
        return FileFault.TOO_LARGE
    try:
        return await examine(content)
    except CannotCheck:
        raise Problem(
            503, "file-check-unavailable", "The file cannot be checked just now, so it was not taken in.",
            do="Send the same file again in a while.", headers={"Retry-After": "30"},
        ) from None  # fmt: skip


async def _rejected(
    act: Acting, who: Actor, situation: Registered, fault: FileFault, sha256: str | None, response: Response
) -> Problem:
    """Say why a file cannot be taken in; where the employer sent it, it is recorded that it came."""
    known = situation.employment.registration
    act.concerning(case_id=known.case_id, legal_basis=SFB_PLAN_DUTY)
    done = await act(
        employment,
        known.employment_id,
        RecordFileRejected(upload_id=act.new_id(), reason=fault, sha256=sha256, by_employer=own_org(who) is not None),
        answer={"fault": fault},
    )
    fault = FileFault(done.answer["fault"])
    status, reason, do = _told(fault)
    headers = {"Samordna-Position": response.headers["Samordna-Position"]}
    if fault is FileFault.TOO_LARGE:
        headers["Connection"] = "close"
    return Problem(status, f"file-{fault.lower().replace('_', '-')}", reason, do=do, field="body", headers=headers)


def _told(fault: FileFault) -> tuple[int, str, str]:
    """Status, what is wrong, and what to do."""
    match fault:
        case FileFault.TOO_LARGE:
            return 413, "The file is larger than 10 MB.", "Send it with smaller pictures, or in black and white."
        case FileFault.NOT_PDF:
            return 415, "The file is not a PDF.", "Save or print it as PDF and send that."
        case FileFault.ENCRYPTED:
            return 422, "The PDF is encrypted.", "Save it without password and restrictions."
        case FileFault.SCRIPTED:
            return (
                422,
                "The PDF holds scripts, attachments or actions of its own.",
                "Print it to a new PDF and send that.",
            )
        case FileFault.TOO_MANY_PAGES:
            return 422, "The PDF has more than 50 pages.", "Send the plan without its appendices."
        case FileFault.UNREADABLE:
            return 422, "The PDF cannot be read to its end.", "Open it yourself; if it is whole, print it to a new PDF."
        case FileFault.MALWARE:
            return (
                422,
                "The malware scanner found something in the file.",
                "Have your computer checked; make a new file.",
            )
        case _:
            assert_never(fault)


@router.get(
    "/{document_ref}",
    response_class=Response,
    responses={200: {"description": "The PDF", "content": PDF}},
    summary="Get a file back",
    description="The PDF as it was uploaded. FK and the employer whose employment it is.",
)
async def one(employment_id: UUID, document_ref: UUID, act: Act, who: Reader, put: OnShelf) -> Response:
    of(await act.load(employment, employment_id), who)
    content = await put.read(employment_id, document_ref)
    if content is None:
        raise DocumentUnknown
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="plan-{document_ref}.pdf"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "no-store",
        },
    )
