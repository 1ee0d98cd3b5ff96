"""What does a read model's next state follow from? Facts read from the log or from what was heard, folded in memory.

Nothing is written here: how far a view has come and what its rows say is stored by whoever folds, together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from chassis.recent import Recent
from chassis.view import Decoder, Heard, View

Row = TypeVar("Row")

OWN = (
    "select position, stream_id, version, type, schema_version, data, envelope, recorded_at from events "
    "where position > $1 order by position limit $2"
)
HEARD = (
    "select position, stream_id, version, type, schema_version, data, envelope, recorded_at from heard "
    "where source = $3 and position > $1 order by position limit $2"
)

Touched = tuple[Heard, Sequence[Any]]
"""A fact and the keys of the rows it touches."""


class Fold(Generic[Row]):
    """Reads and folds for one view, and knows its checkpoints: one for each source."""

    def __init__(self, view: View[Row], own: str, decode: Decoder, recent: Mapping[str, Recent]) -> None:
        self.view, self._own, self._decode, self._recent = view, own, decode, recent

    def remembered(self, source: str, after: int, limit: int) -> Sequence[Any]:
        """At most `limit` facts after a position, in order, as far as this process wrote them just now."""
        return self._recent[source].after(after, limit) if source in self._recent else ()

    def remembers(self, source: str) -> bool:
        """Is what this process writes of that source remembered at all?"""
        return source in self._recent

    async def select(self, c: Any, source: str, after: int, limit: int) -> Sequence[Any]:
        """The same from the database, where fewer than `limit` mean that there are no more: memory may end before what
        other processes wrote."""
        if source == self._own:
            return await c.fetch(OWN, after, limit)
        return await c.fetch(HEARD, after, limit, source)

    def missed(self, source: str, position: int) -> bool:
        """Did this process write something after a position that it does not remember any more?"""
        return source in self._recent and self._recent[source].end > position

    def ends_at(self, source: str, position: int) -> bool:
        """Is this the last fact of a source that this process itself wrote down?"""
        return source in self._recent and self._recent[source].ends_at(position)

    def touched(self, source: str, rows: Iterable[Any]) -> Iterator[Touched]:
        """Those of the facts that touch a row, each decoded when its turn comes. Raises Unreadable."""
        decode, keys_of = self._decode, self.view.keys
        for row in rows:
            heard = decode(source, row)
            if heard is not None and (keys := keys_of(heard)):
                yield heard, keys

    def changed(self, touched: Iterable[Touched], cache: dict[Any, Row | None]) -> dict[Any, Row | None]:
        """Fold into the rows in `cache`, where a key that is missing has no row; those that came out different."""
        evolve, changed = self.view.evolve, dict[Any, Row | None]()
        for heard, keys in touched:
            for key in keys:
                before = cache.get(key)
                after = evolve(before, heard, key)
                if after is not before:
                    cache[key] = changed[key] = after
        return changed

    # --- how far it has come ---

    def checkpoint(self, source: str) -> str:
        return f"view:{self.view.name}:{source}"

    async def lock(self, c: Any) -> dict[str, int]:
        """How far each source has been folded. All are locked: two processes that folded two sources into one row at
        once would each undo what the other did."""
        names = {self.checkpoint(s): s for s in self.view.sources}
        sql = "select name, position from checkpoints where name = any($1) order by name for update"
        rows = await c.fetch(sql, list(names))
        if len(rows) < len(names):
            absent = (
                "insert into checkpoints(name) select * from unnest($1::text[]) as n order by n on conflict do nothing"
            )
            await c.execute(absent, list(names))
            rows = await c.fetch(sql, list(names))
        return {names[name]: position for name, position in rows}

    async def move(self, c: Any, source: str, position: int) -> None:
        await c.execute("update checkpoints set position = $2 where name = $1", self.checkpoint(source), position)


def missing(touched: Sequence[Touched], cache: dict[Any, Any], begins: frozenset[str]) -> list[Any]:
    """The keys whose rows have to be read before these facts can be folded: those not met before, unless what is met
    first makes the row anew."""
    met: dict[Any, bool] = {}
    for heard, keys in touched:
        for key in keys:
            if key not in met:
                met[key] = key in cache or heard.name in begins
    return [key for key, known in met.items() if not known]
