"""A message says the same whether its header lines come as our relay writes them or in any other order."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.frames import Delivered
from chassis.hearing import MALFORMED, row_of

ID = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RELAYED = (
    b"Nats-Expected-Last-Sequence: 56\r\nce-specversion: 1.0\r\nce-source: /plan\r\nce-type: PlanSubmitted\r\n"
    b"ce-subject: employment-1\r\nce-schemaversion: 2\r\nce-streamversion: 3\r\n"
    b"ce-recordedtime: 2026-03-02T12:00:00+00:00\r\ncontent-type: application/json\r\n"
)
some_id = st.none() | st.uuids()


def came(headers: bytes) -> Delivered:
    return Delivered("plan.0.PlanSubmitted.v2", "$JS.ACK.PLAN.notification.1.57.1.1700000000.0", headers, b"{}")


@given(
    case=some_id, correlation=some_id, causation=some_id, consents=st.lists(st.uuids(), max_size=2),
    basis=st.sampled_from([None, "SFB 110:31 §"]), trace=st.sampled_from([None, f"00-{'a' * 32}-{'b' * 16}-01"]),
    order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_in_which_order_the_header_lines_come_changes_nothing(
    case: UUID | None, correlation: UUID | None, causation: UUID | None, consents: list[UUID], basis: str | None,
    trace: str | None, order: Random,
) -> None:  # fmt: skip
    envelope = Envelope(
        event_id=ID, occurred_at=NOON, actor=SYSTEM, case_id=case, correlation_id=correlation, causation_id=causation,
        consent_ids=tuple(consents), legal_basis=basis, traceparent=trace,
    )  # fmt: skip
    headers = RELAYED + to_headers(envelope)
    lines = headers.split(b"\r\n")[:-1]
    order.shuffle(lines)
    shuffled = b"".join(line + b"\r\n" for line in lines)
    row = row_of("plan", 57, came(headers))
    assert row == ("plan", 57, ID, "PlanSubmitted", 2, "employment-1", 3, case, b"{}", headers, NOON, trace)
    assert row_of("plan", 57, came(shuffled)) == (*row[:9], shuffled, *row[10:])


def test_headers_that_cannot_be_read_keep_their_place() -> None:
    headers = RELAYED.replace(b"ce-schemaversion: 2", b"ce-schemaversion: two")
    row = row_of("plan", 57, came(headers))
    assert (row[1], row[3], row[9]) == (57, MALFORMED, headers)
    assert row_of("plan", 57, came(RELAYED + b"ce-id: no-id\r\n"))[3] == MALFORMED


def test_a_message_without_headers_is_one_that_was_withheld() -> None:
    assert row_of("plan", 57, came(b""))[:4] == ("plan", 57, None, "withheld")
