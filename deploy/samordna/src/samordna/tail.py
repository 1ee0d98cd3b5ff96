"""What is going over a service's stream? As the operator sees it on the broker: never a sealed field."""

from collections.abc import AsyncGenerator
from datetime import datetime
from urllib.parse import unquote

import nats
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from chassis.decider import record


@record
class Seen:
    """A published fact, without its body."""

    position: int
    recorded_at: datetime | None
    name: str
    stream: str
    case_id: str
    actor: str
    """Role and organisation of who did it."""


async def tail(url: str, service: str, last: int, follow: bool) -> AsyncGenerator[Seen, None]:
    """The last so many facts of a service's stream, then, when following, every new one. Ends at the stream's end
    otherwise. A stream that does not exist yet has nothing."""
    client = await nats.connect(url)
    try:
        js, name = client.jetstream(), service.upper()
        try:
            end = (await js.stream_info(name)).state.last_seq
        except NotFoundError:
            return
        start = max(1, end - last + 1)
        if not follow and start > end:
            return
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start)
        messages = await js.subscribe(f"{service}.>", stream=name, ordered_consumer=True, config=config)
        while True:
            try:
                seen = _seen(await messages.next_msg(timeout=1))
            except TimeoutError:
                if follow:
                    continue
                return
            yield seen
            if not follow and seen.position >= end:
                return
    finally:
        await client.close()


def _seen(message: Msg) -> Seen:
    h = {key.lower(): value for key, value in (message.headers or {}).items()}
    recorded = h.get("ce-recordedtime")
    role, organisation = h.get("ce-actorrole", ""), h.get("ce-actororgid", "")
    return Seen(
        position=message.metadata.sequence.stream,
        recorded_at=datetime.fromisoformat(recorded) if recorded else None,
        name=h.get("ce-type", "?"),
        stream=h.get("ce-subject", ""),
        case_id=h.get("ce-caseid", ""),
        actor=unquote(f"{role} {organisation}".strip()),
    )
