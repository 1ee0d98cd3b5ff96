"""Where do files stay? In the service's own database, encrypted under the key of the person they are about.

A file that no plan names within a day is thrown away; one that a plan names stays with it. The log says which it is.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import asyncpg

from chassis.decider import record
from chassis.keys import Keys
from plan_service.documents.checking import Fine

KEPT_UNUSED = timedelta(hours=24)
"""How long a file stays that no plan names."""

USABLE = timedelta(hours=23)
"""How long a file may still be named by a plan. Shorter than it stays: none vanishes while it is named."""


@record
class Kept:
    """A file on the shelf. `bytes` is its size, `sha256` the hash of its plain content in hex."""

    document_ref: UUID
    sha256: str
    bytes: int
    pages: int
    uploaded_at: datetime

    def is_usable(self, now: datetime) -> bool:
        return now - self.uploaded_at <= USABLE


def document_ref(employment_id: UUID, sha256: str) -> UUID:
    """Worked out, not drawn: the same file for the same employment is the same document, however often it is sent."""
    return uuid5(employment_id, f"document/{sha256}")


class Shelf:
    """The files of this service."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys) -> None:
        self._pool, self._keys = pool, keys

    async def keep(
        self, employment_id: UUID, subject: UUID, file: Fine, content: bytes, now: datetime, org_id: str
    ) -> None:
        """Put a file away, or note that it was sent again. Safe to repeat."""
        ref = document_ref(employment_id, file.sha256)
        if await self._pool.fetchval(
            "update documents set uploaded_at = greatest(uploaded_at, $2) where document_ref = $1 returning true",
            ref,
            now,
        ):
            return
        sealed = await self._keys.seal(subject, ref.bytes, content)
        await self._pool.execute(
            "insert into documents(document_ref, employment_id, subject_key, sha256, bytes, pages, content, "
            "uploaded_at, uploaded_by_org) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "on conflict (document_ref) do nothing",
            ref, employment_id, subject, file.sha256, file.bytes, file.pages, sealed, now, org_id,
        )  # fmt: skip

    async def find(self, employment_id: UUID, ref: UUID) -> Kept | None:
        """A file of this employment, or None: files of others are not found."""
        row = await self._pool.fetchrow(
            "select document_ref, sha256, bytes, pages, uploaded_at from documents "
            "where document_ref = $1 and employment_id = $2",
            ref, employment_id,
        )  # fmt: skip
        return None if row is None else Kept(**dict(row.items()))

    async def read(self, employment_id: UUID, ref: UUID) -> bytes | None:
        """The plain content, or None when there is no such file or its person has been forgotten."""
        row = await self._pool.fetchrow(
            "select subject_key, content from documents where document_ref = $1 and employment_id = $2",
            ref, employment_id,
        )  # fmt: skip
        return None if row is None else await self._keys.open(row["subject_key"], ref.bytes, row["content"])

    async def next_sweep(self) -> datetime | None:
        """When the oldest file that no plan is known to name has stayed long enough."""
        oldest = await self._pool.fetchval("select min(uploaded_at) from documents where not referred")
        return None if oldest is None else oldest + KEPT_UNUSED

    async def sweep(self, named: Callable[[UUID], Awaitable[Collection[UUID]]], now: datetime) -> int:
        """Throw away what has stayed long enough and is not named: how many? `named(employment_id)` asks the log."""
        before = now - KEPT_UNUSED
        rows = await self._pool.fetch(
            "select employment_id, array_agg(document_ref) as refs from documents "
            "where not referred and uploaded_at <= $1 group by employment_id limit 100",
            before,
        )
        swept = 0
        for employment_id, refs in rows:
            used = set(refs) & set(await named(employment_id))
            await self._pool.execute("update documents set referred = true where document_ref = any($1)", list(used))
            gone = await self._pool.fetch(
                "delete from documents where document_ref = any($1) and uploaded_at <= $2 and not referred returning 1",
                list(set(refs) - used), before,
            )  # fmt: skip
            swept += len(gone)
        return swept
