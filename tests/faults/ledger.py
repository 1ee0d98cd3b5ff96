"""Who remembers what was promised when the one to whom it was promised dies? A file per writer.

A line is written before a command is sent and another after it was acknowledged, each with one call to the operating
system: what is in the file survives a kill -9 of its writer.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Account:
    """What a ledger says: commands sent with the facts each adds, and the position of each acknowledged one."""

    asked: dict[int, int] = field(default_factory=dict[int, int])
    acknowledged: dict[int, int] = field(default_factory=dict[int, int])

    def open(self) -> Mapping[int, int]:
        """Sent, but never answered as far as we know: to be sent again under the same id."""
        return {n: facts for n, facts in self.asked.items() if n not in self.acknowledged}


class Ledger:
    """A writer's own ledger. `account` is what its earlier lives wrote."""

    def __init__(self, path: Path) -> None:
        self.account = read(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(self._file, b"\n")  # what an earlier life left half written ends here

    def ask(self, n: int, facts: int) -> None:
        os.write(self._file, b"? %d %d .\n" % (n, facts))

    def acknowledge(self, n: int, position: int) -> None:
        os.write(self._file, b"= %d %d .\n" % (n, position))


def read(path: Path) -> Account:
    """Every whole line, which ends with a dot; a line that was cut off by its writer's death says nothing."""
    account = Account()
    text = path.read_text() if path.exists() else ""
    for line in text.splitlines():
        if line.endswith(" ."):
            mark, n, value, _ = line.split()
            (account.asked if mark == "?" else account.acknowledged)[int(n)] = int(value)
    return account
