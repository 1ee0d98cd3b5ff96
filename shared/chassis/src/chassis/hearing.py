"""What does a message say that came from another service's stream? A row of `heard`, read from its header lines."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncpg.pgproto.pgproto import UUID

from chassis.envelope import header_fields
from chassis.frames import Delivered

MALFORMED = "malformed"
"""The type under which a message is kept whose headers cannot be read."""

_NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def sequence(message: Delivered) -> int:
    """The stream sequence in an acknowledgement subject: `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>...`"""
    return int(message.reply.split(".", 6)[5])


def place_told(message: Delivered) -> int:
    """The position in the subject under which a service tells its fact; 0 when there is none."""
    place = message.subject.rpartition(".")[2]
    return int(place) if place.isdecimal() and not message.reply else 0


def event_id(message: Delivered) -> bytes:
    """The `ce-id` in its header lines, as it stands there; empty when there is none."""
    _, _, rest = message.headers.partition(b"ce-id: ")
    return rest.partition(b"\r\n")[0]


def row_of(source: str, place: int, message: Delivered) -> Sequence[Any]:
    """A row of `heard`, and the message's traceparent behind it."""
    try:
        return _read(source, place, message)
    except ValueError:  # its headers are not an envelope's; it keeps its place and is set aside
        raw = message.headers
        return (source, place, None, MALFORMED, 0, "", 0, None, message.data, raw, _NEVER, None)


_AS_RELAYED = re.compile(
    rb"ce-type: (.+)\r\nce-subject: (.+)\r\nce-schemaversion: (\d+)\r\nce-streamversion: (\d+)\r\n"
    rb"ce-recordedtime: (.+)\r\ncontent-type: .+\r\nce-id: (.+)\r\n(?:ce-(?!caseid).+\r\n)*"
    rb"(?:ce-caseid: (.+)\r\n(?:ce-(?!caseid).+\r\n)*)?(?:traceparent: (.+)\r\n)?$"
).search
"""Header lines in the order in which a relay writes them, read at a quarter of the cost of any other order."""

Told = tuple[str, str, str, str, str | None, str | None, str | None, str | None]


def _told(headers: bytes) -> Told:
    """Type, stream, schema version, stream version, recorded time, event id, case id and traceparent."""
    found = _AS_RELAYED(headers)
    if found is not None:
        name, stream, schema, version, recorded, event_id = [value.decode() for value in found.groups()[:6]]
        case, trace = [None if value is None else value.decode() for value in found.groups()[6:]]
        return name, stream, schema, version, recorded, event_id, case, trace
    h = header_fields(headers)
    return (
        h.get("ce-type", "withheld"), h.get("ce-subject", ""), h.get("ce-schemaversion", "1"),
        h.get("ce-streamversion", "0"), h.get("ce-recordedtime"), h.get("ce-id"), h.get("ce-caseid"),
        h.get("traceparent"),
    )  # fmt: skip


def _read(source: str, place: int, message: Delivered) -> Sequence[Any]:
    name, stream, schema, version, recorded, event_id, case, trace = _told(message.headers)
    return (
        source,
        place,
        UUID(event_id) if event_id is not None else None,
        name,
        int(schema),
        stream,
        int(version),
        UUID(case) if case else None,
        message.data,
        message.headers,
        datetime.fromisoformat(recorded) if recorded else _NEVER,
        trace,
    )
