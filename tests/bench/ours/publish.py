"""Ours: the relay's publisher, driven as the relay does while it has full batches: the next is made while one is
committed. Each expects its place in the stream."""

import time

import nats
import uvloop
from tests.bench.loops import Outcome, settle
from tests.bench.messages import STREAM, SUBJECTS, published
from tests.bench.stage import Stage

from chassis.bus import MOST, Publisher, ensure_stream, stream_end


def measure(stage: Stage, messages: int) -> Outcome:
    return uvloop.run(_measure(stage, messages))


async def _measure(stage: Stage, messages: int) -> Outcome:
    prepared = published(messages)
    client = await nats.connect(stage.nats, pending_size=64 * 1024 * 1024)
    await ensure_stream(client, STREAM, SUBJECTS)
    publisher = Publisher(client)
    await publisher.open()
    warm = prepared[: messages // 10]
    last = 0
    for start in range(0, len(warm), MOST):
        last = await publisher.begin(warm[start : start + MOST], last)
    await publisher.settled()
    settle()
    before = time.perf_counter()
    for start in range(0, messages, MOST):
        last = await publisher.begin(prepared[start : start + MOST], last)
    await publisher.settled()
    took = time.perf_counter() - before
    end = await stream_end(client, STREAM)
    assert end is not None, "the stream must be there"
    assert end.sequence == messages + len(warm), "the stream must hold every message once"
    await publisher.close()
    await client.close()
    return {"per_second": messages / took, "batch": MOST, "messages": messages}
