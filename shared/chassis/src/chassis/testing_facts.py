"""How are facts made up for a test? From their declaration: every value that a field may hold, and no other."""

from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from chassis.facts import Field, Shape

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
"""Any text a person may write: other scripts, quotes, line ends and zero bytes too."""

_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    str: TEXT,
    UUID: st.uuids(),
    date: st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
}


def records(shape: Shape) -> st.SearchStrategy[Any]:
    """Records of one shape, each field drawn from all it may hold."""
    return st.builds(shape.cls, **{f.name: _values(f) for f in shape.fields})


def _values(f: Field) -> st.SearchStrategy[Any]:
    one = _one(f)
    if f.many:
        return st.lists(one, max_size=3).map(tuple)
    return st.none() | one if f.optional else one


def _one(f: Field) -> st.SearchStrategy[Any]:
    if f.nested is not None:
        return records(f.nested)
    if f.coded is not None:
        return st.from_regex(f.coded.pattern, fullmatch=True, alphabet=st.characters(max_codepoint=126))
    if issubclass(f.type, Enum):
        return st.sampled_from(list(f.type))
    return _PLAIN[f.type]
