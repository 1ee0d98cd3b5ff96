"""Where does a party want its messages? What we know, what may be asked, and what we answer."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, record
from contracts.notification import ContactSet, ReminderChannel

# --- what we know ---


@record
class NoContact: ...


@record
class Reachable:
    """`address` is an e-mail address, `phone` a number; blank when not given and once the party has been forgotten."""

    channels: tuple[ReminderChannel, ...]
    language: str
    address: str
    phone: str = ""


Contact = NoContact | Reachable


def evolve(contact: Contact, event: ContactSet) -> Contact:
    match event:
        case ContactSet(channels=channels, language=language, address=address, phone=phone):
            return Reachable(channels=channels, language=language, address=address, phone=phone)


# --- what may be asked ---


@record
class SetContact:
    """`party_ref` names the party as deadlines do; `party_key` is the id of the key that seals its address."""

    party_ref: str
    party_key: UUID
    channels: tuple[ReminderChannel, ...]
    language: str
    address: str
    phone: str = ""


# --- what we answer ---


def decide(command: SetContact, contact: Contact) -> Sequence[ContactSet]:
    match contact:
        case NoContact():
            return [_told(command)]
        case Reachable():
            return [] if contact == _wished(command) else [_told(command)]
        case _:
            assert_never(contact)


def _wished(command: SetContact) -> Reachable:
    return Reachable(channels=command.channels, language=command.language, address=command.address, phone=command.phone)


def _told(command: SetContact) -> ContactSet:
    return ContactSet(
        party_ref=command.party_ref,
        party_key=command.party_key,
        channels=command.channels,
        language=command.language,
        address=command.address,
        phone=command.phone,
    )


decider: Decider[SetContact, Contact, ContactSet] = Decider(initial=NoContact(), decide=decide, evolve=evolve)
contact = Aggregate(category="contact", decider=decider)
"""Streams are named `contact-<partyKey>`."""
