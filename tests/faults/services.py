"""What do the two services of a fault run say to each other? A teller counts; a hearer notes what it was told.

Small on purpose, but built with the same manifest as the product's services and run by the same chassis: facts with
sealed fields, facts that others may not see, commands that add several facts, a read model, a reaction.
"""

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter

from chassis.classes import DataClass
from chassis.clock import hashed_id
from chassis.decider import Aggregate, Decider, record
from chassis.facts import Fact, Facts
from chassis.react import Ask
from chassis.service import Service
from chassis.view import Heard, View

P, W = DataClass.P, DataClass.W
Number = Annotated[int, P]

RUNG = 16
"""Every so many-th command adds a fact that the hearer reacts to."""

KEPT = 10
"""Every so many-th command adds a fact that others may not see."""

SEVERAL = 12
"""Every so many-th command adds this many facts at once."""
AT_ONCE = 3


@record
class Counted:
    """Command number `n` was counted; `part` of several."""

    n: Number
    part: Number


@record
class Rung:
    """A number that is told to somebody: the words are sealed under `person`'s key."""

    n: Number
    part: Number
    person: Annotated[UUID, P]
    words: Annotated[str, W]


@record
class Kept:
    """A number that stays in the house: on the bus its place is taken by a message without a body."""

    n: Number
    part: Number


@record
class Noted:
    """The hearer's answer to a `Rung` that stood at `position`."""

    n: Number
    position: Number
    person: Annotated[UUID, P]
    words: Annotated[str, W]


TELLER = Facts(
    "teller",
    [Fact("Counted", 1, Counted), Fact("Rung", 1, Rung, person="person"), Fact("Kept", 1, Kept, published=False)],
)
HEARER = Facts("hearer", [Fact("Noted", 1, Noted, person="person")])


@record
class Count:
    """Command: count `n`."""

    n: int


@record
class Note:
    """Command: note what was told."""

    n: int
    position: int
    stream: str


def parts_of(n: int) -> int:
    """How many facts command `n` adds."""
    return AT_ONCE if n % SEVERAL == 0 else 1


def count(command: Count, so_far: int) -> list[Counted | Rung | Kept]:
    """Nothing is ever refused or left out: only the log may see that a command has been done before."""
    return [_fact(command.n, part) for part in range(parts_of(command.n))]


def _fact(n: int, part: int) -> Counted | Rung | Kept:
    if n % RUNG == 0:
        return Rung(n=n, part=part, person=hashed_id("person", str(n % 50)), words=f"ring {n}")
    return Kept(n=n, part=part) if n % KEPT == 0 else Counted(n=n, part=part)


def note(command: Note, so_far: int) -> list[Noted]:
    person = hashed_id("listener", command.stream)
    return [Noted(n=command.n, position=command.position, person=person, words=f"heard {command.n}")]


def one_more(so_far: int, _: object) -> int:
    return so_far + 1


SHEET = Aggregate("sheet", Decider(initial=0, decide=count, evolve=one_more))
BOOK = Aggregate("book", Decider(initial=0, decide=note, evolve=one_more))


def when_rung(heard: Heard, _: datetime) -> list[Ask]:
    command = Note(n=heard.fact.n, position=heard.position, stream=heard.stream)
    return [Ask(aggregate=BOOK, id=heard.stream, command=command, rule="note what was told")]


# --- the hearer's read model ---


@record
class Chain:
    """One stream as the hearer knows it: how many facts, and a hash over their ids in the order they came."""

    stream: str
    facts: int
    chain: str


CHAINS = sa.Table(
    "chains", sa.MetaData(schema="views"), sa.Column("stream", sa.Text), sa.Column("facts", sa.Integer),
    sa.Column("chain", sa.Text),
)  # fmt: skip
CHAINS_DDL = "create table views.chains (stream text primary key, facts int not null, chain text not null)"


def linked(chain: str, event_id: UUID) -> str:
    """The next value of a chain: tells any loss, doubling or change of order before it."""
    return hashlib.sha256(f"{chain}{event_id}".encode()).hexdigest()


def chain(row: Chain | None, heard: Heard, stream: str) -> Chain:
    before = row or Chain(stream=stream, facts=0, chain="")
    return Chain(stream=stream, facts=before.facts + 1, chain=linked(before.chain, heard.envelope.event_id))


VIEW = View(
    name="chains", table=CHAINS, key="stream", row=Chain, keys=lambda h: (h.stream,), evolve=chain, sources=("teller",)
)

SERVICES = {
    "teller": Service(name="teller", facts=TELLER, aggregates=(SHEET,), router=APIRouter()),
    "hearer": Service(
        name="hearer", facts=HEARER, aggregates=(BOOK,), router=APIRouter(), hears=(TELLER,), views=(VIEW,),
        reactions={("teller", "Rung"): when_rung},
    ),
}  # fmt: skip
