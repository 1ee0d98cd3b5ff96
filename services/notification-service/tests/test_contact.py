from typing import Any
from uuid import UUID

from chassis.testing import scenarios
from contracts.notification import ContactSet, ReminderChannel
from notification_service.domain.contact import SetContact, decider

given = scenarios(decider)
PARTY: dict[str, Any] = {
    "party_ref": "employer:5560125790",
    "party_key": UUID("00000000-0000-0000-0000-000000000007"),
    "channels": (ReminderChannel.EMAIL,),
    "language": "sv",
}


def test_a_first_contact_is_set() -> None:
    given().when(SetContact(address="hr@example.com", **PARTY)).then(ContactSet(address="hr@example.com", **PARTY))


def test_another_address_replaces_it() -> None:
    given(ContactSet(address="old@example.com", **PARTY)).when(SetContact(address="hr@example.com", **PARTY)).then(
        ContactSet(address="hr@example.com", **PARTY)
    )


def test_the_same_contact_again_is_nothing_new() -> None:
    given(ContactSet(address="hr@example.com", **PARTY)).when(
        SetContact(address="hr@example.com", **PARTY)
    ).nothing_happens()
