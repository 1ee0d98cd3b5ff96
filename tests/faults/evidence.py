"""What is there, when a run has come to rest? Read from the servers themselves; only read models are folded anew."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from tests.faults.check import Ask, Copied, Evidence, Mark, Told, Written
from tests.faults.services import PAIRS, SERVICES
from tests.faults.stage import Stage
from tests.faults.strikes import quiet

from chassis.codec import Codec
from chassis.envelope import from_headers
from chassis.follow import Folder
from chassis.react import command_id
from chassis.view import Decoder

Pair = tuple[str, str]
Marks = dict[Pair, list[Mark]]

TOLD = "select position, stream_id, version, event_id, envelope, recorded_at from events order by position"
HEAD = "select position from log_head"
COMMANDS = "select command_id, position, version from commands"
SET_ASIDE = "select count(*) from dead_letters"
HEARD = (
    "select position, stream_id, version, type, schema_version, data, envelope, recorded_at, event_id "
    "from heard where source = '{source}' order by position"
)
CHECKPOINTS = "select name, position, moment, moment_position from checkpoints"


def followed() -> Mapping[str, Sequence[tuple[str, str]]]:
    """The checkpoints of every service, each with whose log it goes along."""
    return {
        name: [
            *((f"{what}:{f.service}", f.service) for f in s.hears for what in ("hear", "react")),
            *((f"view:{v.name}:{source}", source) for v in s.views for source in v.sources),
        ]
        for name, s in SERVICES.items()
    }


async def behind(stage: Stage, marks: Marks) -> Sequence[str]:
    """Which follower or stream does not stand at its log's head? Notes on the way what hearers claim to know.

    Raises what asyncpg and nats-py raise while a server is away."""
    heads = {name: (await stage.look(name, HEAD))[0][0] for name in SERVICES}
    late: list[str] = []
    for name, checkpoints in followed().items():
        rows = {r["name"]: r for r in await stage.look(name, CHECKPOINTS)}
        note(name, rows, marks)
        at = {checkpoint: rows[checkpoint]["position"] if checkpoint in rows else 0 for checkpoint, _ in checkpoints}
        late += [f"{name} {c} {at[c]} of {heads[log]}" for c, log in checkpoints if at[c] < heads[log]]
    return late


def note(hearer: str, rows: Mapping[str, asyncpg.Record], marks: Marks) -> None:
    """Keep what a hearer claims to know, when it is new."""
    for facts in SERVICES[hearer].hears:
        row, claimed = rows.get(f"hear:{facts.service}"), marks.setdefault((hearer, facts.service), [])
        if row is not None and row["moment"] is not None:
            mark = Mark(moment=row["moment"], position=row["moment_position"])
            if mark not in claimed[-1:]:
                claimed.append(mark)


async def unpublished(stage: Stage) -> Sequence[str]:
    """The streams that do not end where their logs do."""
    heads = {name: (await stage.look(name, HEAD))[0][0] for name in SERVICES}
    async with _broker(stage) as client:
        ends = {name: await _end(client, name) for name in SERVICES}
    return [f"stream {name} {ends[name]} of {heads[name]}" for name in SERVICES if ends[name] != heads[name]]


async def gather(stage: Stage, marks: Marks) -> Evidence:
    """Everything that is compared. The servers must run; nothing else should."""
    return Evidence(
        written={name: await _written(stage, name) for name in SERVICES},
        copied=[await _copied(stage, hearer, source, marks.get((hearer, source), [])) for hearer, source in PAIRS],
    )


async def _written(stage: Stage, name: str) -> Written:
    log = [_told(r) for r in await stage.look(name, TOLD)]
    commands = {r[0]: (r[1], r[2]) for r in await stage.look(name, COMMANDS)}
    return Written(
        service=name, accounts=stage.accounts(name), log=log, head=(await stage.look(name, HEAD))[0][0],
        commands=commands, stream=await stream(stage, name), stale=await _stale(stage, name),
        set_aside=(await stage.look(name, SET_ASIDE))[0][0],
    )  # fmt: skip


def _told(row: asyncpg.Record) -> Told:
    position, stream, version, event_id, envelope, recorded_at = row
    e = from_headers(envelope)
    return Told(position=position, stream=stream, version=version, event_id=event_id, correlation=e.correlation_id,
                causation=e.causation_id, recorded_at=recorded_at)  # fmt: skip


async def _copied(stage: Stage, hearer: str, source: str, marks: Sequence[Mark]) -> Copied:
    service = SERVICES[hearer]
    decode = Decoder({f.service: Codec(f) for f in service.hears})
    rows = await stage.look(hearer, HEARD.format(source=source))
    asks: list[Ask] = []
    for row in rows:
        react = service.reactions.get((source, row["type"]))
        heard = decode(source, tuple(row)[:8]) if react else None
        if react and heard:
            now = datetime.now(UTC)  # which commands are asked for does not depend on it
            asked = [(a.rule, a.aggregate.stream(a.id)) for a in react(heard, now)]
            asks += [Ask(command_id=_id(heard.envelope.event_id, rule, to), stream=to) for rule, to in asked]
    heard_ids = [(r["position"], str(r["event_id"])) for r in rows]
    return Copied(hearer=hearer, source=source, heard=heard_ids, asks=asks, marks=marks)


def _id(event_id: UUID, rule: str, stream: str) -> UUID:
    return command_id(event_id, rule, stream)


async def _stale(stage: Stage, name: str) -> Sequence[str]:
    """The read models that come out otherwise when they are folded anew."""
    service, url = SERVICES[name], stage.settings(name)["database_url"]
    decode = Decoder({name: Codec(service.facts)} | {f.service: Codec(f) for f in service.hears})
    stale: list[str] = []
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        for view in service.views:
            folder = Folder(view, name, pool, decode)
            kept = await folder.digest()
            await folder.rebuild()
            if await folder.digest() != kept:
                stale.append(view.name)
    return stale


# --- the broker ---


@contextlib.asynccontextmanager
async def _broker(stage: Stage) -> AsyncGenerator[Client]:
    client = await nats.connect(stage.nats.url("ops"), allow_reconnect=False, error_cb=quiet)
    try:
        yield client
    finally:
        await client.close()


async def _end(client: Client, service: str) -> int:
    """The last sequence of a stream; 0 where there is none."""
    info = json.loads((await client.request(f"$JS.API.STREAM.INFO.{service.upper()}", b"", timeout=5)).data)
    return info.get("state", {}).get("last_seq", 0)


async def stream(stage: Stage, service: str) -> list[tuple[int, str]]:
    """Every message of a service's stream: sequence and event id."""
    async with _broker(stage) as client:
        count = await _end(client, service)
        return await _read(client, service.upper(), count) if count else []


async def _read(client: Client, name: str, count: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    complete = asyncio.Event()

    async def one(message: Msg) -> None:
        found.append((int(message.reply.split(".")[5]), (message.headers or {})["ce-id"]))
        if len(found) == count:
            complete.set()

    config = {"name": "evidence", "ack_policy": "none", "deliver_policy": "all", "mem_storage": True}
    asked = {"stream_name": name, "config": config, "action": "create"}
    await client.request(f"$JS.API.CONSUMER.CREATE.{name}.evidence", json.dumps(asked).encode(), timeout=5)
    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=one, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{name}.evidence", json.dumps({"batch": count}).encode(), inbox)
    await asyncio.wait_for(complete.wait(), 20)
    return found
