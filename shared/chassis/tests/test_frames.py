"""What the broker sends reaches who follows it whole and in order, however the bytes are cut up on the way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from chassis.frames import Delivered, Frames

HEADERS = b"NATS/1.0\r\nce-id: 1\r\nce-type: A\r\n\r\n"
TIMED_OUT = b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n"


class Client:
    """What nats-py's parser calls, noting it."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    async def _process_msg(self, *message: Any) -> None:
        self.told.append(message)

    async def _process_ping(self) -> None:
        self.told.append("ping")


def hmsg(sid: int, reply: bytes, headers: bytes, body: bytes) -> bytes:
    return b"HMSG a.b %d %s%d %d\r\n%s%s\r\n" % (sid, reply, len(headers), len(headers) + len(body), headers, body)


STREAM = b"".join(
    [
        b"PING\r\n",
        hmsg(7, b"ack.1 ", HEADERS, b"one\r\nHMSG a.b 7 x 1 2\r\n"),
        b"MSG other 3 4\r\nabcd\r\n",
        hmsg(7, b"", TIMED_OUT, b""),
        b"MSG a.b 7 ack.2 0\r\n\r\n",
        hmsg(3, b"", HEADERS, b"elsewhere"),
        hmsg(7, b"ack.3 ", HEADERS, b""),
        hmsg(7, b"", HEADERS, b"told"),
        b"MSG a.b 7 4\r\nbare\r\n",
    ]
)


@given(st.lists(st.integers(1, 60), max_size=40))
async def test_messages_come_whole_and_in_order_however_the_bytes_are_cut(cuts: list[int]) -> None:
    client, came = Client(), list[Delivered]()
    frames = Frames(client)
    frames.straight[b"7"] = came.append
    at = 0
    for length in [*cuts, len(STREAM)]:
        await frames.parse(STREAM[at : at + length])
        at += length
    assert came == [
        Delivered("a.b", "ack.1", b"ce-id: 1\r\nce-type: A\r\n", b"one\r\nHMSG a.b 7 x 1 2\r\n"),
        Delivered("a.b", "ack.2", b"", b""),
        Delivered("a.b", "ack.3", b"ce-id: 1\r\nce-type: A\r\n", b""),
        Delivered("a.b", "", b"ce-id: 1\r\nce-type: A\r\n", b"told"),
        Delivered("a.b", "", b"", b"bare"),
    ]
    assert client.told == [
        "ping",
        (3, b"other", b"", b"abcd", None),
        (7, b"a.b", b"", b"", TIMED_OUT),
        (3, b"a.b", b"", b"elsewhere", HEADERS),
    ]


async def test_what_was_left_of_a_connection_is_not_taken_for_the_beginning_of_the_next() -> None:
    client, came = Client(), list[Delivered]()
    frames = Frames(client)
    frames.straight[b"7"] = came.append
    await frames.parse(b"HMSG a.b 7 ack 30 40\r\nNATS")
    frames.reset()
    await frames.parse(b"PING\r\n")
    assert (client.told, came) == (["ping"], [])


async def test_a_frame_that_does_not_say_how_long_it_is_is_an_error_of_the_protocol() -> None:
    with pytest.raises(ProtocolError):
        await Frames(Client()).parse(b"MSG a.b 7 long\r\n")
