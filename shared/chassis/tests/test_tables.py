"""A decision table is printed in the words of the code, or not at all."""

from typing import assert_never

import pytest

from chassis.decider import Refused, record
from chassis.tables import HEAD, NotATable, decision_table


@record
class Open:
    """a door that is open"""


@record
class Closed:
    """a door that is closed"""

    locked: bool


@record
class Enter:
    """go in"""


@record
class Close:
    """close the door"""

    hard: bool


@record
class Entered:
    """Somebody went in."""


class DoorClosed(Refused):
    reason = "The door is closed."


class TooLoud(Refused):
    reason = "People sleep."


def locked(door: Closed) -> bool:
    """it is locked"""
    return door.locked


def quietly(command: Close) -> Entered:
    return check(command)


def check(command: Close) -> Entered:
    if command.hard:
        raise TooLoud
    return Entered()


def decide(command: Enter | Close, door: Open | Closed) -> list[Entered]:
    match command, door:
        case Enter(), Open():
            return [Entered()]
        case Enter(), Closed() if not locked(door):
            return [Entered(), Entered()]
        case Enter(), Closed():
            raise DoorClosed
        case Close(), Open():
            return [quietly(command)]
        case Close(), Closed():
            return []  # it is closed already
        case _:
            assert_never((command, door))


def test_a_table_says_who_wants_what_when_and_what_follows() -> None:
    assert decision_table(decide) == HEAD + (
        "| go in | a door that is open |  | **Entered** |\n"
        "| go in | a door that is closed | not: it is locked | **Entered**; **Entered** |\n"
        "| go in | a door that is closed |  | refused: The door is closed. |\n"
        "| close the door | a door that is open |  | **Entered** – or refused: People sleep. |\n"
        "| close the door | a door that is closed |  | nothing new: it is closed already |\n"
    )


def wordless(command: Enter, door: Open) -> bool:
    return True


def without_words(command: Enter, door: Open) -> list[Entered]:
    match command, door:
        case Enter(), Open() if wordless(command, door):
            return []
        case _:
            return []


def with_a_loose_condition(command: Enter, door: Closed) -> list[Entered]:
    match command, door:
        case Enter(), Closed() if door.locked:
            return []
        case _:
            return []


def without_a_table(command: Enter, door: Open) -> list[Entered]:
    return []


@pytest.mark.parametrize("unprintable", [without_words, with_a_loose_condition, without_a_table])
def test_what_cannot_be_said_in_words_is_not_printed(unprintable: object) -> None:
    with pytest.raises(NotATable):
        decision_table(unprintable)  # type: ignore[arg-type]
