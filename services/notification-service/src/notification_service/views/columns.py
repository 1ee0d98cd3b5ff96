"""Where the read models' tables stand, and which case a fact of an agenda belongs to."""

from uuid import UUID

import sqlalchemy as sa

from chassis.view import Heard

METADATA = sa.MetaData(schema="views")
AGENDA = "agenda-"
OWN = "notification"


def in_an_agenda(heard: Heard) -> bool:
    return heard.stream.startswith(AGENDA)


def case_of(heard: Heard) -> UUID:
    """The case whose agenda this fact stands in: streams are named `agenda-<caseId>`."""
    return UUID(heard.stream.removeprefix(AGENDA))
