"""Who can be written to, and under which names? `employer:<organisation number>` and `role:<role>`."""

import re
from uuid import UUID, uuid5

from stdnum.exceptions import ValidationError
from stdnum.se import orgnr

NAMES = UUID("c2b7c3d8-53a1-5a0e-8f0e-6f3c1f0a9b21")
"""The namespace of party keys. It never changes."""


def party_key(party_ref: str) -> UUID:
    """The id of a party's contact stream and of the key that seals its address."""
    return uuid5(NAMES, party_ref)


def is_employer(party_ref: str) -> bool:
    """`employer:` and the number of a legal person. A sole trader's number is a person's, so it never names a party."""
    kind, _, number = party_ref.partition(":")
    if kind != "employer" or not re.fullmatch(r"\d{10}", number) or number[2] < "2":
        return False
    try:
        orgnr.validate(number)
    except ValidationError:
        return False
    return True
