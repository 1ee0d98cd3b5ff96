"""How does a request get to its end point in few steps? What is the same for every request is found out once.

FastAPI walks through its routers and its trees of dependencies anew for each request, which costs more than all that
this house does for one. Here each end point's walk is written down at the start: which way leads to it, what it wants
to be given, how its answer is written. Only what is plain goes this way: a JSON body that says it is one, dependencies
that are coroutines or classes. Whatever is found wrong before the end point is called is handed to FastAPI, which looks
at it again and answers as it always does: there is one place that words refusals.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from fastapi import FastAPI
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import ResponseValidationError
from fastapi.params import Body
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.heads import header

JSON = "application/json"
NO_BODY = frozenset({*range(100, 200), 204, 205, 304})
_JSON_HEADER = (b"content-type", JSON.encode())


class AskOthers(Exception):
    """This request is not plain, or something is wrong with it: FastAPI knows what to answer."""


class Direct:
    """ASGI middleware inside the edge: plain requests go to their end points, all others to `others`."""

    def __init__(self, app: FastAPI, others: ASGIApp) -> None:
        self._app, self._others = app, others
        self._ways = ways(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] == "http" and not scope.get("root_path") and not self._app.dependency_overrides
        way = self._find(scope) if plain else None
        if way is None:
            await self._others(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            answer = await way(request)
        except AskOthers:
            await self._others(scope, _again(request, receive), send)
            return
        except Exception as error:
            answer = await self._told(request, error)
        if isinstance(answer, Response):
            await answer(scope, receive, send)
            return
        start, body = answer
        await send(start)
        await send(body)

    def _find(self, scope: Scope) -> "Way | None":
        """The first route that fits, as FastAPI would choose it; None for one that is not plain, or for none."""
        path: str = scope["path"]
        for fits, way in self._ways.get((scope["method"], path.count("/")), ()):
            found = fits(path)
            if found is not None:
                scope["path_params"] = found.groupdict()
                if way is not None:
                    scope["route"], scope["endpoint"] = way.route, way.endpoint
                return way
        return None

    async def _told(self, request: Request, error: Exception) -> Response:
        """What the app answers to an error; an error that nobody expects goes on to the edge."""
        handlers = cast(Mapping[Any, Callable[..., Any]], self._app.exception_handlers)
        handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
        if handler is None:
            raise error
        return await handler(request, error)


def _again(request: Request, receive: Receive) -> Receive:
    """A `receive` that gives the body once more if it has been read."""
    body: bytes | None = getattr(request, "_body", None)

    async def replayed() -> Message:
        nonlocal body
        if body is None:
            return await receive()
        told: Message = {"type": "http.request", "body": body, "more_body": False}
        body = None
        return told

    return replayed


Ways = dict[tuple[str, int], list[tuple[Callable[[str], re.Match[str] | None], "Way | None"]]]


def ways(app: FastAPI) -> Ways:
    """All routes by method and number of slashes, in FastAPI's order. A route whose paths have no fixed number of
    slashes ends the list: whatever is behind it may be meant for it."""
    found: Ways = {}
    for context in iter_route_contexts(app.routes):
        path, methods = context.path, context.methods
        if path is None or not methods or ":" in path:
            break
        way = Way(context) if isinstance(context.original_route, APIRoute) and is_plain(context) else None
        for method in methods:
            found.setdefault((method, path.count("/")), []).append((context.path_regex.match, way))
    return found


def is_plain(context: RouteContext) -> bool:
    """May this end point be reached without FastAPI's own machinery, with the same outcome?"""
    top: Dependant = context.dependant
    return (
        all(_plain(d) and (d is top or not d.body_params) for d in _all(top))
        and all(f.alias in context.param_convertors for d in _all(top) for f in d.path_params)
        and inspect.iscoroutinefunction(top.call)
        and len(top.body_params) <= 1
        and all(type(b.field_info) is Body and b.field_info.is_required() for b in top.body_params)
        and not context._embed_body_fields
        and context.response_field is not None
        and isinstance(context.response_class, DefaultPlaceholder)
        and context.max_body_size is None
    )


def _all(dependant: Dependant) -> list[Dependant]:
    return [dependant, *(found for d in dependant.dependencies for found in _all(d))]


def _plain(d: Dependant) -> bool:
    call = d.call
    return (inspect.iscoroutinefunction(call) or inspect.isclass(call)) and not (
        d.header_params or d.cookie_params or d.websocket_param_name or d.http_connection_param_name
        or d.background_tasks_param_name or d.security_scopes_param_name or d.own_oauth_scopes or d.concurrency
    )  # fmt: skip


class Way:
    """To one end point. `await way(request)` gives the two messages of the answer, or a Response the end point made."""

    def __init__(self, context: RouteContext) -> None:
        self.route, self.endpoint = context.original_route, context.dependant.call
        self._status: int = context.status_code or 200
        self._top = _Step(context.dependant)
        body = context.dependant.body_params
        self._body = body[0] if body else None
        self._field: Any = context.response_field
        self._written = {
            "include": context.response_model_include, "exclude": context.response_model_exclude,
            "by_alias": context.response_model_by_alias, "exclude_unset": context.response_model_exclude_unset,
            "exclude_defaults": context.response_model_exclude_defaults,
            "exclude_none": context.response_model_exclude_none,
        }  # fmt: skip

    async def __call__(self, request: Request) -> "Response | tuple[Message, Message]":
        given = None if self._body is None else await _json(request)
        answer = _blank()
        wanted = await self._top.wanted(request, answer, {})
        if self._body is not None:
            wanted[self._body.name], errors = self._body.validate(given, {}, loc=("body",))
            if errors:
                raise AskOthers
        told = await self._top.call(**wanted)
        return told if isinstance(told, Response) else self._messages(told, answer)

    def _messages(self, told: Any, answer: Response) -> "Response | tuple[Message, Message]":
        checked, errors = self._field.validate(told, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors)
        status: int = answer.status_code or self._status
        if status in NO_BODY:
            return Response(None, status, dict(answer.headers))
        body: bytes = self._field.serialize_json(checked, **self._written)
        headers = [(b"content-length", b"%d" % len(body)), _JSON_HEADER, *answer.raw_headers]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        return start, {"type": "http.response.body", "body": body}


class _Step:
    """A dependency, or the end point itself: what it is called with, and the steps before it."""

    def __init__(self, d: Dependant) -> None:
        assert d.call is not None
        self.call: Callable[..., Any] = d.call
        self._waits = inspect.iscoroutinefunction(d.call)
        self._before = [(s.name, s.use_cache, _Step(s)) for s in d.dependencies]
        self._path, self._query = d.path_params, d.query_params
        self._request, self._response = d.request_param_name, d.response_param_name

    async def wanted(self, request: Request, answer: Response, known: dict[Any, Any]) -> dict[str, Any]:
        """The arguments. Each dependency is asked once for a request, in FastAPI's order."""
        values: dict[str, Any] = {}
        for name, keep, step in self._before:
            if keep and step.call in known:
                made = known[step.call]
            else:
                arguments = await step.wanted(request, answer, known)
                made = known[step.call] = await step.call(**arguments) if step._waits else step.call(**arguments)
            if name is not None:
                values[name] = made
        for field in self._path:
            values[field.name], errors = field.validate(request.scope["path_params"][field.alias], values)
            if errors:
                raise AskOthers
        if self._query:
            values |= _checked(self._query, request.query_params)
        if self._request is not None:
            values[self._request] = request
        if self._response is not None:
            values[self._response] = answer
        return values


def _checked(fields: Any, given: Any) -> dict[str, Any]:
    values, errors = request_params_to_args(fields, given)
    if errors:
        raise AskOthers
    return values


async def _json(request: Request) -> Any:
    """The body, as FastAPI reads it. Raises AskOthers when it does not say that it is JSON, or is not."""
    if header(request.scope, b"content-type") != JSON:
        raise AskOthers
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError, ClientDisconnect):
        raise AskOthers from None


def _blank() -> Response:
    """What an end point may set headers and a status on, without the headers of a whole response."""
    answer = Response.__new__(Response)
    answer.raw_headers, answer.body, answer.background = [], b"", None
    answer.status_code = None  # type: ignore[assignment]
    return answer
