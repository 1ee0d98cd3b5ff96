"""A service small enough to see through: counters. What the chassis promises over HTTP is tried on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, Field, field_validator

from chassis.classes import Coded, DataClass
from chassis.clock import new_id
from chassis.decider import Aggregate, Decider, Invalid, MissingPredecessor, Refused, Unknown, record
from chassis.envelope import Actor
from chassis.facts import Fact, Facts
from chassis.http import Act, Body, Page, Reads, allow, limit, paged
from chassis.react import Ask
from chassis.service import Service, create_app
from chassis.view import Heard, View

P, W = DataClass.P, DataClass.W
FILE_LIMIT = 200_000
MOST = 100


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


# --- what can have happened ---


@record
class CounterOpened:
    counter_id: Annotated[UUID, P]
    person_ref: Annotated[UUID, P]
    colour: Annotated[Colour, P]
    note: Annotated[str, W]
    mark: Annotated[str, P, Coded(r"[a-z]{0,9}")]


@record
class CounterStepped:
    counter_id: Annotated[UUID, P]
    by: Annotated[int, P]


@record
class CounterClosed:
    counter_id: Annotated[UUID, P]


@record
class Noted:
    """What the neighbour tells about a counter."""

    counter_id: Annotated[UUID, P]
    by: Annotated[int, P]


COUNTERS = Facts(
    "plan",
    [
        Fact("CounterOpened", 1, CounterOpened, person="person_ref"),
        Fact("CounterStepped", 1, CounterStepped),
        Fact("CounterClosed", 1, CounterClosed),
    ],
)
TOLD = Facts("notification", [Fact("Noted", 1, Noted)])

# --- the rules ---


@record
class Counter:
    person_ref: UUID | None = None
    note: str = ""
    total: int = 0
    closed: bool = False


@record
class Open:
    counter_id: UUID
    person_ref: UUID
    colour: Colour
    note: str
    mark: str = ""


@record
class Step:
    counter_id: UUID
    by: int
    heard: bool = False


@record
class Close:
    counter_id: UUID


class NoCounter(Unknown):
    pass


class TooFar(Refused):
    reason = "A counter ends at 100."
    do = "Open another one."


class CounterIsClosed(Refused):
    reason = "The counter is closed."


class Unlucky(Invalid):
    reason = "Nobody steps by 13."
    field = "by"


def decide(command: Open | Step | Close, counter: Counter) -> list[Any]:
    match command:
        case Open():
            if counter.person_ref is not None:
                return []
            return [CounterOpened(counter_id=command.counter_id, person_ref=command.person_ref, colour=command.colour,
                                  note=command.note, mark=command.mark)]  # fmt: skip
        case Step() if counter.person_ref is None:
            raise MissingPredecessor if command.heard else NoCounter
        case Step(by=13):
            raise Unlucky
        case Step() if counter.closed:
            raise CounterIsClosed
        case Step() if counter.total + command.by > MOST:
            raise TooFar
        case Step():
            return [CounterStepped(counter_id=command.counter_id, by=command.by)]
        case Close():
            if counter.person_ref is None:
                raise NoCounter
            return [] if counter.closed else [CounterClosed(counter_id=command.counter_id)]


def evolve(counter: Counter, fact: CounterOpened | CounterStepped | CounterClosed) -> Counter:
    match fact:
        case CounterOpened():
            return Counter(person_ref=fact.person_ref, note=fact.note)
        case CounterStepped():
            return Counter(person_ref=counter.person_ref, note=counter.note, total=counter.total + fact.by)
        case CounterClosed():
            return Counter(person_ref=counter.person_ref, note=counter.note, total=counter.total, closed=True)


COUNTER: Aggregate[Any, Any, Any] = Aggregate(
    "counter", Decider(initial=Counter(), decide=decide, evolve=evolve)
)  # fmt: skip

# --- what is read ---


@record
class Row:
    counter_id: UUID
    colour: str = ""
    total: int = 0
    noted: int = 0
    version: int = 0


TABLE = sa.Table(
    "counters", sa.MetaData(schema="views"),
    sa.Column("counter_id", sa.Uuid, primary_key=True), sa.Column("colour", sa.Text), sa.Column("total", sa.Integer),
    sa.Column("noted", sa.Integer), sa.Column("version", sa.Integer),
)  # fmt: skip
DDL = (
    "create table views.counters (counter_id uuid primary key, colour text not null, total int not null, "
    "noted int not null, version int not null)"
)


def project(row: Row | None, heard: Heard, key: UUID) -> Row | None:
    row = row or Row(counter_id=key)
    match heard.fact:
        case Noted(by=by):
            return replace(row, noted=row.noted + by)
        case CounterOpened(colour=colour):
            return replace(row, colour=colour.value, version=heard.version)
        case CounterStepped(by=by):
            return replace(row, total=row.total + by, version=heard.version)
        case _:
            return replace(row, version=heard.version)


VIEW = View(
    name="counters", table=TABLE, key="counter_id", row=Row, keys=lambda h: (h.fact.counter_id,), evolve=project,
    sources=("plan", "notification"),
)  # fmt: skip


def step_too(heard: Heard, now: datetime) -> Sequence[Ask]:
    """What the neighbour noted, we count too."""
    step = Step(counter_id=heard.fact.counter_id, by=heard.fact.by, heard=True)
    return [Ask(aggregate=COUNTER, id=heard.fact.counter_id, command=step, rule="step-too")]


# --- over HTTP ---


class Tag(Body):
    name: str = Field(max_length=20)


class OpenBody(Body):
    person_ref: UUID
    colour: Colour = Colour.RED
    note: str = Field("", max_length=200)
    mark: str = ""
    size: int = Field(1, ge=0, le=10)
    tags: list[Tag] = Field(default_factory=list[Tag], max_length=3)
    begun: date | None = None
    at: AwareDatetime | None = None
    checked: str = "ok"

    @field_validator("checked")
    @classmethod
    def _fine(cls, value: str) -> str:
        if value != "ok":
            raise ValueError("Must say ok.")
        return value


class StepBody(Body):
    by: int = Field(ge=1, le=MOST)


router = APIRouter()
Handler = Annotated[Actor, allow("fk.handler")]
Anybody = Annotated[Actor, allow("fk.handler", "emp.hr")]


@router.put("/counters/{counter_id}", status_code=201)
async def put_counter(counter_id: UUID, body: OpenBody, who: Handler, act: Act, response: Response) -> dict[str, Any]:
    act.concerning(case_id=counter_id, legal_basis="GDPR 6.1 e")
    command = Open(
        counter_id=counter_id, person_ref=body.person_ref, colour=body.colour, note=body.note, mark=body.mark
    )
    done = await act(COUNTER, counter_id, command, answer={"counterId": str(counter_id)})
    if not done.facts:
        response.status_code = 200
    return dict(done.answer)


@router.post("/counters/{counter_id}/steps", status_code=201)
async def step(counter_id: UUID, body: StepBody, who: Anybody, act: Act) -> dict[str, Any]:
    command = Step(counter_id=counter_id, by=body.by)
    done = await act(COUNTER, counter_id, command, answer={"stepId": str(act.new_id())})
    return dict(done.answer)


@router.post("/counters/{counter_id}/close")
async def close(counter_id: UUID, who: Handler, act: Act) -> dict[str, Any]:
    return dict((await act(COUNTER, counter_id, Close(counter_id=counter_id), match_needed=True)).answer)


@router.post("/counters/{counter_id}/break")
async def break_down(counter_id: UUID, body: OpenBody, who: Handler, act: Act) -> None:
    raise RuntimeError(f"could not do it for {body.note} {counter_id}")


@router.get("/counters/{counter_id}")
async def get_counter(counter_id: UUID, who: Anybody, read: Reads, response: Response) -> dict[str, Any]:
    async with read(VIEW) as connection:
        row = (await connection.execute(sa.select(TABLE).where(TABLE.c.counter_id == counter_id))).mappings().first()
    if row is None:
        raise NoCounter
    response.headers["ETag"] = f'"{row["version"]}"'
    return {"counterId": row["counter_id"], "colour": row["colour"], "total": row["total"], "noted": row["noted"]}


@router.get("/counters/{counter_id}/note")
async def get_note(counter_id: UUID, who: Handler, read: Reads) -> dict[str, Any]:
    state, version = await read.load(COUNTER, counter_id)
    if not version:
        raise NoCounter
    return {"note": state.note}


@router.get("/counters")
async def list_counters(who: Anybody, read: Reads, page: Page, colour: Colour | None = None) -> dict[str, Any]:
    order = (TABLE.c.total, TABLE.c.counter_id)
    query = sa.select(TABLE).order_by(*order).limit(page.limit + 1)
    if colour is not None:
        query = query.where(TABLE.c.colour == colour.value)
    if page.after is not None:
        query = query.where(sa.tuple_(*order) > page.after)
    async with read(VIEW) as connection:
        rows = (await connection.execute(query)).mappings().all()
    found = [{"counterId": r["counter_id"], "total": r["total"]} for r in rows]
    return paged(found, page, lambda r: (r["total"], r["counterId"]))


@router.get("/others")
async def list_others(who: Anybody, page: Page) -> dict[str, Any]:
    return paged([], page, lambda r: (r,))


@router.post("/files", dependencies=[Depends(limit(FILE_LIMIT))])
async def take_file(who: Handler, request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@router.put("/names/{name}")
async def put_name(name: str, who: Handler, act: Act) -> dict[str, Any]:
    id = new_id()
    opened = Open(counter_id=id, person_ref=id, colour=Colour.RED, note="")
    return dict((await act(COUNTER, name, opened)).answer)


service = Service(
    name="plan", facts=COUNTERS, hears=(TOLD,), aggregates=(COUNTER,), router=router, views=(VIEW,),
    parties={"fk": "FK", "emp": "EMPLOYER", "ops": "OPS"},
    reactions={("notification", "Noted"): step_too},
)  # fmt: skip
app = create_app(service)
