"""One key per person: sealed fields are encrypted with it, and forgetting a person means destroying it.

AES-256-GCM. A person's key is random, wrapped by the master key, and kept in a database of its own, so that a backup
of the events never holds what opens them. A key is durable before the first fact sealed with it is.
"""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.batching import Batcher
from chassis.chance import Chance
from chassis.decider import Refused

MAKE = (
    "insert into subject_keys(subject, wrapped) select * from unnest($1::uuid[], $2::bytea[]) "
    "on conflict do nothing returning subject"
)
FIND = "select subject, wrapped from subject_keys where subject = any($1)"

_V1 = b"\x01"
NONCE = 12
_nonce = Chance(NONCE)


class KeysUnavailable(Exception):
    """The key database does not answer. Nothing that needs sealing can be written meanwhile."""


class PersonForgotten(Refused):
    """The person's key has been destroyed, and nobody gets a second one."""

    reason = "This person has been forgotten; nothing more can be kept about them."


class WrongMasterKey(Exception):
    """The master key does not open the keys that are there."""


class Keys(Protocol):
    """Seals and opens under a person's (or another party's) key."""

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        """Encrypt; makes the subject's key if there is none. `aad` binds the result to its place.

        Raises PersonForgotten, KeysUnavailable."""
        ...

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        """Decrypt, or None when the key has been destroyed. Raises InvalidTag when the bytes were tampered with."""
        ...


def encrypt(cipher: AESGCM, aad: bytes, plain: bytes) -> bytes:
    nonce = _nonce()
    return _V1 + nonce + cipher.encrypt(nonce, plain, aad)


def decrypt(cipher: AESGCM, aad: bytes, sealed: bytes) -> bytes:
    if sealed[:1] != _V1:
        raise InvalidTag
    return cipher.decrypt(sealed[1 : NONCE + 1], sealed[NONCE + 1 :], aad)


def read_master_key(path: Path) -> bytes:
    """The 32-byte master key from a file that holds it in base64. Raises ValueError with what to do."""
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"The master key file {path} cannot be read as base64. Write 32 random bytes in base64 to it."
        ) from error
    if len(key) != 32:
        raise ValueError(f"The master key in {path} is {len(key)} bytes long; it must be 32.")
    return key


class MemoryKeys:
    """The in-memory twin, for unit tests."""

    def __init__(self) -> None:
        self._ciphers: dict[UUID, AESGCM] = {}
        self.forgotten: set[UUID] = set()

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        if subject in self.forgotten:
            raise PersonForgotten
        if subject not in self._ciphers:
            self._ciphers[subject] = AESGCM(AESGCM.generate_key(256))
        return encrypt(self._ciphers[subject], aad, plain)

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        cipher = self._ciphers.get(subject)
        return None if cipher is None else decrypt(cipher, aad, sealed)

    async def forget(self, subject: UUID) -> None:
        self._ciphers.pop(subject, None)
        self.forgotten.add(subject)


class PostgresKeys:
    """Keys in their own database. Asked-for keys are fetched or made in batches; recent ones stay in memory."""

    def __init__(self, pool: asyncpg.Pool, master: bytes, cached: int = 50_000) -> None:
        self._pool, self._master, self._limit = pool, AESGCM(master), cached
        self._ciphers: dict[UUID, AESGCM] = {}
        self._make: Batcher[UUID, AESGCM | None] = Batcher(self._fetch_or_make)
        self._find: Batcher[UUID, AESGCM | None] = Batcher(self._fetch)

    async def check(self) -> None:
        """Raise WrongMasterKey unless the master key opens what is there: else new keys would be wrapped by another."""
        async with self._pool.acquire() as c:
            row = await c.fetchrow("select subject, wrapped from subject_keys where wrapped is not null limit 1")
        try:
            if row is not None:
                self._unwrap(*row)
        except InvalidTag:
            raise WrongMasterKey(
                "The master key does not open the keys in this database. Give the key that wrapped them "
                "(SAMORDNA_MASTER_KEY_FILE)."
            ) from None

    async def seal(self, subject: UUID, aad: bytes, plain: bytes) -> bytes:
        cipher = self._ciphers.get(subject) or await self._make(subject)
        if cipher is None:
            raise PersonForgotten
        return encrypt(cipher, aad, plain)

    async def open(self, subject: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        cipher = self._ciphers.get(subject) or await self._find(subject)
        return None if cipher is None else decrypt(cipher, aad, sealed)

    async def forget(self, subject: UUID) -> None:
        """Destroy the key. What it sealed can never be read again, here or in any copy of the log."""
        async with self._pool.acquire() as c:
            await c.execute(
                "insert into subject_keys(subject, wrapped, forgotten_at) values ($1, null, now()) "
                "on conflict (subject) do update set wrapped = null, forgotten_at = now()",
                subject,
            )
        self._ciphers.pop(subject, None)

    async def _fetch_or_make(self, subjects: list[UUID]) -> list[AESGCM | None]:
        fresh = {s: AESGCM.generate_key(256) for s in subjects}
        made = await self._ask(MAKE, subjects, [self._wrap(s, key) for s, key in fresh.items()])
        found: dict[UUID, AESGCM | None] = {row[0]: AESGCM(fresh[row[0]]) for row in made}
        self._remember(found.items())
        if others := [s for s in subjects if s not in found]:  # who has a key already, or never gets one again
            found |= zip(others, await self._fetch(others), strict=True)
        return [found[s] for s in subjects]

    async def _fetch(self, subjects: list[UUID]) -> list[AESGCM | None]:
        found = {row[0]: self._unwrap(*row) for row in await self._ask(FIND, subjects)}
        self._remember(found.items())
        return [found.get(s) for s in subjects]

    async def _ask(self, sql: str, *arguments: Any) -> Sequence[Any]:
        try:
            async with self._pool.acquire() as c:
                return await c.fetch(sql, *arguments)
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise KeysUnavailable("The key database does not answer.") from error

    def _remember(self, found: Iterable[tuple[UUID, AESGCM | None]]) -> None:
        for subject, cipher in found:
            if cipher is not None:
                self._ciphers[subject] = cipher
        while len(self._ciphers) > self._limit:
            self._ciphers.pop(next(iter(self._ciphers)))

    def _wrap(self, subject: UUID, key: bytes) -> bytes:
        return encrypt(self._master, subject.bytes, key)

    def _unwrap(self, subject: UUID, wrapped: bytes | None) -> AESGCM | None:
        return None if wrapped is None else AESGCM(decrypt(self._master, subject.bytes, wrapped))
