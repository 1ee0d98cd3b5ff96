"""What nats-py does not offer: pipelined and atomic publishing with expected sequences, and what streams hold.

This and `chassis.frames` are the only places that use nats-py's internals (`_send_command`, `_flush_pending`,
`_attempt_reconnect`, `_ps`, `_id`, the parser), pinned in uv.lock and tested against the real server. Everything above
them speaks of messages and sequences only.
"""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.frames import Delivered, Frames

ATOMIC_FROM = 16
"""From this many messages on, one atomic batch beats pipelined single messages: each of these is made durable by
itself, and a batch costs about as much as 14 of them, whatever its size."""

MOST = 1000
"""How many messages nats-server takes in one atomic batch."""

AHEAD = 1
"""How many batches may wait for their acknowledgement while the next is sent."""

ACK_WITHIN = 10.0

NOT_FOUND = (10059, 10014)
"""JetStream error codes: no such stream, no such consumer."""


class OutOfSequence(Exception):
    """The stream is not where the publisher thought: somebody else published, or its store was rolled back."""


class BusUnavailable(Exception):
    """The broker did not answer, or refused; trying again later is safe."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message to publish: subject, header lines (each ended by CRLF) and body."""

    subject: bytes
    headers: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """Where a stream ends: its last sequence and the `ce-id` of its last message (None for an empty stream)."""

    sequence: int
    event_id: str | None


class Bus(Client):
    """nats-py's client, with a short way for the messages that listeners follow. It never gives up reconnecting."""

    def __init__(self) -> None:
        super().__init__()
        self._ps = self._frames = Frames(self)

    async def follow(
        self, inbox: str, receive: Callable[[Delivered], None], told: Callable[[Msg], Awaitable[None]]
    ) -> Subscription:
        """Receive what comes to `inbox` in the order in which it comes; `told` gets what the server says of it."""
        subscription = await self.subscribe(inbox, cb=told, pending_msgs_limit=-1, pending_bytes_limit=-1)
        self._frames.straight[b"%d" % subscription._id] = receive
        return subscription

    async def leave(self, subscription: Subscription) -> None:
        self._frames.straight.pop(b"%d" % subscription._id, None)
        await subscription.unsubscribe()

    async def _attempt_reconnect(self) -> None:
        """Where a connection breaks again while it is being made, uvloop raises what nats-py takes for the end."""
        while True:
            try:
                await super()._attempt_reconnect()
                return
            except RuntimeError:
                self._status = Client.RECONNECTING
                await asyncio.sleep(0.1)


class Publisher:
    """Publishes to one stream so that sequence n holds exactly the n-th message, or nothing is published.

    `begin` sends, `settled` waits: while the server commits one batch the next is made and taken in. Each expects its
    place, so the server refuses whatever follows one that it refused. `acknowledged` is the last that stands.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox().encode()
        self._acks: dict[int, bytes] = {}
        self._awaited: deque[tuple[int, int, bool]] = deque()
        self.acknowledged = 0
        self._arrived = asyncio.Event()
        self._cut = False
        self._subscription: Any = None

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(self._inbox.decode() + ".*", cb=self._on_ack)

    async def close(self) -> None:
        if self._subscription is not None and not self._client.is_closed:
            await self._subscription.unsubscribe()

    def forget(self) -> None:
        """Begin anew: what was begun before is nobody's concern any more."""
        self._cut = False
        self._acks.clear()
        self._awaited.clear()
        self.acknowledged = 0

    async def publish(self, messages: Sequence[Message], last: int) -> int:
        """Publish after sequence `last` and wait; answers the new last sequence. At most MOST messages.

        Raises OutOfSequence when the stream does not end at `last`, BusUnavailable when no answer comes.
        """
        self.forget()
        new = await self.begin(messages, last)
        await self.settled()
        return new

    async def begin(self, messages: Sequence[Message], last: int) -> int:
        """Send what comes after sequence `last` once at most AHEAD earlier calls are under way; answers the sequence
        that the last of these messages will have. At most MOST messages. Raises as `publish`, for earlier calls too."""
        await self._settle(AHEAD)
        new = last + len(messages)
        atomic = len(messages) >= ATOMIC_FROM
        self._awaited.append((last, new, atomic))
        frames = self._atomic(messages, last) if atomic else self._singles(messages, last)
        await _send(self._client, frames)
        return new

    async def settled(self) -> None:
        """Wait until everything that was begun is acknowledged. Raises as `publish`."""
        await self._settle(0)

    def cut(self) -> None:
        """The connection was made anew: what is being waited for may have been lost with the old one."""
        self._cut = True
        self._arrived.set()

    async def _on_ack(self, message: Msg) -> None:
        self._acks[int(message.subject.rpartition(".")[2])] = message.data
        self._arrived.set()

    async def _settle(self, but: int) -> None:
        try:
            async with asyncio.timeout(ACK_WITHIN):
                while len(self._awaited) > but:
                    await self._acknowledged(*self._awaited[0])
                    _, self.acknowledged, _ = self._awaited.popleft()
        except TimeoutError as error:
            raise BusUnavailable("The broker gave no answer.") from error

    async def _acknowledged(self, last: int, new: int, atomic: bool) -> None:
        while new not in self._acks:
            if atomic and self._acks.get(last + 1):  # an empty message only says that the batch has been opened
                _check(self._acks.pop(last + 1), new)
            await self._more()
        if atomic:
            self._acks.pop(last + 1, None)
        _check(self._acks.pop(new), new)

    async def _more(self) -> None:
        """Wait for the next acknowledgement. Raises BusUnavailable when the connection was cut."""
        self._arrived.clear()
        if not self._cut:
            await self._arrived.wait()
        if self._cut:
            raise BusUnavailable("The connection was lost while publishing.")

    def _singles(self, messages: Sequence[Message], last: int) -> list[bytes]:
        """Only the last is answered: it follows all the others, so the server refuses it when one was not stored."""
        frames: list[bytes] = []
        for n, m in enumerate(messages, last + 1):
            head = b"NATS/1.0\r\nNats-Expected-Last-Sequence: %d\r\n%s\r\n" % (n - 1, m.headers)
            to = b"%s %s.%d" % (m.subject, self._inbox, n) if n == last + len(messages) else m.subject
            frames.append(_frame(to, head, m.body))
        return frames

    def _atomic(self, messages: Sequence[Message], last: int) -> list[bytes]:
        """The first message says what the batch expects, the last one commits it; only these two are answered."""
        start = b"NATS/1.0\r\nNats-Batch-Id: %s\r\nNats-Batch-Sequence: " % uuid4().hex.encode()
        frames: list[bytes] = []
        for n, m in enumerate(messages, 1):
            to, extra = m.subject, b""
            if n == 1:
                to, extra = b"%s %s.%d" % (to, self._inbox, last + 1), b"Nats-Expected-Last-Sequence: %d\r\n" % last
            elif n == len(messages):
                to, extra = b"%s %s.%d" % (to, self._inbox, last + n), b"Nats-Batch-Commit: 1\r\n"
            frames.append(_frame(to, b"%s%d\r\n%s%s\r\n" % (start, n, extra, m.headers), m.body))
        return frames


async def tell(client: Client, messages: Sequence[Message]) -> None:
    """Send to whoever listens at this moment: no stream may keep these subjects, and nobody answers.

    Raises BusUnavailable: what is told while the broker is away shall not be kept for it."""
    if not client.is_connected:
        raise BusUnavailable("The broker is away.")
    frames = [_frame(m.subject, b"NATS/1.0\r\n%s\r\n" % m.headers, m.body) for m in messages]
    await _send(client, frames)


async def _send(client: Client, frames: Sequence[bytes]) -> None:
    try:
        async with asyncio.timeout(ACK_WITHIN):
            await client._send_command(b"".join(frames))
            await client._flush_pending()
    except (TimeoutError, NatsError, OSError) as error:
        raise BusUnavailable(f"The broker takes nothing ({type(error).__name__}).") from error


def _frame(to: bytes, head: bytes, body: bytes) -> bytes:
    return b"HPUB %s %d %d\r\n%s%s\r\n" % (to, len(head), len(head) + len(body), head, body)


def _check(ack: bytes, expected: int) -> None:
    if not ack:
        raise BusUnavailable("Nothing listens for this stream's subjects.")
    answer = json.loads(ack)
    error = answer.get("error")
    if error is not None:
        if error.get("err_code") in (10071, 10164):  # wrong last sequence, alone or for a batch
            raise OutOfSequence(error.get("description", ""))
        raise BusUnavailable(f"{error.get('description', 'refused')} ({error.get('err_code')})")
    if answer.get("seq") != expected:
        raise OutOfSequence(f"Sequence {answer.get('seq')} where {expected} was expected.")


async def ask(client: Client, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One question to JetStream's API. Raises BusUnavailable; an `error` in the answer is left to the caller."""
    try:
        reply = await client.request(f"$JS.API.{what}", json.dumps(body).encode() if body else b"", timeout=5)
    except (TimeoutError, NatsError, OSError) as error:
        raise BusUnavailable(f"JetStream gave no answer ({type(error).__name__}).") from error
    return json.loads(reply.data)


async def ensure_stream(client: Client, name: str, subjects: Sequence[str]) -> None:
    """Make the stream if it is not there: file storage, atomic batches, nothing may be deleted from it."""
    answer = await ask(client, f"STREAM.INFO.{name}")
    if not (answer.get("error") and answer["error"].get("err_code") == 10059):
        _raise(answer)
        return
    config = {
        "name": name,
        "subjects": list(subjects),
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "allow_atomic": True,
        "allow_direct": True,
        "deny_delete": True,
        "deny_purge": True,
    }
    _raise(await ask(client, f"STREAM.CREATE.{name}", config))


async def stream_end(client: Client, name: str) -> StreamEnd:
    """Where the stream ends. Raises BusUnavailable, also when there is no such stream."""
    info = await ask(client, f"STREAM.INFO.{name}")
    _raise(info)
    sequence = info["state"]["last_seq"]
    if sequence == 0:
        return StreamEnd(0, None)
    found = await ask(client, f"STREAM.MSG.GET.{name}", {"seq": sequence})
    _raise(found)
    block = base64.b64decode(found["message"].get("hdrs", "")).decode()
    ids = [line[7:] for line in block.split("\r\n") if line.lower().startswith("ce-id: ")]
    return StreamEnd(sequence, ids[0] if ids else None)


def _raise(answer: dict[str, Any]) -> None:
    if error := answer.get("error"):
        raise BusUnavailable(f"{error.get('description', 'refused')} ({error.get('err_code')})")
