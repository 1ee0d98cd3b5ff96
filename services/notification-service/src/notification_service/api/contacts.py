"""Where does a party want its messages? Said by the party, or by FK for it."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from chassis.decider import Invalid, Unknown
from chassis.envelope import Actor
from chassis.http import Act, Body, allow
from contracts.notification import ReminderChannel
from notification_service.api.who import PARTY
from notification_service.domain.contact import SetContact, contact
from notification_service.parties import is_party, name_of, party_key

router = APIRouter()

PHONE = r"^\+[1-9][0-9]{6,14}$"

ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"


class InvalidPartyRef(Invalid):
    reason = (
        "A party is named employer:<organisation number> (or care, af, mun, finsam, ohs, union) or person:<its id>."
    )
    do = "Check the number: ten digits of a legal person."
    field = "partyRef"


class PartyUnknown(Unknown):
    reason = "There is no such party, or not for you."


class AddressMissing(Invalid):
    reason = "E-mail can be chosen only with an address."
    do = "Give an address, or choose another channel."
    field = "address"


class PhoneMissing(Invalid):
    reason = "SMS can be chosen only with a number."
    do = "Give a number such as +46700000000, or choose another channel."
    field = "phone"


class Language(StrEnum):
    SV = "sv"
    EN = "en"


class Offered(StrEnum):
    """The channels that can be chosen today."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PORTAL = "PORTAL"


class ContactBody(Body):
    """Where a party wants its messages. An organisation's address is a function's, such as hr@..., rather than a
    person's. What comes by e-mail or SMS says only that there is a message."""

    channels: Annotated[list[Offered], Field(min_length=1, max_length=3, examples=[["EMAIL", "PORTAL"]])]
    language: Language = Language.SV
    address: Annotated[str | None, Field(pattern=ADDRESS, max_length=254, examples=["hr@example.com"])] = None
    phone: Annotated[str | None, Field(pattern=PHONE, examples=["+46700000000"])] = None


@router.put("/contacts/{partyRef}", tags=["contacts"], summary="Say where a party wants its messages")
async def set_contact(
    party_ref: Annotated[str, Path(alias="partyRef", max_length=80, examples=["employer:5560125790"])],
    body: ContactBody,
    act: Act,
    who: Annotated[Actor, allow(*PARTY, "fk.handler")],
) -> dict[str, Any]:
    if not is_party(party_ref):
        raise InvalidPartyRef
    if who.org_type != "FK" and party_ref != name_of(who):
        raise PartyUnknown
    if Offered.EMAIL in body.channels and not body.address:
        raise AddressMissing
    if Offered.SMS in body.channels and not body.phone:
        raise PhoneMissing
    command = SetContact(
        party_ref=party_ref,
        party_key=party_key(party_ref),
        channels=tuple(ReminderChannel(c) for c in dict.fromkeys(body.channels)),
        language=body.language.value,
        address=body.address or "",
        phone=body.phone or "",
    )
    answer = {"partyRef": party_ref, "channels": [c.value for c in command.channels], "language": command.language}
    done = await act(contact, command.party_key, command, answer=answer)
    return dict(done.answer)
