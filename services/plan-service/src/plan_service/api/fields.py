"""What may stand in a field that comes from outside? Checked before anything else, and never repeated back."""

from typing import Annotated

from pydantic import AfterValidator, Field
from stdnum import luhn

SOLE_TRADER = (
    "This looks like a personal identity number, such as sole traders have. It is not taken here: no person's number "
    "may travel with an event. Sole traders are registered through the case, under a pseudonymous reference."
)
TEN_DIGITS = "An organisation number has ten digits."


def organisation_number(text: str) -> str:
    """Ten digits of a legal person's number. Raises ValueError, without the number, for anything else.

    The third digit is at least 2, the last one is a check digit; twelve digits with the prefix 16 are the same number
    (SKV M 2010:3). A lower third digit is the month of a birth date: a person's number."""
    digits = text.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (10, 12):
        raise ValueError(TEN_DIGITS)
    if len(digits) == 12 and not digits.startswith("16"):
        raise ValueError(SOLE_TRADER if digits[:2] in ("18", "19", "20") else TEN_DIGITS)
    digits = digits[-10:]
    if digits[2] < "2":
        raise ValueError(SOLE_TRADER)
    if not luhn.is_valid(digits):
        raise ValueError("The check digit of the organisation number is wrong.")
    return digits


OrgNrIn = Annotated[str, AfterValidator(organisation_number), Field(max_length=20)]
Yes = Annotated[bool, Field(strict=True)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=1000)]
