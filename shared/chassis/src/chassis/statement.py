"""Several changes that belong together, in one SQL statement: one call to the database, and a transaction by itself.

Each part is a common table expression with arguments of its own. All of them see the database as it was before.
"""

from typing import Any


class Statement:
    """A statement in the making. Names are made safe here; SQL and arguments are the parts' own business."""

    def __init__(self) -> None:
        self.arguments: list[Any] = []
        self._parts: list[str] = []
        self._told: list[str] = []

    def taking(self, *arguments: Any) -> int:
        """Add arguments; answers the number of the first, as it stands behind the dollar."""
        first = len(self.arguments) + 1
        self.arguments += arguments
        return first

    def part(self, name: str, sql: str) -> str:
        """Add a part; answers its condition: that it has given a row."""
        self._parts.append(f'"{name}" as ({sql})')
        return f'exists (select from "{name}")'

    def tells(self, condition: str) -> int:
        """Let the statement tell whether a condition held; answers where in its answer."""
        self._told.append(condition)
        return len(self._told) - 1

    async def run(self, c: Any, timeout: float | None = None) -> Any:
        """The conditions in the order in which they were asked for, as a row of booleans. Raises TimeoutError."""
        sql = f"with {', '.join(self._parts)} select {', '.join(self._told)}"
        return await c.fetchrow(sql, *self.arguments, timeout=timeout)
