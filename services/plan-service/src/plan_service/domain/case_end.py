"""Does FK still follow the case? What this service has heard of it, kept in a stream of its own so that a request for a
plan can be held against it."""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, record
from contracts.plan import CaseEndNoted, CaseNote, CaseReopeningNoted


@record
class NoteEnd:
    """note that the case has been closed"""

    case_id: UUID
    closed_at: datetime


@record
class NoteReopening:
    """note that the case has been opened again"""

    case_id: UUID
    opening: int


Command = NoteEnd | NoteReopening


@record
class Followed:
    """FK follows the case, as far as is known"""


@record
class Ended:
    """FK has closed the case"""


Situation = Followed | Ended


def decide(command: Command, situation: Situation) -> list[CaseNote]:
    match command, situation:
        case NoteEnd(), Followed():
            return [CaseEndNoted(case_id=command.case_id, closed_at=command.closed_at)]
        case NoteEnd(), Ended():
            return []  # it is noted already
        case NoteReopening(), Ended():
            return [CaseReopeningNoted(case_id=command.case_id, opening=command.opening)]
        case NoteReopening(), Followed():
            return []  # it is noted already
        case _:
            assert_never((command, situation))


def evolve(situation: Situation, fact: CaseNote) -> Situation:
    match fact:
        case CaseEndNoted():
            return Ended()
        case CaseReopeningNoted():
            return Followed()


decider: Decider[Command, Situation, CaseNote] = Decider(initial=Followed(), decide=decide, evolve=evolve)
case_end = Aggregate("case", decider)
