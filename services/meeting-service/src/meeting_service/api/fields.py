"""What may stand in a field that comes from outside? Checked before anything else, and never repeated back."""

from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.numbers import organisation_number

OrgNrIn = Annotated[str, AfterValidator(organisation_number), Field(max_length=20)]
Yes = Annotated[bool, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=5, le=480, description="How long it is to last")]
Arranged = Annotated[int, Field(strict=True, ge=1, description="`arrangement` of the meeting, as it was read")]
SituationIn = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,80}$", description="A situation's code")]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Prose = Annotated[str, Field(min_length=1, max_length=2000)]
MinutesText = Annotated[str, Field(min_length=1, max_length=20_000)]
