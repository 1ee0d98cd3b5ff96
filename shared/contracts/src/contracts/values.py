"""Words that several services must agree on: references, codes and numbers, each with its data class."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from chassis.classes import Coded, DataClass

Ref = Annotated[UUID, DataClass.P]
"""A pseudonymous reference. It tells nothing to whom holds no key to it."""

Moment = Annotated[datetime, DataClass.P]
"""When something was done, RFC 3339 UTC."""

Day = Annotated[date, DataClass.D]
"""A Swedish local date."""

Days = Annotated[int, DataClass.D]
"""A number of days. `spell_day` = date - first sick day + 1."""

Count = Annotated[int, DataClass.P]

Pct = Annotated[int, DataClass.D]
"""A share in per cent."""

OrgNr = Annotated[str, DataClass.W, Coded(r"\d{10}")]
"""An organisationsnummer of a legal person: ten digits, third at least 2, Luhn. A sole trader's number is a person's
number and therefore never stands here."""

Sha256 = Annotated[str, DataClass.W, Coded(r"[0-9a-f]{64}")]

Code = Annotated[str, DataClass.P, Coded(r"[A-Za-z0-9_.:/-]{1,80}")]
"""A technical code: a role, a rule, a template, a deadline's kind."""

PARTIES = {
    "fk": "FK", "emp": "EMPLOYER", "ohs": "OHS", "union": "UNION", "care": "CARE", "af": "AF", "mun": "MUN",
    "finsam": "FINSAM", "av": "AV", "person": "PERSON", "ops": "OPS",
}  # fmt: skip
"""The organisation type to which a role belongs, by the part of the role code before its dot."""

HsaId = Annotated[str, DataClass.P, Coded(r"SE\d{10}-[A-Za-z0-9]{1,18}")]
"""A unit or a person in health care, by its number in the HSA catalogue: at most 31 characters. Towards employers it is
as sensitive as class M2: which clinic wrote tells something about health."""

OrgId = Annotated[str, DataClass.P, Coded(r"\d{10}|person")]
"""An organisation as tokens name it: a public authority or a region by its organisation number."""


class EmploymentKind(StrEnum):
    ORDINARY = "ORDINARY"
    SHELTERED = "SHELTERED"
    THREE_QUARTER = "THREE_QUARTER"
    SELF = "SELF"
