"""Random bytes, drawn many at a time: to ask the system costs more than all that is done with them."""

import os


class Chance:
    """So many random bytes, fit for cryptography, at each call; none is given twice, in a forked child neither.

    What has been drawn waits in memory: a machine that is resumed twice from one snapshot of its memory gives it twice.
    Do not resume a service so; start it."""

    def __init__(self, size: int, many: int = 256) -> None:
        self._size, self._most = size, size * many
        self._drawn: list[bytes] = []
        os.register_at_fork(after_in_child=self._drawn.clear)

    def __call__(self) -> bytes:
        try:
            return self._drawn.pop()
        except IndexError:
            drawn, size = os.urandom(self._most), self._size
            self._drawn += [drawn[n : n + size] for n in range(size, self._most, size)]
            return drawn[:size]
