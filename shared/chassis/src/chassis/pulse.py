"""Something moved: followers in this process look at once instead of at their next poll."""

import asyncio


class Pulse:
    """Counts beats. `seen = pulse.count`, look, then `await pulse.after(seen, seconds)`: no beat is missed between."""

    def __init__(self, onward: "Pulse | None" = None) -> None:
        """`onward` beats whenever this one does."""
        self.count, self._onward = 0, onward
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        self.count += 1
        for waiting in self._waiting:
            _wake(waiting)
        self._waiting.clear()
        if self._onward is not None:
            self._onward.beat()

    async def after(self, seen: int, seconds: float) -> None:
        """Wait until there has been a beat since `seen`, at most `seconds`."""
        if self.count != seen:
            return
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()  # one for each who waits: this is done some thousand times a second
        self._waiting.add(waiting)
        timer = loop.call_later(seconds, _wake, waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            self._waiting.discard(waiting)


def _wake(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


SOON, LATER = 0.05, 0.4
"""Seconds between two looks: while something has been there lately, and when nothing has for a while."""

IN_VAIN = 40
"""Looks in vain after which the next ones come later."""


class Patience:
    """How long does who looks by itself wait before it looks again? A beat wakes it at once; what beats no pulse here,
    because another process did it, is found by looking. A service that nobody uses shall cost next to nothing."""

    def __init__(self) -> None:
        self._in_vain = 0

    def after(self, found: bool) -> float:
        self._in_vain = 0 if found else self._in_vain + 1
        return SOON if self._in_vain < IN_VAIN else LATER
