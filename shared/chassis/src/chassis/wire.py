"""The connection to the broker: made once, kept for ever, and it says when it has been made anew."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from nats.errors import Error as NatsError

from chassis.bus import Bus
from chassis.telemetry import get_logger

log_line = get_logger(__name__)


RECONNECT_EVERY = 0.25
"""Seconds between attempts while the broker is away; nothing is heard meanwhile."""

PING_EVERY = 15
"""Seconds between looks whether a silent connection is alive; after two without an answer it is made anew."""


class Wire:
    """One process's connection to NATS."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self.client = Bus()
        self._reconnected = asyncio.Event()

    async def connect(self) -> Bus:
        """Connect, waiting as long as it takes; afterwards nats-py reconnects by itself, for ever."""
        while True:
            try:
                await self.client.connect(
                    self._url, name=self._name, max_reconnect_attempts=-1, connect_timeout=2,
                    reconnect_time_wait=RECONNECT_EVERY,  # type: ignore[arg-type]
                    ping_interval=PING_EVERY, allow_reconnect=True, reconnected_cb=self._on_reconnect,
                    error_cb=self._on_error, pending_size=64 * 1024 * 1024,
                    inbox_prefix=f"_INBOX.{urlsplit(self._url).username or 'any'}",
                )  # fmt: skip
                return self.client
            except (NatsError, OSError, TimeoutError, RuntimeError) as error:
                log_line.warning("bus.unreachable", why=type(error).__name__)
                await asyncio.sleep(0.3)
                self.client = Bus()

    async def _on_reconnect(self) -> None:
        self._reconnected.set()

    async def _on_error(self, error: Exception) -> None:
        log_line.warning("bus.error", why=str(error)[:200])

    async def reconnected(self) -> None:
        """Wait for the next time the connection is made anew."""
        await self._reconnected.wait()
        self._reconnected.clear()

    async def close(self) -> None:
        with contextlib.suppress(NatsError, OSError, TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self.client.close(), 2)
