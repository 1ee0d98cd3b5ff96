"""What time is it? The system's clock, or the local stack's, which stands still until it is moved.

Decisions never read a clock: the edge asks it once and the command carries the answer. Tokens and TLS always use real
time.
"""

import hashlib
import mmap
import os
import struct
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from chassis.chance import Chance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZE = 8


class Clock(Protocol):
    """Aware UTC time. `simulated` says whether it can be moved."""

    simulated: bool

    def now(self) -> datetime: ...


class SystemClock:
    simulated = False

    def now(self) -> datetime:
        return datetime.now(UTC)


class SimulatedClock:
    """Time from eight shared bytes that every process of the local stack maps and only the desk moves."""

    simulated = True

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as f:
            self._map = mmap.mmap(f.fileno(), _SIZE, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=struct.unpack("<q", self._map[:_SIZE])[0])


def set_simulated(path: Path, to: datetime) -> None:
    """Make or move a simulated clock. `to` must be aware. Eight aligned bytes are written at once."""
    micros = (to - _EPOCH) // timedelta(microseconds=1)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.pwrite(fd, struct.pack("<q", micros), 0)
    finally:
        os.close(fd)


def clock_from(setting: str) -> Clock:
    """`system`, or `simulated:<file>`. Raises ValueError for anything else."""
    kind, _, path = setting.partition(":")
    if kind == "simulated" and path:
        return SimulatedClock(Path(path))
    if setting == "system":
        return SystemClock()
    raise ValueError("SAMORDNA_CLOCK must be `system` or `simulated:<file>`.")


_chance = Chance(10)


def new_id() -> uuid.UUID:
    """A version 7 UUID: random, but sorted by (real) time, so that indexes stay compact (RFC 9562)."""
    millis = time.time_ns() // 1_000_000
    tail = int.from_bytes(_chance(), "big")
    return uuid.UUID(int=(millis << 80) | (7 << 76) | ((tail >> 68 & 0xFFF) << 64) | (2 << 62) | (tail & (1 << 62) - 1))


def hashed_id(*parts: str) -> uuid.UUID:
    """A version 8 UUID that is always the same for the same parts (RFC 9562; SHA-256)."""
    n = int.from_bytes(hashlib.sha256("|".join(parts).encode()).digest()[:16], "big")
    return uuid.UUID(int=n & ~(0xF << 76) & ~(3 << 62) | (8 << 76) | (2 << 62))
