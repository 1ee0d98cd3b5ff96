"""What decisions promise and no other test holds yet (docs/decisions)."""

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chassis import fold
from chassis.codec import Codec, NotACode
from chassis.envelope import Actor, Envelope, from_headers, to_headers
from chassis.schema import LOG
from contracts.notification import NOTIFICATION, ContactSet, ReminderChannel, TaskDone
from contracts.numbers import organisation_number

MARKER = "Xq7 marked"
A_PERSONS_NUMBER = "8112189876"  # the authorities' own printed example


# --- 0001 ---


@pytest.mark.parametrize("query", [fold.OWN, fold.HEARD])
def test_what_is_published_or_folded_is_selected_without_the_sealed_part(query: str) -> None:
    columns = re.fullmatch(r"select (.*) from (events|heard) where .*", query)
    assert columns is not None
    assert {c.strip() for c in columns[1].split(",")} <= {
        "position", "stream_id", "version", "event_id", "type", "schema_version", "data", "envelope", "recorded_at",
    }  # fmt: skip


def test_what_people_may_look_at_says_only_whether_something_is_sealed() -> None:
    shown = LOG.partition("create view readable_events as")[2]
    assert shown.count("sealed") == shown.count("sealed is not null as has_sealed") + shown.count("has_sealed") == 2


def test_a_sealed_field_is_in_the_sealed_part_only() -> None:
    fact = ContactSet(party_ref="employer:5560360793", party_key=uuid4(), channels=(ReminderChannel.EMAIL,),
                      language="sv", address=MARKER)  # fmt: skip
    encoded = Codec(NOTIFICATION).encode(fact)
    assert encoded.sealed is not None
    assert (MARKER.encode() in encoded.open, MARKER.encode() in encoded.sealed) == (False, True)


# --- 0002 ---


def test_an_envelope_comes_back_from_its_header_lines() -> None:
    envelope = Envelope(
        event_id=UUID(int=1), occurred_at=datetime(2026, 3, 2, 8, tzinfo=UTC), correlation_id=UUID(int=2),
        causation_id=UUID(int=3), case_id=UUID(int=4), legal_basis="SFB 110:31 §\r\nce-id: another",
        consent_ids=(UUID(int=5), UUID(int=6)), traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
        actor=Actor(org_type="FK", org_id="2021005521", role="Handläggare, södra", user_ref="u"),
    )  # fmt: skip
    block = to_headers(envelope)
    assert block.isascii()
    assert from_headers(block) == envelope


# --- 0008 ---


@pytest.mark.parametrize("written", [A_PERSONS_NUMBER, f"19{A_PERSONS_NUMBER}", "811218-9876", f"16{A_PERSONS_NUMBER}"])
def test_a_persons_number_is_no_organisation_number_and_is_not_repeated(written: str) -> None:
    with pytest.raises(ValueError, match="personal identity number") as told:
        organisation_number(written)
    assert "9876" not in str(told.value)


# --- 0010 ---


def test_prose_in_a_coded_field_is_not_written() -> None:
    with pytest.raises(NotACode) as told:
        Codec(NOTIFICATION).encode(TaskDone(deadline_id=uuid4(), kind=MARKER, about=uuid4()))
    assert MARKER not in str(told.value)
