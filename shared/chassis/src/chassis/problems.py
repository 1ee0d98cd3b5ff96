"""What does a caller see when something is wrong? A problem document (RFC 9457): a stable type, the field, what to do.

Nothing that was sent is repeated back: it may hold a personal number.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from chassis.codec import NotACode
from chassis.connecting import LOST, passes
from chassis.decider import Invalid, Refused, Unknown
from chassis.keys import KeysUnavailable
from chassis.log import AppendFailed, LogUnavailable, LogWentBack
from chassis.perform import KeyReused, Stale
from chassis.telemetry import get_logger

log_line = get_logger(__name__)
MEDIA = "application/problem+json"

PLAIN_MESSAGES = {
    "missing",
    "extra_forbidden",
    "enum",
    "literal_error",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "multiple_of",
    "string_too_short",
    "string_too_long",
    "string_type",
    "int_type",
    "bool_type",
    "list_type",
    "too_long",
    "too_short",
    "date_type",
    "uuid_type",
    "timezone_aware",
    "value_error",
}
"""Validation errors whose message cannot hold any of the input; others get a general one."""


class Problem(HTTPException):
    """An answer that only the edge can give (size, format, credentials). `code` becomes the type's last part."""

    def __init__(self, status: int, code: str, detail: str, *, do: str | None = None, field: str | None = None,
                 headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code, self.do, self.field, self.extra = code, do, field, extra


def kebab(name: str) -> str:
    """`PlanAlreadyAssessed` -> `plan-already-assessed`"""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def problem(status: int, code: str, detail: str, *, do: str | None = None, field: str | None = None,
            errors: Sequence[Mapping[str, str]] | None = None, headers: Mapping[str, str] | None = None,
            extra: Mapping[str, Any] | None = None) -> JSONResponse:  # fmt: skip
    """A problem document as a response."""
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    body |= {k: v for k, v in {"field": field, "do": do, "errors": errors}.items() if v}
    body |= extra or {}
    return JSONResponse(body, status, dict(headers) if headers else None, media_type=MEDIA)


def install(app: FastAPI) -> None:
    """Make every error of this app a problem document."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        status = 404 if isinstance(error, Unknown) else 422 if isinstance(error, Invalid) else 409
        field = error.field if isinstance(error, Invalid) else None
        return problem(status, kebab(type(error).__name__), error.reason, do=error.do or None, field=field)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        if isinstance(error, Problem):
            return problem(error.status_code, error.code, error.detail, do=error.do, field=error.field,
                           headers=error.headers, extra=error.extra)  # fmt: skip
        code, detail, do = STANDARD.get(error.status_code, ("http-error", "The request could not be handled.", None))
        return problem(error.status_code, code, detail, do=do, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _invalid(error)

    async def known(_: Request, error: Exception) -> JSONResponse:
        return unexpected(error)

    for kind in (Stale, KeyReused, LogUnavailable, LogWentBack, AppendFailed, KeysUnavailable, NotACode, *LOST):
        app.add_exception_handler(kind, known)


STANDARD: dict[int, tuple[str, str, str | None]] = {
    400: ("malformed-request", "The request could not be read.", "Send a JSON document in UTF-8."),
    404: ("not-found", "There is nothing here.", "Check the address."),
    405: ("method-not-allowed", "This address does not answer that method.", "See /docs for what it answers."),
}


def _invalid(error: RequestValidationError) -> JSONResponse:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return problem(400, "malformed-json", "The body is not a JSON document.", do="Send valid JSON in UTF-8.")
    errors = [_entry(e) for e in found]
    return problem(
        422, "invalid-input", "One or more fields are missing or wrong.", errors=errors, field=errors[0]["field"],
        do="Correct the fields listed under `errors` and send the request again.",
    )  # fmt: skip


def _entry(e: Mapping[str, Any]) -> dict[str, str]:
    parts = [str(p) for p in e["loc"] if p not in ("body", "query", "path", "header")]
    if e["type"] == "extra_forbidden":
        where = ".".join(parts[:-1]) or "body"
        return {"field": where, "problem": "Holds a field that is not known here. See /docs for the fields there are."}
    message = str(e["msg"]).removeprefix("Value error, ") if e["type"] in PLAIN_MESSAGES else "Has the wrong form."
    return {"field": ".".join(parts) or "body", "problem": message}


def unexpected(error: Exception) -> JSONResponse:
    """What is answered to an error that no rule raised; its text goes nowhere."""
    again = {"Retry-After": "2"}
    match error:
        case Stale():
            return problem(412, "stale-version", "It has been changed since you read it.",
                           do="Read it again and send If-Match with its new ETag.")  # fmt: skip
        case KeyReused():
            return problem(422, "idempotency-key-reused", "This Idempotency-Key was used before for another request.",
                           field="Idempotency-Key", do="Use a new key for a new request.")  # fmt: skip
        case LogWentBack():
            return problem(503, "log-behind-stream", "The service has stopped taking writes: its log is incomplete.",
                           do="The operator has been told. Try again later.", headers=again)  # fmt: skip
        case NotACode():
            return problem(422, "not-a-code", "A field that holds a code was given something else.",
                           do="Send the code as documented.")  # fmt: skip
        case _ if isinstance(error, LogUnavailable | KeysUnavailable) or passes(error) or _lost_in_sqlalchemy(error):
            return problem(503, "temporarily-unavailable", "The service cannot reach its database just now.",
                           do="Send the same request again, with the same Idempotency-Key.", headers=again)  # fmt: skip
        case _:
            log_line.error("unexpected", kind=type(error).__name__, exc_info=_quiet(error))
            return problem(500, "unexpected", "Something went wrong here. Nothing was half done.",
                           do="Try again; if it stays, tell us the time of the request.")  # fmt: skip


def _lost_in_sqlalchemy(error: Exception) -> bool:
    """A read whose connection was lost, in SQLAlchemy's wrapping."""
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig.__cause__ if error.orig is not None else None
    return error.connection_invalidated or (cause is not None and passes(cause))


def _quiet(error: Exception) -> BaseException:
    """The error for the log without its text, which may repeat what was sent; its traceback says where."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
