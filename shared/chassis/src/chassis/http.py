"""The house's manners over HTTP: keys that make a retry safe, versions, position tokens, pages that miss no tie.

Idempotency-Key        the same request again gets the first answer again
If-Match / ETag        a change of what has changed meanwhile is refused (412)
Samordna-Position      how far the log was after a write, for example `plan:57`
Read-After             a read that brings such a position waits until it is covered
"""

import base64
import contextlib
import hmac
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import hashed_id, new_id
from chassis.decider import Aggregate
from chassis.envelope import Actor
from chassis.identity import allow, authenticated
from chassis.log import Key
from chassis.perform import Context, Done, Look
from chassis.problems import Problem
from chassis.telemetry import remote
from chassis.view import View

C = TypeVar("C")
S = TypeVar("S")
F = TypeVar("F")
R = TypeVar("R")

JSON_LIMIT = 64 * 1024
"""Bytes a JSON body may have; an end point for files raises it with `limit`."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}").fullmatch
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"').fullmatch

__all__ = ["Act", "Acting", "Body", "Page", "Paging", "Problem", "Reads", "allow", "limit", "paged"]


class Body(BaseModel):
    """A request or response body: camelCase names, no unknown fields, no surrounding white space kept."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True, frozen=True
    )


class Acting:
    """What an end point needs to act: who asks, when, and `await act(aggregate, id, command)`."""

    def __init__(self, request: Request, response: Response, actor: Actor) -> None:
        self._request, self._response, self.actor = request, response, actor
        self._runtime = request.app.state.runtime
        self._said: dict[bytes, bytes] = dict(reversed(request.scope["headers"]))  # of several with a name, the first
        self.now: datetime = self._runtime.clock.now()
        self.body: bytes | None = None
        """Set by an end point that reads its body itself: what the Idempotency-Key is compared by."""
        self.tells_version = True
        """False where the caller may not read what it writes to: how often that changes would tell something. There is
        no ETag then, and no guessing with If-Match."""
        self._case_id: UUID | None = None
        self._legal_basis: str | None = None
        self._consent_ids: tuple[UUID, ...] = ()
        self._own_match = False

    @staticmethod
    def new_id() -> UUID:
        return new_id()

    def concerning(
        self, case_id: UUID | None = None, legal_basis: str | None = None, consent_ids: tuple[UUID, ...] = ()
    ) -> None:
        """The case, the legal basis and the consents that the facts will carry in their envelope."""
        self._case_id, self._legal_basis, self._consent_ids = case_id, legal_basis, consent_ids

    def match(self, needed: bool = False) -> int | None:
        """If-Match, for what has a version of its own within a stream: the end point compares it, and says `etag`."""
        given, self._own_match = self._if_match(needed), True
        return given

    def etag(self, version: int) -> None:
        """The version of what was changed, where it is not the stream's."""
        self._response.headers["ETag"] = f'"{version}"'

    async def load(self, aggregate: Aggregate[C, S, F], id: Any) -> S:
        """The state now, with sealed fields opened."""
        state, _ = await self._runtime.perform.load(aggregate, id)
        return state

    async def look(self, aggregate: Aggregate[C, S, F], id: Any) -> tuple[S, tuple[str, int]]:
        """The state now, and the guard that holds it still."""
        state, version = await self._runtime.perform.load(aggregate, id)
        return state, (aggregate.stream(id), version)

    async def __call__(
        self, aggregate: Aggregate[C, S, F], id: Any, command: C, *,
        answer: Mapping[str, Any] | Callable[[S, Sequence[F]], Mapping[str, Any]] | None = None,
        guards: Sequence[tuple[str, int]] = (), new: bool = False, match_needed: bool = False,
    ) -> Done:  # fmt: skip
        """Perform a command for this request. Sets ETag and Samordna-Position on the response.

        `answer` is known beforehand, or told from the state that was decided on and the facts that followed: others may
        have changed it since the caller looked."""
        self._runtime.must_be_writable()
        told = answer if callable(answer) else None
        known = None if callable(answer) else answer
        done = await self._runtime.perform(
            aggregate, id, command, self._context(), key=await self._key(known or {}),
            if_match=self._if_match(match_needed), guards=guards, new=new, answering=told,
        )  # fmt: skip
        return self._told(done, known)

    async def guarded(
        self, aggregate: Aggregate[C, S, F], id: Any, look: Look[C], *,
        answer: Mapping[str, Any] | Callable[[S, Sequence[F]], Mapping[str, Any]] | None = None,
        match_needed: bool = False,
    ) -> Done:  # fmt: skip
        """Perform a command that rests on other streams (see `Performer.guarded`). `look` reads them anew each time."""
        self._runtime.must_be_writable()
        told = answer if callable(answer) else None
        known = None if callable(answer) else answer
        done = await self._runtime.perform.guarded(
            aggregate, id, look, self._context(), key=await self._key(known or {}),
            if_match=self._if_match(match_needed), answering=told,
        )  # fmt: skip
        return self._told(done, known)

    async def answered(self) -> Done | None:
        """The first answer to this request, where it was done before under its key. For an end point that finds its
        stream by what may have changed since: it asks before it looks. Raises KeyReused."""
        done = await self._runtime.perform.answered(await self._key({}))
        return None if done is None else self._told(done, None)

    async def beside(self, aggregate: Aggregate[C, S, F], id: Any, command: C) -> Done:
        """Perform a command on the way to the one that answers this request. It is not covered by the request's key or
        If-Match, so it must be one that changes nothing when it is asked again."""
        self._runtime.must_be_writable()
        return await self._runtime.perform(aggregate, id, command, self._context())

    def _told(self, done: Done, known: Mapping[str, Any] | None) -> Done:
        if self.tells_version:
            self._response.headers["ETag"] = f'"{done.version}"'
        self._response.headers["Samordna-Position"] = f"{self._runtime.name}:{done.position}"
        if done.repeated or known is None:
            return done
        return Done(known, done.version, done.position, False, done.facts)

    def _context(self) -> Context:
        return Context(
            actor=self.actor, now=self.now, case_id=self._case_id, correlation_id=self._correlation_id(),
            legal_basis=self._legal_basis, consent_ids=self._consent_ids,
        )  # fmt: skip

    def _correlation_id(self) -> UUID:
        if (said := self._header(b"x-correlation-id")) is not None:
            with contextlib.suppress(ValueError):
                return UUID(said)
        trace = remote(self._header(b"traceparent"))
        return new_id() if trace is None else UUID(int=trace.trace_id)

    def _header(self, name: bytes) -> str | None:
        said = self._said.get(name)
        return None if said is None else said.decode("latin-1")

    async def _key(self, answer: Mapping[str, Any]) -> Key | None:
        given = self._header(b"idempotency-key")
        if given is None:
            return None
        if not _KEY(given):
            raise Problem(422, "invalid-idempotency-key", "An Idempotency-Key is 1 to 255 visible ASCII characters.",
                          field="Idempotency-Key", do="Send for example a UUID.")  # fmt: skip
        a = self.actor
        id = hashed_id("key", a.org_type, a.org_id, a.user_ref, given)
        body = self.body if self.body is not None else _canonical(await self._request.body())
        said = f"{self._request.method} {self._request.scope['path']}\n".encode() + body
        return Key(id, hmac.digest(self._runtime.secret, said, "sha256")[:16], msgspec.json.encode(answer))

    def _if_match(self, needed: bool) -> int | None:
        if self._own_match:
            return None
        given = self._header(b"if-match") if self.tells_version else None
        if given is None or given == "*":
            if needed and given is None:
                raise Problem(428, "if-match-needed", "This change needs an If-Match header.", field="If-Match",
                              do="Read the resource and send its ETag in If-Match.")  # fmt: skip
            return None
        match = _ETAG(given)
        if match is None:
            raise Problem(412, "stale-version", "If-Match is not an ETag of this resource.", field="If-Match",
                          do="Read the resource and send its ETag in If-Match.")  # fmt: skip
        return int(match[1])


def _canonical(body: bytes) -> bytes:
    """The same JSON written differently is the same request."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="sorted")
    except msgspec.MsgspecError:
        return body


async def acting(request: Request, response: Response) -> Acting:
    return Acting(request, response, await authenticated(request))


Act = Annotated[Acting, Depends(acting)]


class Reading:
    """`async with read(view) as connection`: a connection to read with, once `view` (or each of several) covers all
    that was written before this request arrived, here and (as far as Read-After says) elsewhere."""

    def __init__(self, request: Request) -> None:
        self._runtime = request.app.state.runtime
        self._after = positions(request.headers.get("read-after"))

    @asynccontextmanager
    async def __call__(self, *views: View[Any]) -> AsyncGenerator[AsyncConnection, None]:
        for view in views:
            await self._runtime.caught_up(view, self._after)
        async with self._runtime.engine.connect() as connection:
            yield connection

    async def load(self, aggregate: Aggregate[C, S, F], id: Any) -> tuple[S, int]:
        """A stream's state and version, sealed fields opened, after waiting for Read-After."""
        await self._runtime.covered(self._after)
        return await self._runtime.perform.load(aggregate, id)


Reads = Annotated[Reading, Depends(Reading)]


def positions(header: str | None) -> dict[str, int]:
    """`plan:57, case:9` as a dictionary. Raises a 422 Problem."""
    found: dict[str, int] = {}
    for part in (header or "").split(","):
        service, colon, position = part.strip().partition(":")
        if colon and position.isdecimal() and len(position) <= 18:
            found[service] = int(position)
        elif part.strip():
            raise Problem(422, "invalid-read-after", "Read-After holds positions such as plan:57.", field="Read-After",
                          do="Send back what Samordna-Position said.")  # fmt: skip
    return found


# --- pages ---


class Paging:
    """Where a page begins and how long it is. `after` is the sort key of the last row seen, its unique id included.

    A cursor is signed for its address, so that only what this service gave out comes back in `after`."""

    def __init__(
        self,
        request: Request,
        after: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="Rows a page holds")] = 50,
    ) -> None:
        self._secret: bytes = request.app.state.runtime.secret
        self._path: str = request.scope["path"]
        self.limit = limit
        self.after: tuple[Any, ...] | None = None if after is None else self._open(after)

    def cursor(self, values: tuple[Any, ...]) -> str:
        """`after` for the page that begins behind these values: text, numbers, dates, times and UUIDs."""
        marked = [
            ["d", v.isoformat()] if isinstance(v, datetime) else ["D", v.isoformat()] if isinstance(v, date)
            else ["u", str(v)] if isinstance(v, UUID) else ["", v]
            for v in values
        ]  # fmt: skip
        text = json.dumps(marked, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._seal(text) + text).decode().rstrip("=")

    def _open(self, cursor: str) -> tuple[Any, ...]:
        with contextlib.suppress(ValueError):
            both = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            seal, text = both[:_SEAL], both[_SEAL:]
            if hmac.compare_digest(seal, self._seal(text)):
                return tuple(_OPEN[kind](value) for kind, value in json.loads(text))
        raise Problem(422, "invalid-cursor", "This is not the `next` of a page.", field="after",
                      do="Begin without `after`, then send what `next` said.")  # fmt: skip

    def _seal(self, text: bytes) -> bytes:
        return hmac.digest(self._secret, f"cursor {self._path}\n".encode() + text, "sha256")[:_SEAL]


_SEAL = 9
_OPEN: dict[str, Callable[[Any], Any]] = {
    "d": datetime.fromisoformat, "D": date.fromisoformat, "u": UUID, "": lambda v: v,
}  # fmt: skip

Page = Annotated[Paging, Depends(Paging)]


def paged(rows: Sequence[R], page: Paging, key: Callable[[R], tuple[Any, ...]]) -> dict[str, Any]:
    """A page of `rows`, fetched with one row more than `page.limit` to see whether there is a next."""
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return {"items": shown, "next": page.cursor(key(shown[-1])) if more else None}


# --- sizes ---


def limit(most: int) -> Callable[[Request], Any]:
    """For `Depends(limit(n))`: this end point takes up to n bytes instead of JSON_LIMIT."""

    async def raise_limit(request: Request) -> None:
        request.scope["samordna.limit"] = most

    return raise_limit
