"""The one write path: load, decide, append. Every command of every service goes through here.

State is kept in memory between commands, and a stream that is not there is taken for empty; the expected version makes
a wrong copy harmless, and nobody is refused on one: before a refusal the stream is read. A command with a key that was
done before gets its first answer.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from chassis.clock import new_id
from chassis.codec import Codec
from chassis.decider import Aggregate, Refused, record
from chassis.envelope import Actor, Envelope, to_headers
from chassis.keys import Keys
from chassis.log import Append, Appended, Conflict, Key, Log, NewFact, Repeated, Stored
from chassis.telemetry import current_traceparent

C = TypeVar("C")
S = TypeVar("S")
F = TypeVar("F")
Asked = TypeVar("Asked", covariant=True)

TRIES = 8
"""How often a command is decided anew because its stream moved on meanwhile."""

CACHED = 20_000


class StillMoving(Refused):
    """Others kept changing the same thing."""

    reason = "Others are changing this at the same moment."
    do = "Try again in a moment."


class GuardMoved(StillMoving):
    """A stream that the command was decided on has moved on meanwhile: what was read of it no longer holds."""


class Stale(Exception):
    """The caller's If-Match names a version that is no longer the newest. The HTTP edge answers 412."""


class KeyReused(Exception):
    """The Idempotency-Key was used before for something else. The HTTP edge answers 422."""


@record
class Context:
    """Around a command: who asks, when, for which case, because of what."""

    actor: Actor
    now: datetime
    case_id: UUID | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    legal_basis: str | None = None
    consent_ids: tuple[UUID, ...] = ()


class Done(msgspec.Struct, frozen=True, gc=False):
    """What came of a command. `answer` is that of the first time when the command was a repetition."""

    answer: Mapping[str, Any]
    version: int
    position: int
    repeated: bool
    facts: Sequence[Any] = ()


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A folded stream and the version it is at."""

    state: Any
    version: int


@dataclass(frozen=True, slots=True)
class Guarded(Generic[Asked]):
    """A command that rests on what was read of other streams, and those streams' names with the versions read."""

    command: Asked
    guards: Sequence[tuple[str, int]]


Look = Callable[[], Awaitable[Guarded[C]]]
"""Reads the other streams anew and makes the command from what they say."""


class Performer:
    """Runs commands against one service's log."""

    def __init__(self, log: Log, codec: Codec, keys: Keys) -> None:
        self._log, self._codec, self._keys = log, codec, keys
        self._cache: OrderedDict[str, Loaded] = OrderedDict()

    async def __call__(
        self,
        aggregate: Aggregate[C, S, F],
        id: Any,
        command: C,
        context: Context,
        *,
        key: Key | None = None,
        if_match: int | None = None,
        guards: Sequence[tuple[str, int]] = (),
        new: bool = False,
        answering: Callable[[S, Sequence[F]], Mapping[str, Any]] | None = None,
    ) -> Done:
        """Decide `command` on the stream and append what follows.

        `new=True` says that the stream cannot exist yet (its id was made just now), which saves reading it.
        `answering` gives the answer from the very state that was decided on and the facts that followed; it is what is
        remembered under the key. Raises
        Refused, Stale, KeyReused, StillMoving (GuardMoved among them), LogUnavailable, AppendFailed, KeysUnavailable.
        """
        stream = aggregate.stream(id)
        loaded = self._cache.get(stream, Loaded(aggregate.decider.initial, 0))
        fresh = new
        for _ in range(TRIES):
            try:
                self._match(loaded, if_match)
                facts = aggregate.decider.decide(command, loaded.state)
            except (Refused, Stale) as refusal:
                if not fresh:
                    loaded = await self._load(aggregate, stream, loaded)
                    fresh = True
                    continue
                done = await self.answered(key)
                if done is None:
                    raise refusal
                return done
            if not facts and not fresh:
                loaded, fresh = await self._load(aggregate, stream, loaded), True
                continue
            answer = answering(loaded.state, facts) if answering is not None else _answer(key)
            if key is not None and answering is not None:
                key = msgspec.structs.replace(key, answer=msgspec.json.encode(answer))
            if not facts:
                if key is None:
                    return Done(answer, loaded.version, await self._log.head(), False)
                if (done := await self.answered(key)) is not None:
                    return done
            verdict = await self._append(stream, loaded, facts, context, key, guards)
            match verdict:
                case Appended(position=position, version=version):
                    self._remember(stream, Loaded(aggregate.decider.fold(facts, loaded.state), version))
                    return Done(answer, version, position, False, facts)
                case Repeated():
                    return self._repeat(verdict, key)
                case Conflict(stream=where) if where != stream:
                    raise GuardMoved  # the caller has to look again; `guarded` does
                case Conflict():
                    loaded, fresh = await self._load(aggregate, stream), True
        raise StillMoving

    async def guarded(
        self, aggregate: Aggregate[C, S, F], id: Any, look: Look[C], context: Context, *, key: Key | None = None,
        if_match: int | None = None, answering: Callable[[S, Sequence[F]], Mapping[str, Any]] | None = None,
    ) -> Done:  # fmt: skip
        """As a plain command, for one that rests on other streams: they are read, and must stand still until it is in
        the log. When one of them moved in between it is looked at again and decided anew, so nothing slips past."""
        for _ in range(TRIES):
            seen = await look()
            try:
                return await self(
                    aggregate, id, seen.command, context, key=key, if_match=if_match, guards=seen.guards,
                    answering=answering,
                )  # fmt: skip
            except GuardMoved:
                continue
        raise StillMoving

    async def load(self, aggregate: Aggregate[C, S, F], id: Any) -> tuple[S, int]:
        """The state of a stream now, with sealed fields opened, and its version (0: there is nothing)."""
        loaded = await self._load(aggregate, aggregate.stream(id), self._cache.get(aggregate.stream(id)))
        return loaded.state, loaded.version

    async def facts(self, aggregate: Aggregate[C, S, F], id: Any) -> list[tuple[Stored, F]]:
        """Every fact of a stream with sealed fields opened."""
        return [(s, await self.open(s)) for s in await self._log.stream(aggregate.stream(id))]

    async def open(self, stored: Stored) -> Any:
        """Decode a stored fact; sealed fields are blank when the key has been destroyed."""
        sealed = None
        if stored.sealed is not None and stored.subject is not None:
            sealed = await self._keys.open(stored.subject, stored.event_id.bytes, stored.sealed)
        return self._codec.decode(stored.name, stored.schema_version, stored.data, sealed)

    async def answered(self, key: Key | None) -> Done | None:
        """If this very command was done before, its first answer, whatever the rules say today. Raises KeyReused."""
        seen = None if key is None else await self._log.answered(key.id)
        return None if seen is None else self._repeat(seen, key)

    # --- inside ---

    @staticmethod
    def _match(loaded: Loaded, if_match: int | None) -> None:
        if if_match is not None and loaded.version != if_match:
            raise Stale

    async def _load(self, aggregate: Aggregate[Any, Any, Any], stream: str, known: Loaded | None = None) -> Loaded:
        known = known or Loaded(aggregate.decider.initial, 0)
        stored = await self._log.stream(stream, known.version)
        if not stored:
            return known
        facts = [await self.open(s) for s in stored]
        loaded = Loaded(aggregate.decider.fold(facts, known.state), stored[-1].version)
        self._remember(stream, loaded)
        return loaded

    def _remember(self, stream: str, loaded: Loaded) -> None:
        self._cache[stream] = loaded
        self._cache.move_to_end(stream)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    def forget_states(self) -> None:
        """Drop all cached state, opened sealed fields included."""
        self._cache.clear()

    async def _append(
        self, stream: str, loaded: Loaded, facts: Sequence[Any], context: Context, key: Key | None,
        guards: Sequence[tuple[str, int]],
    ) -> Appended | Repeated | Conflict:  # fmt: skip
        traceparent = current_traceparent()
        new = [await self._new_fact(f, context, traceparent) for f in facts]
        return await self._log.append(Append(stream, loaded.version, new, guards, key))

    async def _new_fact(self, fact: Any, context: Context, traceparent: str | None) -> NewFact:
        encoded = self._codec.encode(fact)
        event_id = new_id()
        if not encoded.linked:
            context = Context(actor=context.actor, now=context.now, legal_basis=context.legal_basis)
        envelope = Envelope(
            event_id=event_id,
            occurred_at=context.now,
            actor=context.actor,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            case_id=context.case_id,
            legal_basis=context.legal_basis,
            consent_ids=context.consent_ids,
            traceparent=traceparent if encoded.linked else None,
        )
        sealed = None
        if encoded.sealed is not None and encoded.subject is not None:
            sealed = await self._keys.seal(encoded.subject, event_id.bytes, encoded.sealed)
        return NewFact(
            event_id, encoded.name, encoded.version, encoded.open, sealed, to_headers(envelope), encoded.subject
        )

    @staticmethod
    def _repeat(seen: Repeated, key: Key | None) -> Done:
        if key is not None and key.fingerprint and seen.fingerprint and key.fingerprint != seen.fingerprint:
            raise KeyReused
        return Done(_plain(seen.answer), seen.version, seen.position, True)


def _answer(key: Key | None) -> Mapping[str, Any]:
    return _plain(key.answer) if key is not None else {}


def _plain(answer: bytes) -> Mapping[str, Any]:
    return msgspec.json.decode(answer) if answer else {}
