"""Rival: the textbook stack, as most tutorials and libraries put it together.

One ORM transaction writes the event and its outbox row; a relay takes unpublished rows with FOR UPDATE SKIP LOCKED,
publishes each with js.publish and marks them; a consumer fetches 100 messages at a time, and for each one opens a
transaction that writes the inbox row and the read model, commits, and acknowledges. SQLAlchemy 2 async ORM on asyncpg,
nats-py, uvloop, a partial index for the outbox, prepared statements, indexes on every lookup.

Kind to it: nothing is encrypted, no state is loaded, nothing is decided; the relay is woken at once instead of polling;
the number of clients is whichever of a few is best on this machine.
"""

import asyncio
import itertools
import json
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import nats
import uvloop
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, UniqueConstraint, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tests.bench.inputs import a_life
from tests.bench.loops import Outcome, sustained
from tests.bench.stage import Stage

from chassis.codec import Codec, Encoded
from contracts.plan import PLAN

CLIENTS = (8, 32, 128)


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "tb_events"
    __table_args__ = (UniqueConstraint("stream_id", "version"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    stream_id: Mapped[uuid.UUID]
    version: Mapped[int]
    event_id: Mapped[uuid.UUID]
    type: Mapped[str]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Outbox(Base):
    __tablename__ = "tb_outbox"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[uuid.UUID]
    subject: Mapped[str]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


Index("tb_outbox_waiting", Outbox.id, postgresql_where=Outbox.published_at.is_(None))


class Inbox(Base):
    __tablename__ = "tb_inbox"
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class Summary(Base):
    """The read model: one row for each stream."""

    __tablename__ = "tb_summary"
    stream_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plans: Mapped[int]
    last_type: Mapped[str]


class Textbook:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.engine = create_async_engine(
            stage.owner.replace("postgresql://", "postgresql+asyncpg://"), pool_size=32, max_overflow=0
        )
        self.session = async_sessionmaker(self.engine, expire_on_commit=False)
        self.written = asyncio.Event()
        self.count = 0
        self.shown: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Textbook"]:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
        self.client = await nats.connect(self.stage.nats)
        self.jetstream = self.client.jetstream()
        for known in await self.jetstream.streams_info():
            await self.jetstream.delete_stream(known.config.name or "")
        await self.jetstream.add_stream(name="TEXTBOOK", subjects=["tb.>"])
        tasks = [asyncio.create_task(self.relay()), asyncio.create_task(self.consume())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.client.close()
            await self.engine.dispose()

    async def command(self, stream: uuid.UUID, version: int, fact: Encoded) -> "asyncio.Future[None]":
        """Committed with its outbox row; the future is done when the read model has it."""
        event_id = uuid.uuid4()
        message = {"id": str(event_id), "stream": str(stream), "type": fact.name, "data": json.loads(fact.open)}
        shown = self.shown[message["id"]] = asyncio.get_running_loop().create_future()
        async with self.session() as session:
            session.add(Event(stream_id=stream, version=version, event_id=event_id, type=fact.name, data=fact.open))
            session.add(Outbox(event_id=event_id, subject=f"tb.{fact.name}", payload=json.dumps(message).encode()))
            await session.commit()
        self.written.set()
        return shown

    async def relay(self) -> None:
        waiting = (
            select(Outbox.id, Outbox.event_id, Outbox.subject, Outbox.payload)
            .where(Outbox.published_at.is_(None))
            .order_by(Outbox.id)
            .limit(100)
            .with_for_update(skip_locked=True)
        )
        while True:
            self.written.clear()
            async with self.session() as session:
                rows = (await session.execute(waiting)).all()
                for row in rows:
                    await self.jetstream.publish(row.subject, row.payload, headers={"Nats-Msg-Id": str(row.event_id)})
                if rows:
                    done = update(Outbox).where(Outbox.id.in_([r.id for r in rows])).values(published_at=func.now())
                    await session.execute(done)
                await session.commit()
            if not rows:
                await self.written.wait()

    async def consume(self) -> None:
        settings = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, max_ack_pending=5000)
        subscription = await self.jetstream.pull_subscribe("tb.>", durable="tb", stream="TEXTBOOK", config=settings)
        while True:
            try:
                messages = await subscription.fetch(100, timeout=1)
            except TimeoutError:
                continue
            for message in messages:
                body = json.loads(message.data)
                async with self.session() as session:
                    await self.project(session, body)
                    await session.commit()
                await message.ack()
                self.count += 1
                waiting = self.shown.pop(body["id"], None)
                if waiting is not None:
                    waiting.set_result(None)

    async def project(self, session: AsyncSession, body: dict[str, str]) -> None:
        new = insert(Inbox).values(event_id=uuid.UUID(body["id"])).on_conflict_do_nothing().returning(Inbox.event_id)
        if (await session.execute(new)).first() is None:
            return
        row = insert(Summary).values(stream_id=uuid.UUID(body["stream"]), plans=1, last_type=body["type"])
        row = row.on_conflict_do_update(
            index_elements=[Summary.stream_id], set_={"plans": Summary.plans + 1, "last_type": body["type"]}
        )
        await session.execute(row)


def tune(stage: Stage, seconds: float) -> dict[str, int]:
    """How many clients give the highest rate here."""
    rates = {n: measure(stage, seconds, n)["per_second"] for n in CLIENTS}
    return {"clients": max(rates, key=lambda n: rates[n])}


def measure(stage: Stage, seconds: float, clients: int) -> Outcome:
    """Each client takes an employment through its life, waits until the read model shows it, and takes the next."""
    return uvloop.run(_measure(stage, seconds, clients))


async def _measure(stage: Stage, seconds: float, clients: int) -> Outcome:
    codec, dice = Codec(PLAN), random.Random(3)
    prepared = [[codec.encode(fact) for fact in a_life(dice)] for _ in range(200)]
    left = itertools.cycle(prepared)
    async with Textbook(stage).running() as textbook:

        async def once(_: int) -> None:
            stream, facts = uuid.uuid4(), next(left)
            for version, fact in enumerate(facts, 1):
                last = await textbook.command(stream, version, fact)
            await last

        found = await sustained(clients, once, lambda: textbook.count, seconds=seconds)
    return found | {"clients": clients}
