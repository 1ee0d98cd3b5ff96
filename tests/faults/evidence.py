"""What is there, when a run has come to rest? Read from the servers themselves, past the product's code."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from tests.faults.check import Evidence, Mark, Noted, Told
from tests.faults.stage import Stage
from tests.faults.strikes import quiet

TOLD = """
select position, stream_id, event_id, type, (d->>'n')::int, (d->>'part')::int, recorded_at
from (select *, convert_from(data, 'UTF8')::json as d from events) e order by position
"""
NOTED = """
select stream_id, (convert_from(data, 'UTF8')::json->>'position')::int
from events where type = 'Noted' order by position
"""
HEAD = "select position from log_head"
HEARD = "select position, event_id from heard where source = 'teller' order by position"
CHECKPOINTS = "select name, position, moment, moment_position from checkpoints"
FOLLOWERS = ("hear:teller", "react:teller", "view:chains:teller")


async def positions(stage: Stage) -> tuple[dict[str, int], Mark | None]:
    """How far the log (`head`), the stream and each follower have come, and up to when the hearer claims to know all.

    Raises what asyncpg and nats-py raise while a server is away."""
    head = await stage.look("teller", HEAD)
    rows = await stage.look("hearer", CHECKPOINTS)
    followers = {r["name"]: r["position"] for r in rows if r["name"] in FOLLOWERS}
    at: dict[str, int] = {"head": head[0][0], **dict.fromkeys(FOLLOWERS, 0), **followers}
    marks = [Mark(moment=r["moment"], position=r["moment_position"]) for r in rows if r["moment"] is not None]
    return at, marks[0] if marks else None


async def gather(stage: Stage, marks: Sequence[Mark]) -> Evidence:
    """Everything that is compared. The servers must run; nothing else should."""
    log = [Told(position=p, stream=s, event_id=i, name=t, n=n, part=part, recorded_at=at)
           for p, s, i, t, n, part, at in await stage.look("teller", TOLD)]  # fmt: skip
    head = await stage.look("teller", HEAD)
    heard = await stage.look("hearer", HEARD)
    noted = await stage.look("hearer", NOTED)
    chains = await stage.look("hearer", "select stream, chain from views.chains")
    return Evidence(
        accounts=stage.accounts(), log=log, head=head[0][0], stream=await stream(stage),
        heard=[(p, str(i)) for p, i in heard], noted=[Noted(stream=s, position=p) for s, p in noted],
        chains={r["stream"]: r["chain"] for r in chains}, marks=marks,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def _broker(stage: Stage) -> AsyncGenerator[Client]:
    client = await nats.connect(stage.nats.url("ops"), allow_reconnect=False, error_cb=quiet)
    try:
        yield client
    finally:
        await client.close()


async def stream_end(stage: Stage) -> int:
    """The last sequence of the teller's stream; 0 where there is none."""
    async with _broker(stage) as client:
        info = json.loads((await client.request("$JS.API.STREAM.INFO.TELLER", b"", timeout=5)).data)
        return info.get("state", {}).get("last_seq", 0)


async def stream(stage: Stage) -> list[tuple[int, str]]:
    """Every message of the teller's stream: sequence and event id."""
    count = await stream_end(stage)
    async with _broker(stage) as client:
        return await _read(client, count) if count else []


async def _read(client: Client, count: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    complete = asyncio.Event()

    async def one(message: Msg) -> None:
        found.append((int(message.reply.split(".")[5]), (message.headers or {})["ce-id"]))
        if len(found) == count:
            complete.set()

    config = {"name": "evidence", "ack_policy": "none", "deliver_policy": "all", "mem_storage": True}
    asked = {"stream_name": "TELLER", "config": config, "action": "create"}
    await client.request("$JS.API.CONSUMER.CREATE.TELLER.evidence", json.dumps(asked).encode(), timeout=5)
    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=one, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await client.publish("$JS.API.CONSUMER.MSG.NEXT.TELLER.evidence", json.dumps({"batch": count}).encode(), inbox)
    await asyncio.wait_for(complete.wait(), 20)
    return found
