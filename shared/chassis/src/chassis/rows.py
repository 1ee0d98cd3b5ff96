"""How are a read model's rows read and written? Whole batches at a time, in the driver's own calls.

Whoever folds keeps rows in memory meanwhile, and meets the database twice for a batch: once for the rows it does not
have, once for those that came out different.
"""

from collections.abc import Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

Row = TypeVar("Row")

INDEXES = (
    "select string_agg(case when k.oid is not null "
    "then format('alter table %s add %s', $2::text, pg_get_constraintdef(k.oid)) "
    "else format('create %s index on %s%s', case when i.indisunique then 'unique' end, $2::text, "
    "substr(d.def, position(' USING ' in d.def))) end, '; ') "
    "from pg_index i cross join pg_get_indexdef(i.indexrelid) as d(def) "
    "left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') "
    "where i.indrelid = to_regclass($1::text)"
)
"""The statements that give one table the keys and indexes of another."""

_DIALECT = sa.create_mock_engine("postgresql://", executor=lambda *_: None).dialect


class Rows(Generic[Row]):
    """The table behind a view. `row` is a record whose fields are the columns, `key` the primary key's column."""

    def __init__(self, table: sa.Table, key: str, row: type[Row]) -> None:
        self.name, self._key, self._row = table.name, key, row
        self.columns = [f.name for f in fields(row)]  # type: ignore[arg-type]
        self._types = {c.name: c.type.compile(dialect=_DIALECT) for c in table.columns}
        self._names = ", ".join(f'"{n}"' for n in self.columns)

    def table(self, suffix: str = "") -> str:
        return f'views."{self.name}{suffix}"'

    async def load(self, c: Any, table: str, keys: list[Any], cache: dict[Any, Row | None]) -> None:
        """Read the rows of these keys into `cache`; None where there is no row."""
        if not keys:
            return
        found = await c.fetch(f"select {self._names} from {table} where {self._among(1)}", keys)
        cache.update(dict.fromkeys(keys))
        for row in found:
            values = dict(row.items())
            cache[values[self._key]] = self._row(**values)

    async def store(self, c: Any, table: str, changed: dict[Any, Row | None]) -> None:
        """Write changed rows; those that are None are deleted."""
        gone, rows = apart(changed)
        if gone:
            await c.execute(self.delete(table), gone)
        if rows:
            await c.execute(self.upsert(table), *self.arrays(rows))

    async def make(self, c: Any, suffix: str) -> None:
        """Make an empty table like ours, without keys and indexes: `fill` adds them."""
        other = self.table(suffix)
        await c.execute(
            f"drop table if exists {other}; create table {other} (like {self.table()} including all excluding indexes)"
        )

    async def fill(self, c: Any, suffix: str, changed: dict[Any, Row | None]) -> None:
        """Write all rows into an empty table and then make its keys and indexes: what costs least of all."""
        values = itemgetter(*self.columns) if len(self.columns) > 1 else lambda r: (r[self._key],)
        records = [values(r) for r in apart(changed)[1]]
        if records:
            name = f"{self.name}{suffix}"
            await c.copy_records_to_table(name, schema_name="views", columns=self.columns, records=records)
        await c.execute(await c.fetchval(INDEXES, self.table(), self.table(suffix)))

    def arrays(self, rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
        """The rows' values column by column, as `upsert` takes them."""
        return [[r[n] for r in rows] for n in self.columns]

    def delete(self, table: str, nth: int = 1, only_if: str = "true") -> str:
        return f"delete from {table} where {self._among(nth)} and {only_if}"

    def upsert(self, table: str, first: int = 1, only_if: str = "true") -> str:
        arrays = ", ".join(f"${n}::{self._types[c]}[]" for n, c in enumerate(self.columns, first))
        sets = ", ".join(f'"{n}" = excluded."{n}"' for n in self.columns if n != self._key)
        do = f"update set {sets}" if sets else "nothing"
        return (
            f"insert into {table} ({self._names}) select * from unnest({arrays}) where {only_if} "
            f'on conflict ("{self._key}") do {do}'
        )

    async def digest(self, c: Any) -> str:
        """A hash over all rows in key order: two builds of one view must agree on it."""
        return await c.fetchval(
            f"select coalesce(md5(string_agg(r::text, '|' order by k)), '') from "
            f'(select "{self._key}"::text as k, row({self._names}) as r from {self.table()}) x'
        )

    def _among(self, nth: int) -> str:
        return f'"{self._key}" = any(${nth}::{self._types[self._key]}[])'


def apart(changed: dict[Any, Any]) -> tuple[list[Any], list[dict[str, Any]]]:
    """The keys of rows that are to be deleted, and the values of those to be written."""
    return [k for k, row in changed.items() if row is None], [r.__dict__ for r in changed.values() if r is not None]
