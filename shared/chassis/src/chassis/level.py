"""How far has another service's log come, at this very moment? It is asked itself, and answers from its log.

Who decides on what it has heard of another service asks that service first, and then waits until all of that has been
heard and reacted to. So nothing that was acknowledged there before the question is missing here; without an answer
nothing is decided. Only a position travels.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.bus import BusUnavailable
from chassis.connecting import LOST
from chassis.telemetry import get_logger

log_line = get_logger(__name__)

ANSWER_WITHIN = 2.0
"""Seconds a service is given to say how far it has come."""


def subject_of(service: str) -> str:
    return f"head.{service}"


async def answer_heads(client: Client, service: str, head: Callable[[], Awaitable[int]]) -> None:
    """Tell whoever asks, from now on. Of several processes one answers; each reads the log they share."""

    async def answer(question: Msg) -> None:
        try:
            await question.respond(str(await head()).encode())
        except (*LOST, asyncpg.PostgresError, NatsError) as error:
            log_line.warning("head.unanswered", why=type(error).__name__)  # who asked decides nothing, and asks again

    await client.subscribe(subject_of(service), queue="head", cb=answer)


async def ask_head(client: Client, service: str) -> int:
    """The last position of that service's log. Raises BusUnavailable when it does not answer."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            answer = await client.request(subject_of(service), b"", timeout=ANSWER_WITHIN)
        return int(answer.data)
    except (NatsError, OSError, TimeoutError, ValueError) as error:
        raise BusUnavailable(f"{service} does not say how far it has come ({type(error).__name__}).") from error
