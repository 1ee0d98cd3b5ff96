"""How is a table of a rule file read so that every mistake is told with its file, its rule and its field?"""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from typing import Any


class RuleError(ValueError):
    """A rule file says something that cannot be meant. The text names the file, the rule and the field."""


class Table:
    """One table of a TOML file; remembers which fields were asked for, so that unknown ones are told."""

    def __init__(self, raw: Mapping[str, Any], where: str) -> None:
        self._raw, self._where = raw, where
        self._seen: set[str] = set()

    def __contains__(self, field: str) -> bool:
        return field in self._raw

    def wrong(self, field: str, why: str) -> RuleError:
        return RuleError(f"{self._where}, field {field!r}: {why}.")

    def nothing_else(self) -> None:
        """Raise RuleError for a field nobody asked for."""
        for field in self._raw:
            if field not in self._seen:
                raise self.wrong(field, "this field is not known here")

    def text(self, field: str, pattern: re.Pattern[str] | None = None, default: str | None = None) -> str:
        value = self._value(field, str, default)
        if pattern is not None and not pattern.fullmatch(value):
            raise self.wrong(field, f"must match {pattern.pattern}")
        return value

    def number(self, field: str, default: int | None = None) -> int:
        return self._value(field, int, default)

    def flag(self, field: str, *, default: bool) -> bool:
        return self._value(field, bool, default)

    def day(self, field: str) -> date:
        return self._value(field, date, None)

    def clock(self, field: str) -> time:
        return self._value(field, time, None)

    def one_of(self, field: str, allowed: Collection[str]) -> str:
        value = self.text(field)
        if value not in allowed:
            raise self.wrong(field, f"{value!r} is not one of: {', '.join(sorted(allowed))}")
        return value

    def texts(self, field: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self._value(field, list, None if default is None else list(default))
        if not all(isinstance(v, str) for v in values) or (default is None and not values):
            raise self.wrong(field, "must be a list of texts")
        return tuple(values)

    def texts_by_name(self, field: str) -> dict[str, str]:
        values = self._value(field, dict, {})
        if not all(isinstance(v, str) for v in values.values()):
            raise self.wrong(field, "must give a text for each name")
        return dict(values)

    def table(self, field: str) -> "Table":
        return Table(self._value(field, dict, None), f"{self._where}, {field}")

    def tables(self, field: str, named: str = "") -> list["Table"]:
        """A list of tables, none when absent. `named` says what they are, to be told by their id."""
        values = self._value(field, list, [])
        if not all(isinstance(v, dict) for v in values):
            raise self.wrong(field, "must be a list of tables")
        if not named:
            return [Table(v, f"{self._where}, {field} {n}") for n, v in enumerate(values, 1)]
        tables = [Table(v, f"{self._where}: {named} {v.get('id', n)!r}") for n, v in enumerate(values, 1)]
        self._no_twins(field, [v.get("id") for v in values])
        return tables

    def _no_twins(self, field: str, ids: list[Any]) -> None:
        for n, id in enumerate(ids):
            if id is not None and id in ids[:n]:
                raise self.wrong(field, f"{id!r} is there twice")

    def _value(self, field: str, kind: type[Any], default: Any) -> Any:
        self._seen.add(field)
        if field not in self._raw:
            if default is None:
                raise self.wrong(field, "is missing")
            return default
        value = self._raw[field]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or isinstance(value, datetime):
            raise self.wrong(field, f"must be of type {_NAMES[kind]}")
        return value


_NAMES = {
    str: "text",
    int: "whole number",
    bool: "true/false",
    date: "date",
    time: "time of day",
    list: "list",
    dict: "table",
}
