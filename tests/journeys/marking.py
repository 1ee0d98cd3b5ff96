"""Which marker stands in which sealed field? Walked from the contracts, so that no field can be forgotten.

A marker is letters only, so that nothing that takes numbers out of a log can hide one. All of them begin with the same
random letters: whoever looks for those looks for all.
"""

import base64
import random
import string
from collections.abc import Iterable

from chassis.facts import Facts

HERD, OWN = 15, 10
"""Letters that all markers of a run share, and letters that each has to itself."""

PIECE = 8
"""Letters that PostgreSQL's compression leaves together: each group of eight stands behind a byte of its own."""


class Markers:
    """One marker for each sealed field of `contracts`, and for whatever else is named."""

    def __init__(self, contracts: Iterable[Facts]) -> None:
        self.herd = _letters(HERD)
        sealed = [found for facts in contracts for found in _sealed_fields(facts)]
        self._of = {name: self.herd + _letters(OWN) for name, texts in sealed if texts}
        self.wordless = {name for name, texts in sealed if not texts}
        """Sealed fields that hold a code or a number: no marker fits into them."""
        self.planted: dict[str, str] = {}

    @property
    def unplanted(self) -> set[str]:
        """Sealed fields for which nobody has fetched a marker yet."""
        return self._of.keys() - self.planted.keys()

    def field(self, name: str) -> str:
        """The marker of a sealed field, for example `PlanSubmitted.activities.description`: it counts as planted."""
        self.planted[name] = self._of[name]
        return self._of[name]

    def given(self, name: str, value: str) -> None:
        """A sealed field that takes only values of one kind, and the value that was entered in it."""
        assert name in self._of, name
        self.planted[name] = value

    def other(self) -> str:
        """A marker for a place that is no field: a file, or what is refused."""
        return self.herd + _letters(OWN)


def _sealed_fields(facts: Facts) -> Iterable[tuple[str, bool]]:
    """Each with whether it holds text."""
    for declared in facts:
        for path, field in declared.shape.walk():
            if field.sealed:
                yield f"{declared.name}.{'.'.join(path)}", field.type is str and field.coded is None


def _letters(n: int) -> str:
    return "".join(random.SystemRandom().choices(string.ascii_lowercase, k=n))


def forms(mark: str) -> list[bytes]:
    """What to look for to find `mark` as text, compressed by PostgreSQL, in hex, in base64 and in UTF-16."""
    plain = mark.encode()
    pieces = [plain[n : n + PIECE] for n in range(PIECE)]
    shifted = (base64.b64encode(b"\0" * n + plain)[4:-4] for n in range(3))
    return [*pieces, plain.hex().encode(), plain.hex().upper().encode(), *shifted, mark.encode("utf-16-le")]
