"""What may stand in a field that comes from outside? Checked before anything else, and never repeated back."""

from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.numbers import organisation_number

OrgNrIn = Annotated[str, AfterValidator(organisation_number), Field(max_length=20)]
Yes = Annotated[bool, Field(strict=True)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=1000)]
