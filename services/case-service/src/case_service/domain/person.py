"""Which reference does a personal number have here? The first to ask mints it, and the log's order says who was first.

The stream is named after the number's keyed hash. Two who open a case for the same new person at once write to the same
stream: one is first, and the other finds the reference that is there.
"""

from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, record
from contracts.case import PersonRegistered


@record
class NotKnown:
    """no reference for this number"""


@record
class Known:
    """a person with a reference"""

    person: PersonRegistered


Situation = NotKnown | Known


@record
class RegisterPerson:
    """give a number a reference"""

    person_ref: UUID
    person_id: str


def evolve(situation: Situation, fact: PersonRegistered) -> Situation:
    return Known(person=fact)


def decide(command: RegisterPerson, situation: Situation) -> list[PersonRegistered]:
    match command, situation:
        case RegisterPerson(), NotKnown():
            return [PersonRegistered(person_ref=command.person_ref, person_id=command.person_id)]
        case RegisterPerson(), Known():
            return []  # the first reference stands
        case _:
            assert_never((command, situation))


decider: Decider[RegisterPerson, Situation, PersonRegistered] = Decider(
    initial=NotKnown(), decide=decide, evolve=evolve
)
person = Aggregate("person", decider)
