"""Who looks for malware: a ClamAV daemon where there is one, and otherwise a check that knows the test signature.

The built-in check makes the way of an infected file visible and testable; it does not replace a scanner.
"""

import asyncio
import struct
from urllib.parse import urlsplit

from plan_service.documents.checking import CannotCheck, Scanner, inspected
from plan_service.documents.signature import TEST_SIGNATURE

CLAMD_SECONDS = 30.0
CHUNK = 64 * 1024


class SignatureScanner:
    """Finds the EICAR test string, in the bytes of a file and in what the parts of a PDF unfold to."""

    async def scan(self, content: bytes) -> bool:
        return TEST_SIGNATURE in content or (await inspected("scan", content)).get("infected", False)


class ClamdScanner:
    """Asks a ClamAV daemon over TCP (its INSTREAM command). No answer means: not taken in."""

    def __init__(self, host: str, port: int, seconds: float = CLAMD_SECONDS) -> None:
        self._host, self._port, self._seconds = host, port, seconds

    async def scan(self, content: bytes) -> bool:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise CannotCheck("The malware scanner does not answer.") from None
        if answer.endswith("FOUND"):
            return True
        if answer == "stream: OK":
            return False
        raise CannotCheck("The malware scanner could not scan the file.")

    async def _ask(self, content: bytes) -> str:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK):
                part = content[start : start + CHUNK]
                writer.write(struct.pack("!L", len(part)) + part)
                await writer.drain()
            writer.write(struct.pack("!L", 0))
            return (await reader.readuntil(b"\0"))[:-1].decode("ascii", "replace").strip()
        finally:
            writer.close()


def scanner_from(url: str) -> Scanner:
    """`clamd://host:port`, or nothing for the built-in check. Raises ValueError for anything else."""
    if not url:
        return SignatureScanner()
    parts = urlsplit(url)
    if parts.scheme != "clamd" or not parts.hostname:
        raise ValueError("SAMORDNA_SCANNER_URL must be clamd://host:port, or empty for the built-in check.")
    return ClamdScanner(parts.hostname, parts.port or 3310)
