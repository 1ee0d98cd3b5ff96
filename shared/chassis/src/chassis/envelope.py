"""Who did it, when, in which case, because of what: the part of a fact that every event has.

The envelope is stored in the form in which it travels: a block of CloudEvents 1.0 header lines (binary mode). What only
the log can know (position, stream version, recorded time) is added by the relay from the log's own columns.
"""

import functools
import re
from datetime import datetime
from urllib.parse import quote, unquote
from uuid import UUID

from chassis.decider import record

_TRACE = b"traceparent: "
_TRACE_LINE = len(_TRACE) + 55 + len(b"\r\n")

_PLAIN = re.compile(r"[A-Za-z0-9._:/+-]*").fullmatch


@record
class Actor:
    """Who acts: organisation type and id, role code, and the user's pseudonymous reference."""

    org_type: str
    org_id: str
    role: str
    user_ref: str


SYSTEM = Actor(org_type="SYSTEM", org_id="samordna", role="system", user_ref="system")


@record
class Envelope:
    """Everything around a fact. `case_id`, `correlation_id` and `causation_id` are absent where the law wants no link
    back to a person (supervision tips)."""

    event_id: UUID
    occurred_at: datetime
    actor: Actor
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    case_id: UUID | None = None
    legal_basis: str | None = None
    consent_ids: tuple[UUID, ...] = ()
    traceparent: str | None = None


def _safe(value: str) -> str:
    return value if _PLAIN(value) else _quoted(value)


@functools.lru_cache(maxsize=1024)
def _quoted(value: str) -> str:
    """Kept, because they are few: a law's paragraph, say, on every fact that rests on it."""
    return quote(value, safe="._:/+-")


@functools.lru_cache(maxsize=4096)
def _actor_lines(org_type: str, org_id: str, role: str, user_ref: str) -> str:
    """Kept, because who does something will soon do more."""
    return (
        f"ce-actororgtype: {_safe(org_type)}\r\nce-actororgid: {_safe(org_id)}\r\n"
        f"ce-actorrole: {_safe(role)}\r\nce-actoruser: {_safe(user_ref)}\r\n"
    )


def to_headers(e: Envelope) -> bytes:
    """The header lines, each ended by CRLF. Values outside plain ASCII are percent-encoded, as CloudEvents asks."""
    a = e.actor
    lines = [
        f"ce-id: {e.event_id}\r\nce-time: {e.occurred_at.isoformat()}\r\n",
        _actor_lines(a.org_type, a.org_id, a.role, a.user_ref),
    ]
    if e.correlation_id:
        lines.append(f"ce-correlationid: {e.correlation_id}\r\n")
    if e.causation_id:
        lines.append(f"ce-causationid: {e.causation_id}\r\n")
    if e.case_id:
        lines.append(f"ce-caseid: {e.case_id}\r\n")
    if e.legal_basis:
        lines.append(f"ce-legalbasis: {_safe(e.legal_basis)}\r\n")
    if e.consent_ids:
        lines.append(f"ce-consentids: {','.join(map(str, e.consent_ids))}\r\n")
    if e.traceparent:
        lines.append(f"traceparent: {e.traceparent}\r\n")
    return "".join(lines).encode()


def traceparent(block: bytes) -> str | None:
    """Where in a trace a fact was recorded: the last line of its headers, if it is there at all."""
    line = block[-_TRACE_LINE:]
    return line[len(_TRACE) : -2].decode() if line.startswith(_TRACE) else None


def header_fields(block: bytes) -> dict[str, str]:
    """Header lines as a dictionary, names in lower case, values still percent-encoded."""
    fields: dict[str, str] = {}
    for line in block.decode().split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            fields[name.lower()] = value
    return fields


def from_headers(block: bytes) -> Envelope:
    """The envelope back from its header lines. Raises KeyError or ValueError when they are not an envelope's."""
    return from_fields(header_fields(block))


def from_fields(h: dict[str, str]) -> Envelope:
    consents = h.get("ce-consentids")
    return Envelope(
        event_id=UUID(h["ce-id"]),
        occurred_at=datetime.fromisoformat(h["ce-time"]),
        actor=Actor(
            org_type=unquote(h["ce-actororgtype"]),
            org_id=unquote(h["ce-actororgid"]),
            role=unquote(h["ce-actorrole"]),
            user_ref=unquote(h["ce-actoruser"]),
        ),
        correlation_id=_uuid(h.get("ce-correlationid")),
        causation_id=_uuid(h.get("ce-causationid")),
        case_id=_uuid(h.get("ce-caseid")),
        legal_basis=unquote(b) if (b := h.get("ce-legalbasis")) else None,
        consent_ids=tuple(UUID(c) for c in consents.split(",")) if consents else (),
        traceparent=h.get("traceparent"),
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
