"""Which person is this? A number is looked up by its keyed hash, and never stands in an address, a log or an answer.

The hash names the stream in which the number's reference was minted, so the log itself sees to it that a number has
one reference. The key follows from the master key: whoever has only the database cannot try numbers out.
"""

import hmac
from datetime import date
from typing import Any
from uuid import UUID

from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.se import personnummer

from case_service.domain.person import Known, RegisterPerson, person
from chassis.clock import new_id
from chassis.decider import Invalid, Unknown
from chassis.http import Acting

COORDINATION = 60
"""What is added to the day of birth in a samordningsnummer."""


class InvalidPersonId(Invalid):
    field = "personId"
    reason = "This is not a personal identity number or a coordination number."
    do = "Check the digits: the date of birth, four more, the last of them a check digit."


class PersonUnknown(Unknown):
    reason = "Nobody with this number is known here."
    do = "Check the number. A person becomes known when a case is opened."


def canonical(number: str, today: date) -> str:
    """The number with twelve digits: YYYYMMDDNNNN. Raises InvalidPersonId, which does not repeat it.

    A coordination number has 60 added to its day (SKV 707); its check digit is worked out with the day as written."""
    try:
        written = personnummer.compact(number)
        digits = written[:-5] + written[-4:]
        if written[-5] not in "-+" or not (digits.isascii() and digits.isdigit()) or len(digits) not in (10, 12):
            raise InvalidPersonId
        luhn.validate(digits[-10:])
        day = int(digits[-6:-4])
        coordination = day > COORDINATION
        plain = f"{digits[:-6]}{day - COORDINATION * coordination:02}{written[-5:]}"
        born = personnummer.get_birth_date(plain)
    except (ValidationError, ValueError, IndexError):
        raise InvalidPersonId from None
    if born > today:
        raise InvalidPersonId
    return f"{born.year:04}{born.month:02}{born.day + COORDINATION * coordination:02}{digits[-4:]}"


def index_of(runtime: Any, number: str) -> UUID:
    """The keyed hash of a canonical number, as an id."""
    n = int.from_bytes(hmac.digest(runtime.secret_for("person-index"), number.encode(), "sha256")[:16], "big")
    return UUID(int=n & ~(0xF << 76) & ~(3 << 62) | (8 << 76) | (2 << 62))


async def known(runtime: Any, number: str) -> UUID | None:
    """The reference of a canonical number, None where it has none."""
    situation, _ = await runtime.load(person, index_of(runtime, number))
    return situation.person.person_ref if isinstance(situation, Known) else None


async def known_or_new(act: Acting, runtime: Any, number: str) -> UUID:
    """The reference of a canonical number, minted when it has none. Two who ask at once get the same."""
    ref = await known(runtime, number)
    if ref is None:
        await act.beside(person, index_of(runtime, number), RegisterPerson(person_ref=new_id(), person_id=number))
        ref = await known(runtime, number)
    assert ref is not None
    return ref
