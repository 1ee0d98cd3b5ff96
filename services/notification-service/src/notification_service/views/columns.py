"""Where the read models' tables stand, and which agenda and which case a fact belongs to."""

from uuid import UUID

import sqlalchemy as sa

from chassis.view import Heard

METADATA = sa.MetaData(schema="views")
AGENDA, APART = "agenda-", "apart-"
OWN = "notification"


def agenda_of(heard: Heard) -> UUID:
    """The id of the agenda this fact stands in: of a case, or of what stands in none."""
    return UUID(heard.stream.removeprefix(AGENDA).removeprefix(APART))


def case_of(heard: Heard) -> UUID | None:
    """The case whose agenda this fact stands in: streams are named `agenda-<caseId>`. None for what stands apart."""
    return UUID(heard.stream.removeprefix(AGENDA)) if heard.stream.startswith(AGENDA) else None
