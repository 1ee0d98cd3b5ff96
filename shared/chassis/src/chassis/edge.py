"""Around every request: its size is bounded, its trace begins (or goes on), and nothing is half answered."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.heads import header
from chassis.http import JSON_LIMIT
from chassis.problems import Problem, unexpected
from chassis.spans import Recording
from chassis.telemetry import UNRECORDED, begin, recorded

PROBES = "/health/"
"""Who asks here asks again in a moment: no trace begins."""


class Edge:
    """ASGI middleware: one server span a request, and a limit on what may be sent in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = header(scope, b"traceparent")
        if caller is None and scope["path"].startswith(PROBES):
            await self._answer(scope, receive, send)
            return
        begun = begin(scope["method"], caller)
        if isinstance(begun, Recording):
            await self._recorded(begun, scope, receive, send)
            return
        before = UNRECORDED.set(begun)
        try:
            await self._answer(scope, receive, send)
        finally:
            UNRECORDED.reset(before)

    async def _recorded(self, span: Recording, scope: Scope, receive: Receive, send: Send) -> None:
        with recorded(span):
            status = await self._answer(scope, receive, send)
            path: str = getattr(scope.get("route"), "path", "unknown")
            span.name = f"{scope['method']} {path}"
            span.attributes |= {
                "http.request.method": scope["method"], "http.route": path, "http.response.status_code": status,
            }  # fmt: skip
            span.failed = status >= 500

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Let the app answer; gives the status. An unexpected error ends here: its text may hold what was sent, so
        neither the trace nor the server's own log may see it."""
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive), noted)
        except Exception as error:
            told = unexpected(error)
            if status == 0:
                await told(scope, receive, noted)
        return status or 500


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """A `receive` that stops with 413 once more has come than the end point takes."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        most = scope.get("samordna.limit", JSON_LIMIT)
        said = header(scope, b"content-length")
        if said is not None and said.isdecimal() and int(said) > most:
            raise too_large(most)
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise too_large(most)
        return message

    return bounded


def too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"The body is larger than the {most} bytes this address takes.",
                   do="Send less, or split it.", headers={"Connection": "close"})  # fmt: skip
