"""What is a read model, and what does it see of a fact?

A view is three things in one file of the service: a row, `evolve`, and queries. It follows its service's own log and
what the service has heard. Sealed fields are blank here: nothing sealed can land in a read model.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from chassis.codec import Codec
from chassis.decider import record
from chassis.envelope import Envelope, from_headers

Row = TypeVar("Row")


@record
class Heard:
    """A fact as followers see it: decoded, with where it stands. Sealed fields are blank."""

    source: str
    position: int
    stream: str
    version: int
    name: str
    fact: Any
    envelope: Envelope
    recorded_at: datetime

    def __getattr__(self, name: str) -> Any:
        """A followed fact's envelope is read when somebody asks for it: most folds never do."""
        block = self.__dict__.get("_headers")
        if name != "envelope" or block is None:
            raise AttributeError(name)
        envelope = self.__dict__["envelope"] = from_headers(block)
        return envelope


@record
class View(Generic[Row]):
    """A read model. `row` is a record whose fields are the table's columns; `key` is its primary key column.

    `keys(heard)` says which rows a fact touches; `evolve(row, heard, key)` gives the new row, or None for no row. Folds
    must not depend on how facts of different sources interleave. After a fact of `begins` a row is what that fact makes
    it, whatever stood there, so that nobody reads it first.
    """

    name: str
    table: sa.Table
    key: str
    row: type[Row]
    keys: Callable[[Heard], Sequence[Any]]
    evolve: Callable[[Row | None, Heard, Any], Row | None]
    sources: tuple[str, ...]
    begins: frozenset[str] = frozenset()


class Decoder:
    """Turns stored or heard rows into `Heard`. Types and versions this service does not know are passed over."""

    def __init__(self, codecs: dict[str, Codec]) -> None:
        self._codecs = codecs

    def __call__(self, source: str, row: Sequence[Any]) -> Heard | None:
        """Raises Unreadable when a known type has a version or a form that this code cannot read."""
        position, stream, version, name, schema, data, envelope, recorded_at = row
        codec = self._codecs[source]
        if not codec.knows(name):
            return None
        heard = object.__new__(Heard)
        _fill(heard, "__dict__", {
            "source": source, "position": position, "stream": stream, "version": version, "name": name,
            "fact": codec.decode(name, schema, data), "_headers": envelope, "recorded_at": recorded_at,
        })  # fmt: skip
        return heard


_fill = object.__setattr__
