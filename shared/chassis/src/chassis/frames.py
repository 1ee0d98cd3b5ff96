"""How is what the broker sends taken apart? By nats-py; but what a listener follows goes a shorter way.

nats-py hands each message on through four objects and a task of its own, which costs as much as everything a listener
then does with it. Messages of chosen subscriptions are handed over here as they come, with their headers unread.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from nats.errors import ProtocolError
from nats.protocol.parser import Parser


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """A message as it came: to which subject, where to acknowledge it (empty: nowhere), its header lines (each ended by
    CRLF) and its body."""

    subject: str
    reply: str
    headers: bytes
    data: bytes


class Frames(Parser):
    """nats-py's parser, which is given whole frames only, and not those of `straight`: subscription id to receiver."""

    def __init__(self, client: Any) -> None:
        self.straight: dict[bytes, Callable[[Delivered], None]] = {}
        self._rest, self._cut = b"", False
        super().__init__(client)

    def reset(self) -> None:
        super().reset()
        self._rest, self._cut = b"", True

    async def parse(self, data: bytes = b"") -> None:
        """Take what has come; what is not whole yet waits for more. Raises ProtocolError."""
        data, at, self._cut = self._rest + data, 0, False
        while (line := data.find(b"\r\n", at)) >= 0:
            words = data[at:line].split()
            body = line + 2
            end = body + _length(words)
            if end > len(data):
                break
            if not self._hand_over(words, data, body, end):
                await super().parse(data[at:end])
                if self._cut:  # the connection these bytes came from is gone
                    return
            at = end
        self._rest = data[at:]

    def _hand_over(self, words: list[bytes], data: bytes, body: int, end: int) -> bool:
        """Give a message to its receiver. False for what is not for one, or only says how a subscription stands."""
        receiver = self.straight.get(words[2]) if len(words) > 3 else None
        if receiver is None:
            return False
        subject = words[1].decode()
        if words[0] == b"MSG":
            reply = words[3].decode() if len(words) > 4 else ""
            receiver(Delivered(subject, reply, b"", data[body : end - 2]))
            return True
        head = body + int(words[-2])
        if data[body + 8 : body + 10] != b"\r\n":
            return False
        reply = words[3].decode() if len(words) > 5 else ""
        receiver(Delivered(subject, reply, data[body + 10 : head - 2], data[head : end - 2]))
        return True


def _length(words: list[bytes]) -> int:
    """How many bytes belong to a frame after its first line."""
    if not words or words[0] not in (b"MSG", b"HMSG"):
        return 0
    try:
        return int(words[-1]) + 2
    except ValueError:
        raise ProtocolError("nats: malformed MSG") from None
