"""What may stand in a field that comes from outside? Checked before anything else, and never repeated back."""

from typing import Annotated

from pydantic import AfterValidator, Field
from stdnum import luhn

from chassis.days import Day as Day
from chassis.days import When as When

NOT_A_NUMBER = "An organisation number has ten digits, the third at least 2, and a check digit."


def organisation_number(text: str) -> str:
    """Ten digits of a legal person's number (SKV M 2010:3). Raises ValueError, without the number."""
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) == 12 and digits.startswith("16"):
        digits = digits[2:]
    if not (digits.isascii() and digits.isdigit()) or len(digits) != 10 or digits[2] < "2" or not luhn.is_valid(digits):
        raise ValueError(NOT_A_NUMBER)
    return digits


OrgNrIn = Annotated[str, AfterValidator(organisation_number), Field(max_length=20)]
Yes = Annotated[bool, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=5, le=480, description="How long it is to last")]
Arranged = Annotated[int, Field(strict=True, ge=1, description="`arrangement` of the meeting, as it was read")]
SituationIn = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,80}$", description="A situation's code")]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Prose = Annotated[str, Field(min_length=1, max_length=2000)]
MinutesText = Annotated[str, Field(min_length=1, max_length=20_000)]
