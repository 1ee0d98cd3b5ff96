"""What has just been written need not be read back: who follows it in the same process takes it from here.

It is a copy of what has been committed, to the log or to `heard`, no more. Whoever takes from it moves a checkpoint of
his own only from where he took it, so what the database has lost in a crash is not passed over.
"""

from collections.abc import Sequence
from typing import Any

Row = Sequence[Any]
"""Position, stream, version, type, schema version, data, envelope, recorded at: as the log and `heard` are read."""


class Recent:
    """The last rows of one source, without a gap."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        """What was committed just now. What does not follow the last begins anew."""
        if self._rows and rows[0][0] != self._rows[-1][0] + 1:
            self._rows = []
        self._rows += rows
        if len(self._rows) > 2 * self._most:
            del self._rows[: -self._most]

    @property
    def begin(self) -> int:
        """The first position that is remembered; 0 when none is."""
        return self._rows[0][0] if self._rows else 0

    @property
    def end(self) -> int:
        """The last position that this process wrote; 0 before any."""
        return self._rows[-1][0] if self._rows else 0

    def ends_at(self, position: int) -> bool:
        """Is this the last that this process wrote? Then whoever is there may wait for the next beat; what others wrote
        is found by looking now and then."""
        return bool(self._rows) and self._rows[-1][0] == position

    def forget(self) -> None:
        self._rows = []

    def after(self, position: int, limit: int) -> Sequence[Row]:
        """The rows after `position`, if all of them are here; else none, and the database has to be asked."""
        first = position + 1 - self._rows[0][0] if self._rows else -1
        return self._rows[first : first + limit] if first >= 0 else ()
