"""What is done to a run, when, and to whom? All of it follows from the run's seed, but for the machine's pace."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from tests.faults.services import PAIRS, SERVICES, WRITTEN
from tests.faults.stage import Stage

from chassis.connecting import LOST
from chassis.decider import record

PARTS = (
    *(f"{name}_writer" for name in WRITTEN), *(f"{name}_relay" for name in SERVICES),
    *(f"{name}_listener" for name in SERVICES),
)  # fmt: skip
KINDS = (*PARTS, "postgres", "nats", "store_rolled_back", "store_deleted", "delivered_twice")

AGAIN = 300
"""How many messages at most the broker is made to deliver a second time."""


FLOWS_WITHIN = 10.0
"""Seconds that a patient strike waits at most."""


@record
class Strike:
    """`kind` strikes `wait` seconds after the one before; what it strikes stays down for `down` seconds.

    A `patient` one waits until facts flow to hearers again; others may strike what is still down. `luck` (0 to 1)
    settles what is left open, for example which of two writers dies."""

    kind: str
    wait: float
    patient: bool
    down: float
    luck: float


def plan(seed: int, extra: int, of: Sequence[str] = KINDS) -> list[Strike]:
    """Every kind of these once and `extra` more, in an order and at distances that follow from `seed`.

    The broker's store can only be rolled back to a copy, and a copy is made whenever the broker has been killed."""
    rng = random.Random(seed)
    kinds = [*of, *rng.choices(of, k=extra)]
    rng.shuffle(kinds)
    if "nats" in kinds and "store_rolled_back" in kinds:
        copied, rolled = kinds.index("nats"), kinds.index("store_rolled_back")
        if rolled < copied:
            kinds[rolled], kinds[copied] = kinds[copied], kinds[rolled]
    return [
        Strike(
            kind=k, wait=rng.uniform(0.05, 0.4), patient=rng.random() < 0.7, down=rng.uniform(0, 0.4), luck=rng.random()
        )
        for k in kinds
    ]  # fmt: skip


class Strikes:
    """Carries a plan out on a stage. `counts` holds what was really struck."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self.delivered_again = 0
        self._copy: Path = stage.home / "earlier-store"
        self._postgres, self._nats = asyncio.Lock(), asyncio.Lock()

    async def carry_out(self, plan: Sequence[Strike]) -> None:
        """Strikes follow each other at their distances; one may strike while another's victim is still down."""
        async with asyncio.TaskGroup() as under_way:
            for strike in plan:
                await asyncio.sleep(strike.wait)
                if strike.patient:
                    await self._until_it_flows()
                under_way.create_task(self._strike(strike))

    async def _until_it_flows(self) -> None:
        before: int | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLOWS_WITHIN):
                while True:
                    with contextlib.suppress(asyncpg.PostgresError, *LOST):
                        at = sum([(await self._stage.look(name, HEARD))[0][0] for name in SERVICES])
                        if before is not None and at > before:
                            return
                        before = at
                    await asyncio.sleep(0.05)

    async def _strike(self, strike: Strike) -> None:
        match strike.kind:
            case "postgres":
                struck = await self._kill_postgres(strike)
            case "nats" | "store_rolled_back" | "store_deleted":
                struck = await self._kill_nats(strike)
            case "delivered_twice":
                struck = await self._deliver_twice(strike)
            case part:
                struck = await self._kill_part(part, strike)
        self.counts[strike.kind] += struck

    async def _kill_part(self, kind: str, strike: Strike) -> bool:
        """Mostly the listener that is at work and not the one that stands by. A listener hangs first, so that messages
        are on their way to it when it dies; the others do so half of the time."""
        service, role = kind.split("_")
        parts = self._stage.of(role, service)
        part = parts[int(strike.luck * len(parts))]
        if role == "listener" and strike.luck < 0.75:
            at_work = await listening(self._stage, service)
            part = next((p for p in parts if p.cast.name == at_work), part)
        hanging = max(0.1, strike.down) if role == "listener" or int(strike.luck * 100) % 2 else 0.0
        while not await part.kill(hanging, strike.down):  # noqa: ASYNC110 - it is just being started again
            await asyncio.sleep(0.05)
        return True

    async def _kill_postgres(self, strike: Strike) -> bool:
        async with self._postgres:
            await self._stage.postgres.kill()
            await asyncio.sleep(strike.down)
            await self._stage.postgres.start()
        return True

    async def _kill_nats(self, strike: Strike) -> bool:
        broker = self._stage.nats
        async with self._nats:
            await broker.kill()
            match strike.kind:
                case "store_rolled_back":
                    broker.rollback(self._copy)
                case "store_deleted":
                    broker.wipe()
                case _:
                    broker.copy(self._copy)
            await asyncio.sleep(strike.down)
            await broker.start()
        return True

    # --- delivering twice ---

    async def _deliver_twice(self, strike: Strike) -> bool:
        """Until the broker has delivered something once more, to one that listens to another."""
        pair = PAIRS[int(strike.luck * 1000) % len(PAIRS)]
        while True:
            again = 0
            with contextlib.suppress(NatsError, TimeoutError, OSError, KeyError):
                client = await nats.connect(self._stage.nats.url("ops"), allow_reconnect=False, error_cb=quiet)
                try:
                    again = await (_rewind if strike.luck < 0.4 else _into_the_same_hands)(client, *pair)
                finally:
                    await client.close()
            if again:
                self.delivered_again += again
                return True
            await asyncio.sleep(0.2)


HEARD = "select coalesce(sum(position), 0)::int from checkpoints where name like 'hear:%'"
LISTENING = """
select application_name from pg_locks l join pg_stat_activity a using (pid)
where locktype = 'advisory' and granted
  and (classid::bigint << 32 | objid::bigint) = hashtextextended('hear:{source}', 0)
"""


async def listening(stage: Stage, service: str) -> str | None:
    """The name of the process that listens for a service (to the first that it hears), if it can be found out."""
    source = SERVICES[service].hears[0].service
    with contextlib.suppress(asyncpg.PostgresError, *LOST):
        rows = await stage.look(service, LISTENING.format(source=source))
        return rows[0][0] if rows else None
    return None


async def quiet(_: Exception) -> None:
    """Servers that are killed under our hands are what this is about."""


async def _ask(client: Client, what: str, body: object = None) -> dict[str, object]:
    reply = await client.request(f"$JS.API.{what}", json.dumps(body).encode() if body else b"", timeout=2)
    return json.loads(reply.data)


async def _last(client: Client, source: str) -> int:
    """The last sequence of a service's stream. Raises KeyError when there is none."""
    info = await _ask(client, f"STREAM.INFO.{source.upper()}")
    state = info["state"]
    assert isinstance(state, dict)
    return state["last_seq"]


async def _rewind(client: Client, hearer: str, source: str) -> int:
    """The broker's place for the hearer is put back: whatever follows is delivered to it again."""
    last, name = await _last(client, source), source.upper()
    if last < 2:
        return 0
    config = {
        "durable_name": hearer, "ack_policy": "all", "deliver_policy": "by_start_sequence",
        "opt_start_seq": max(1, last - AGAIN), "max_ack_pending": 20_000,
    }  # fmt: skip
    await _ask(client, f"CONSUMER.DELETE.{name}.{hearer}")
    made = await _ask(
        client, f"CONSUMER.CREATE.{name}.{hearer}", {"stream_name": name, "config": config, "action": "create"}
    )
    return 0 if made.get("error") else min(last, AGAIN)


async def _into_the_same_hands(client: Client, hearer: str, source: str) -> int:
    """Messages that the listener has had are sent to the very inbox it reads from, between those it waits for."""
    name = source.upper()
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def overheard(message: Msg) -> None:
        if not asked.done():
            asked.set_result(message.reply)

    await client.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{name}.{hearer}", cb=overheard)
    inbox = await asyncio.wait_for(asked, 3)
    last = await _last(client, source)
    again = min(last, AGAIN)
    if again < 2:
        return 0
    config = {
        "name": "again", "ack_policy": "none", "deliver_policy": "by_start_sequence",
        "opt_start_seq": last - again + 1, "inactive_threshold": 5_000_000_000, "mem_storage": True,
    }  # fmt: skip
    await _ask(client, f"CONSUMER.DELETE.{name}.again")
    made = await _ask(
        client, f"CONSUMER.CREATE.{name}.again", {"stream_name": name, "config": config, "action": "create"}
    )
    if made.get("error"):
        return 0
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{name}.again", json.dumps({"batch": again}).encode(), inbox)
    await client.flush()
    return again
