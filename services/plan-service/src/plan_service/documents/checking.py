"""May this file be taken in? Its size, its kind by content, what a scanner says, and what an inspection finds."""

import asyncio
import hashlib
import json
import signal
import sys
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.plan import FileFault

MAX_BYTES = 10 * 1024 * 1024
SECONDS = 30.0
"""Wall-clock time an inspection may take. Its processor time is bounded much lower, in `inspection`."""

AT_ONCE = 2
"""Inspections that run side by side in one process of the service."""

_BROKEN_BY_THE_FILE = frozenset({-signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE})


class CannotCheck(Exception):
    """The scanner or the inspection cannot be had just now. Nothing is known about the file: try again later."""


class Scanner(Protocol):
    """Looks for malware."""

    async def scan(self, content: bytes) -> bool:
        """Is it infected? Raises CannotCheck when the scanner gives no answer: no file is taken in unscanned."""
        ...


@dataclass(frozen=True)
class Fine:
    """A file that may be taken in: SHA-256 in hex, size in bytes, number of pages."""

    sha256: str
    bytes: int
    pages: int


class Examiner:
    """Examines files one or two at a time."""

    def __init__(self, scanner: Scanner, at_once: int = AT_ONCE) -> None:
        self._scanner = scanner
        self._room = asyncio.Semaphore(at_once)

    async def __call__(self, content: bytes) -> Fine | FileFault:
        """What is wrong with the file, or that nothing is. Raises CannotCheck."""
        if len(content) > MAX_BYTES:
            return FileFault.TOO_LARGE
        async with self._room:
            if await self._scanner.scan(content):
                return FileFault.MALWARE
            if not is_pdf(content):
                return FileFault.NOT_PDF
            looked = await inspected("look", content)
        if looked["fault"] is not None:
            return FileFault(looked["fault"])
        return Fine(hashlib.sha256(content).hexdigest(), len(content), looked["pages"])


def is_pdf(content: bytes) -> bool:
    """By content, whatever the sender says it is. Nothing but white space may stand before the mark."""
    return content[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-")


async def inspected(what: str, content: bytes, seconds: float = SECONDS) -> dict[str, Any]:
    """Run `inspection` on the file in a process of its own. A file that breaks it is unreadable."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "plan_service.documents.inspection", what,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(content)
    except TimeoutError:
        raise CannotCheck("The inspection took too long.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode in _BROKEN_BY_THE_FILE:
        return {"fault": FileFault.UNREADABLE, "pages": 0, "infected": False}
    if process.returncode != 0:
        raise CannotCheck("The inspection did not end.")
    return json.loads(said)
