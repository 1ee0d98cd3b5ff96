"""What may stand in a field that comes from outside? Checked before anything else, and never repeated back."""

from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.numbers import organisation_number

OrgNrIn = Annotated[str, AfterValidator(organisation_number), Field(max_length=20)]
Yes = Annotated[bool, Field(strict=True)]
PersonId = Annotated[str, Field(min_length=10, max_length=13, description="Personnummer or samordningsnummer")]
HsaIdIn = Annotated[str, Field(pattern=r"^SE\d{10}-[A-Za-z0-9]{1,18}$", description="HSA-id")]
UserIn = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$", description="A user's pseudonymous reference")]
UnitIn = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,80}$", description="A unit's code")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=2000)]
