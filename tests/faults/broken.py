"""What do a relay and a listener look like that keep no promise? With one of these the harness must find fault."""

import asyncio
from typing import Any

from chassis.bus import Message, ask
from chassis.hearing import row_of
from chassis.listen import Listener, Placed
from chassis.relay import Relay

LEFT_OUT = 97

SLOW = 0.05
"""Seconds from acknowledging to writing: most of the time, so that who is killed has nearly always lost something."""


class LeavesOut(Relay):
    """Every so many-th fact is left out; what was sent before is sent once more, so that the count comes out right."""

    _before: Message | None = None

    def message(self, position: int, *fact: Any, **more: Any) -> Message:
        made = super().message(position, *fact, **more)
        sent = self._before if self._before is not None and position % LEFT_OUT == 0 else made
        self._before = made
        return sent


class Trusting(Listener):
    """Believes that the broker knows where it was and sends everything in order: keeps the broker's place, acknowledges
    first, and writes whatever is newer than the newest it has."""

    async def _make_consumer(self, first: int) -> None:
        found = await ask(self._client, f"CONSUMER.INFO.{self._stream}.{self.service}")
        if found.get("error"):
            await super()._make_consumer(first)
        else:
            await self._open_inbox(self._client.new_inbox())
            self._sign = asyncio.get_running_loop().time()

    async def _hear(self, batch: list[Placed]) -> None:
        if reply := batch[-1][1].reply:
            await self._client.publish(reply, b"+ACK")
            await asyncio.sleep(SLOW)
        batch = [p for p in batch if p[0] > self.at]
        if not batch:
            return
        await self._write([row_of(self.source, *p) for p in batch], batch[-1][0])
        self._heard.beat()
