"""Who is calling? A bearer JWT, checked against the issuer's public keys; claims name organisation, role and user.

One place decides whether a role may call an end point (`allow`). Relations, consent and disclosure belong beside it.
"""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import httpx
import jwt
from fastapi import Depends, Request

from chassis.envelope import Actor
from chassis.heads import header
from chassis.problems import Problem
from chassis.telemetry import get_logger

log_line = get_logger(__name__)

ALGORITHMS = ["ES256", "EdDSA", "RS256"]
KEYS_LAST = 300.0
"""Seconds before the issuer's keys are fetched again."""

ASK_AGAIN_AFTER = 5.0
"""Seconds between fetches for a key that is not known."""

REMEMBERED = 10_000
CLAIMS = ("org_type", "org_id", "role", "sub", "exp")
_PERSONS = re.compile(r"(?:\d{2})?\d{2}[01]\d{3}[-+]?\d{4}").fullmatch
"""The form of a personal number (and of a sole trader's organisation number), which no legal person's number has."""

Fetch = Callable[[], Awaitable[dict[str, Any]]]


class Verifier:
    """Checks tokens. A token that has been checked is remembered by its hash until it expires."""

    def __init__(
        self, issuer: str, audience: str, fetch: Fetch, now: Callable[[], float] = time.time, *,
        parties: Mapping[str, str] | None = None, secret: bytes = b"",
    ) -> None:  # fmt: skip
        self._issuer, self._audience, self._fetch, self._now = issuer, audience, fetch, now
        self._parties, self._secret = parties, secret
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -1e9
        self._known: dict[bytes, tuple[Actor, float]] = {}
        self._fetching = asyncio.Lock()

    async def actor(self, token: str) -> Actor:
        """Who the token speaks for. Raises a 401 Problem (503 when the issuer's keys cannot be had)."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and known[1] > self._now():
            return known[0]
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token, key, algorithms=ALGORITHMS, audience=self._audience, issuer=self._issuer,
                options={"require": [*CLAIMS, "iss", "aud"]},
            )  # fmt: skip
        except jwt.PyJWTError:
            raise unauthorized() from None
        if not all(isinstance(claims[c], str) and claims[c] for c in CLAIMS[:4]):
            raise unauthorized()
        actor = self._actor(claims)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[digest] = (actor, float(claims["exp"]))
        return actor

    def _actor(self, claims: Mapping[str, Any]) -> Actor:
        """Raises a 403 Problem for a role that does not belong to the organisation's type, or a person as one."""
        role, org_type, org_id = claims["role"], claims["org_type"], claims["org_id"]
        if self._parties is not None and self._parties.get(role.partition(".")[0]) != org_type:
            raise not_together()
        if _PERSONS(org_id):
            raise not_together()
        return Actor(org_type=org_type, org_id=org_id, role=role, user_ref=self._pseudonym(claims["sub"]))

    def _pseudonym(self, sub: str) -> str:
        """A UUID stays as it is; anything else an issuer calls its users by (a personal number, say) is never stored:
        a keyed hash stands for it."""
        try:
            return str(UUID(sub))
        except ValueError:
            digest = hmac.digest(self._secret, f"{self._issuer}|{sub}".encode(), "sha256")
            return str(UUID(bytes=digest[:16]))

    async def _key(self, kid: str) -> jwt.PyJWK:
        if kid not in self._keys or self._now() - self._fetched_at > KEYS_LAST:
            async with self._fetching:
                stale = kid not in self._keys or self._now() - self._fetched_at > KEYS_LAST
                if stale and (not self._keys or self._now() - self._tried_at > ASK_AGAIN_AFTER):
                    await self._refresh()
        if kid not in self._keys:
            raise jwt.InvalidKeyError
        return self._keys[kid]

    async def _refresh(self) -> None:
        self._tried_at = self._now()
        try:
            found = jwt.PyJWKSet.from_dict(await self._fetch())
        except (httpx.HTTPError, OSError, ValueError, jwt.PyJWTError) as error:
            log_line.warning("issuer.unreachable", why=type(error).__name__)
            if not self._keys:
                raise Problem(
                    503, "issuer-unavailable", "The issuer's keys cannot be read just now.",
                    do="Try again in a moment.",
                    headers={"Retry-After": "2"},
                ) from None  # fmt: skip
            return  # the keys we have still hold
        self._keys = {k.key_id or "": k for k in found.keys}  # each bound to its own algorithm
        self._fetched_at = self._now()


def fetch_jwks(url: str) -> Fetch:
    async def fetch() -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(url)
            return answer.raise_for_status().json()

    return fetch


def unauthorized() -> Problem:
    return Problem(
        401, "not-authenticated", "A valid bearer token is needed.", headers={"WWW-Authenticate": "Bearer"},
        do="Log in and send the token in the Authorization header.",
    )  # fmt: skip


def not_together() -> Problem:
    return Problem(
        403, "role-of-another-party", "This role does not belong to that kind of organisation.",
        do="Log in with a role of your own organisation.",
    )  # fmt: skip


async def authenticated(request: Request) -> Actor:
    """The caller, found out once for a request. 401 without a valid token."""
    scope = request.scope
    known: Actor | None = scope.get(_CALLER)
    if known is None:
        kind, _, token = (header(scope, b"authorization") or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise unauthorized()
        verifier: Verifier = scope["app"].state.runtime.verifier
        known = scope[_CALLER] = await verifier.actor(token)
    return known


_CALLER = "samordna.caller"


def allow(*roles: str) -> Any:
    """For `who: Annotated[Actor, allow("fk.handler", "emp.hr")]`: 401 without a token, 403 for any other role."""

    async def check(request: Request) -> Actor:
        actor = await authenticated(request)
        if actor.role not in roles:
            raise Problem(403, "role-not-allowed", "Your role may not do this.",
                          do=f"It takes one of: {', '.join(sorted(roles))}.")  # fmt: skip
        return actor

    check.roles = roles  # type: ignore[attr-defined]
    return Depends(check)
