"""Who can be written to, and under which names? `employer:<organisation number>` and so on, `person:<personRef>`, and
`role:<role>`."""

import re
from uuid import UUID, uuid5

from stdnum.exceptions import ValidationError
from stdnum.se import orgnr

from chassis.envelope import Actor

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


KINDS = {"EMPLOYER": "employer", "CARE": "care", "AF": "af", "MUN": "mun", "FINSAM": "finsam", "OHS": "ohs",
         "UNION": "union"}  # fmt: skip
"""What a party's name begins with, by the organisation type in a token."""


def is_party(party_ref: str) -> bool:
    """May this be written to? An organisation by its number, a person by its reference."""
    kind, _, name = party_ref.partition(":")
    if kind == "person":
        return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name) is not None
    return kind in ("fk", *KINDS.values()) and is_employer(f"employer:{name}")


def name_of(who: Actor) -> str:
    """The caller, as facts name parties: an insured person by the reference in the token."""
    if who.org_type == "PERSON":
        return f"person:{who.user_ref}"
    return f"{KINDS.get(who.org_type, 'role')}:{who.org_id if who.org_type in KINDS else who.role}"


def inbox_of(who: Actor) -> tuple[str, ...]:
    """Every name under which a message lies in the caller's inbox."""
    return names_of(who) or (f"fk:{who.org_id}",)


def names_of(who: Actor) -> tuple[str, ...]:
    """Every name by which a deadline or a message may mean the caller; none for FK, whose tasks go by role."""
    return () if who.org_type == "FK" else tuple(dict.fromkeys((name_of(who), f"role:{who.role}")))
