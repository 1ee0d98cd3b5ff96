"""Rival: nats-py's own `publish_async`, the fastest way it has of publishing durably.

Same stream settings, same subjects, same CloudEvents headers and bodies as our relay sends; the window of outstanding
publishes is whichever of a few is best on this machine. uvloop. Every message is acknowledged by the server before the
clock stops.
"""

import asyncio
import time

import nats
import uvloop
from nats.js.client import JetStreamContext
from tests.bench.loops import Outcome, settle
from tests.bench.messages import STREAM, SUBJECTS, published
from tests.bench.stage import Stage

from chassis.bus import ensure_stream

WINDOWS = (256, 1000, 4000)


def tune(stage: Stage, messages: int) -> dict[str, int]:
    """The window that publishes most here."""
    rates = {window: measure(stage, messages, window)["per_second"] for window in WINDOWS}
    return {"window": max(rates, key=lambda window: rates[window])}


def measure(stage: Stage, messages: int, window: int) -> Outcome:
    return uvloop.run(_measure(stage, messages, window))


async def _measure(stage: Stage, messages: int, window: int) -> Outcome:
    prepared = []
    for message in published(messages):
        lines = [line.split(": ", 1) for line in message.headers.decode().strip().split("\r\n")]
        prepared.append((message.subject.decode(), message.body, dict(lines)))
    client = await nats.connect(stage.nats, pending_size=64 * 1024 * 1024)
    await ensure_stream(client, STREAM, SUBJECTS)
    jetstream = client.jetstream(publish_async_max_pending=window, timeout=60)
    await _publish(jetstream, prepared[: messages // 10])
    settle()
    before = time.perf_counter()
    await _publish(jetstream, prepared)
    took = time.perf_counter() - before
    await client.close()
    return {"per_second": messages / took, "window": window, "messages": messages}


async def _publish(jetstream: JetStreamContext, prepared: list[tuple[str, bytes, dict[str, str]]]) -> None:
    acks = [await jetstream.publish_async(subject, body, headers=headers) for subject, body, headers in prepared]
    await asyncio.gather(*acks)
