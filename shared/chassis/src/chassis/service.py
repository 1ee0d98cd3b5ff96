"""A service, assembled: what is plugged into what, and how it runs.

`Service` is the manifest a service's main.py fills in. `Runtime` is that manifest at work: connections, followers and
the write path. `create_app` puts HTTP in front. Any number of processes of one service may run; where only one may act
at a time, the one that holds the lock does.
"""

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
from fastapi import APIRouter, FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from chassis import health, problems
from chassis.bus import BusUnavailable
from chassis.clock import clock_from
from chassis.codec import Codec
from chassis.connecting import LOST, NOT_AWAITED, SAFE, NotDurable, nothing_to_reset, refuse_unsafe
from chassis.decider import Aggregate
from chassis.direct import Direct
from chassis.edge import Edge
from chassis.envelope import SYSTEM, Actor
from chassis.facts import Facts
from chassis.follow import Folder, Following
from chassis.identity import Verifier, fetch_jwks
from chassis.keys import PostgresKeys, WrongMasterKey, read_master_key
from chassis.level import answer_heads, ask_head
from chassis.listen import Listener
from chassis.locks import Held, Locks
from chassis.log import Key, LogWentBack
from chassis.migrating import sqlalchemy_url
from chassis.perform import Context, Done, Performer
from chassis.postgres import PostgresLog
from chassis.problems import Problem
from chassis.pulse import Pulse
from chassis.react import Ask, Reaction, Reactor
from chassis.recent import Recent
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.telemetry import get_logger
from chassis.view import Decoder, Heard, View
from chassis.wire import Wire

log_line = get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Worker:
    """Work that runs beside the requests, in one process at a time. `run` loops until it is cancelled; `due` says when
    it next has something to do (None: nothing planned), so that a simulated clock knows where to stop."""

    name: str
    run: Callable[["Runtime"], Awaitable[None]]
    due: Callable[["Runtime"], Awaitable[datetime | None]]


def per_runtime(make: Callable[[], T]) -> Callable[["Runtime"], T]:
    """What a worker keeps in mind, one for each runtime: a manifest itself holds nothing."""
    made: WeakKeyDictionary[Runtime, T] = WeakKeyDictionary()

    def of(runtime: "Runtime") -> T:
        if runtime not in made:
            made[runtime] = make()
        return made[runtime]

    return of


@dataclass(frozen=True)
class Service:
    """The manifest: a service's name, facts, rules, pages, read models, reactions and workers."""

    name: str
    facts: Facts
    aggregates: Sequence[Aggregate[Any, Any, Any]]
    router: APIRouter
    parties: Mapping[str, str]
    """Which type of organisation a role belongs to, by the part of the role before its dot."""
    title: str = ""
    hears: Sequence[Facts] = ()
    views: Sequence[View[Any]] = ()
    reactions: Mapping[tuple[str, str], Reaction] = field(default_factory=dict[tuple[str, str], Reaction])
    workers: Sequence[Worker] = ()


class Runtime:
    """A service at work. Made per process; `start` and `stop` bracket its life."""

    def __init__(self, service: Service, settings: Settings, verifier: Verifier | None = None) -> None:
        self.service, self.settings, self.name = service, settings, service.name
        self.clock = clock_from(settings.clock)
        master = read_master_key(settings.master_key_file)
        self._master = master
        self.secret = self.secret_for("idempotency")
        self.codec = Codec(service.facts)
        self.codecs = {service.name: self.codec} | {f.service: Codec(f) for f in service.hears}
        self.verifier = verifier or Verifier(
            settings.issuer,
            settings.audience,
            fetch_jwks(settings.jwks_url),
            parties=service.parties,
            secret=self.secret,
        )
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[Any]] = []
        self._writable = asyncio.Event()
        self._stirred = Pulse()
        self.folded = Pulse(self._stirred)  # beats when read models of this process have folded something
        self.relay: Relay | None = None
        self.folders: dict[str, Folder[Any]] = {}
        self.listeners: dict[str, Listener] = {}
        self.reactors: dict[str, Reactor] = {}

    def secret_for(self, purpose: str) -> bytes:
        """32 secret bytes for one purpose, always the same under one master key."""
        return hashlib.blake2b(purpose.encode(), key=self._master, digest_size=32).digest()

    # --- life ---

    async def start(self) -> None:
        """Connect and begin. Raises NotDurable on an unsafe PostgreSQL, WrongMasterKey; a broker that is away is waited
        for."""
        s = self.settings
        await refuse_unsafe(s.keys_database_url)
        await refuse_unsafe(s.database_url)
        self._keys_pool: asyncpg.Pool = await asyncpg.create_pool(
            s.keys_database_url, min_size=1, max_size=4, server_settings=SAFE, reset=nothing_to_reset
        )
        self.keys = PostgresKeys(self._keys_pool, self._master)
        try:
            await self.keys.check()
        except WrongMasterKey:
            self._keys_pool.terminate()
            raise
        self.pool: asyncpg.Pool = await asyncpg.create_pool(
            s.database_url, min_size=1, max_size=s.pool_size + 4, server_settings=SAFE, timeout=10,
            reset=nothing_to_reset,
        )  # fmt: skip
        followers = 2 * len(self.service.hears) + len(self.service.views)
        self.copies: asyncpg.Pool = await asyncpg.create_pool(
            s.database_url, min_size=1, max_size=4 + followers, server_settings=NOT_AWAITED, timeout=10,
            reset=nothing_to_reset, init=self._tell_when_it_ends,
        )  # fmt: skip
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(s.database_url),
            pool_size=s.pool_size,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"server_settings": SAFE},
        )
        self.log = PostgresLog(s.database_url, self.pool, self.clock.now)
        self.log.moved = Pulse(self._stirred)
        self.log.on_went_back = self._stop_for_good
        await self.log.start()
        self.perform = Performer(self.log, self.codec, self.keys)
        self.locks = Locks(s.database_url)
        decode = Decoder(self.codecs)
        folding = s.has("views") and bool(self.service.views)
        own = self.log.remember() if folding else Recent()
        self._recent = {self.name: own} | {f.service: Recent() for f in self.service.hears}
        self.folders = {v.name: Folder(v, self.name, self.copies, decode, self._recent) for v in self.service.views}
        self._following = Following(list(self.folders.values()), self.folded) if folding else None
        self.wire = Wire(s.nats_url, f"{self.name}-service")
        self._task(self._connect_bus(), "bus")
        if self._following is not None:
            self._task(self._following.run(self.log.moved), "views")
        if s.has("work"):
            for worker in self.service.workers:
                self._task(self._work(worker), f"work:{worker.name}")

    async def stop(self) -> None:
        while running := [t for t in self._tasks if not t.done()]:
            for task in running:  # again while any runs: libraries' use of wait_for (3.11) can lose a cancellation
                task.cancel()
            await asyncio.wait(running, timeout=1)
        await self.wire.close()
        await self.log.stop()
        self.locks.close()
        await self.engine.dispose()
        for pool in (self.pool, self.copies, self._keys_pool):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pool.close(), 3)

    async def _tell_when_it_ends(self, connection: Any) -> None:
        """A connection that ends may be the first sign of a crash, which takes back the newest of what was copied."""
        connection.add_termination_listener(self._doubt_views)

    def _doubt_views(self, _: Any) -> None:
        for folder in self.folders.values():
            folder.doubt()

    def _task(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        log_line.error("stopped", part=task.get_name(), why=type(error).__name__)
        if isinstance(error, Exception):
            self._stop_for_good(error)

    def _stop_for_good(self, error: Exception) -> None:
        """Going on would do harm: take no more writes, and let the process end."""
        self._writable.clear()
        if not self.failed.done():
            self.failed.set_result(error)

    async def _connect_bus(self) -> None:
        """Reach the broker, hold its stream against the log, then let the parts begin; again after each reconnect."""
        client = await self.wire.connect()
        await answer_heads(client, self.name, self.log.head)
        s = self.settings
        self.relay = Relay(self.name, self.service.facts, self.log, client, self.clock.now)
        await self._check_stream()
        if s.has("relay"):
            self._task(self.relay.run(), "relay")
            self._task(self.relay.teller.run(), "tell")
        for facts in self.service.hears:
            self._follow_source(facts.service)
        while True:
            await self.wire.reconnected()
            self.relay.begin_anew()
            for listener in self.listeners.values():
                listener.anew = True
            self._writable.clear()
            await self._check_stream()

    async def _check_stream(self) -> None:
        """No write is taken before the stream's last message has been held against the log."""
        assert self.relay is not None
        while True:
            try:
                await self.relay.check()
            except (BusUnavailable, *LOST, asyncpg.PostgresError) as error:
                log_line.warning("bus.waiting", why=f"{type(error).__name__}: {error}")
                await asyncio.sleep(0.3)
            else:
                self._writable.set()
                return

    def _follow_source(self, source: str) -> None:
        recent = self._recent[source]
        listener = Listener(
            self.name, source, self.copies, self.wire.client, self.locks, self.log.moved, recent, self._following
        )
        self.listeners[source] = listener
        reactions = {name: r for (s, name), r in self.service.reactions.items() if s == source}
        reactor = Reactor(
            source, reactions, self.codecs[source], self.copies, self.locks, self._react, self.clock.now, recent
        )
        self.reactors[source] = reactor
        if self.settings.has("listen"):
            self._task(listener.run(), f"listen:{source}")
        if self.settings.has("react"):
            self._task(reactor.run(self.log.moved), f"react:{source}")

    async def _work(self, worker: Worker) -> None:
        """Run a worker while we hold its lock; when it fails, begin again a little later."""
        pause = 0.2
        while True:
            async with self.locks.hold(f"work:{worker.name}") as lock:
                try:
                    await self._run_under(lock, worker)
                except LogWentBack:
                    raise
                except Exception as error:
                    log_line.warning("worker.again", worker=worker.name, why=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _run_under(self, lock: Held, worker: Worker) -> None:
        """Run a worker for as long as the lock is ours. Raises LockLost when its connection is gone."""
        running = asyncio.ensure_future(worker.run(self))
        try:
            while not running.done():
                lock.check()
                await asyncio.wait({running}, timeout=0.5)
            running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    # --- writing ---

    def must_be_writable(self) -> None:
        """503 while the log has not been held against its stream, or has been found wanting."""
        if not self._writable.is_set():
            raise Problem(
                503, "not-ready-to-write", "The service is still checking its log.", do="Try again in a moment.",
                headers={"Retry-After": "1"},
            )  # fmt: skip

    def is_writable(self) -> bool:
        return self._writable.is_set()

    def wrote(self) -> None:
        """Followers of this process look at once: a reader waits for them, or something came in past the log, which
        wakes them itself."""
        self.log.moved.beat()

    async def act(
        self, aggregate: Aggregate[Any, Any, Any], id: Any, command: Any, *, command_id: UUID, actor: Actor = SYSTEM,
        case_id: UUID | None = None, causation_id: UUID | None = None, correlation_id: UUID | None = None,
        legal_basis: str | None = None,
    ) -> Done:  # fmt: skip
        """A command of the service itself (a worker's): done once per `command_id`, whatever is retried."""
        await self._writable.wait()
        context = Context(
            actor=actor, now=self.clock.now(), case_id=case_id, causation_id=causation_id,
            correlation_id=correlation_id, legal_basis=legal_basis,
        )  # fmt: skip
        return await self.perform(aggregate, id, command, context, key=Key(command_id))

    async def load(self, aggregate: Aggregate[Any, Any, Any], id: Any) -> tuple[Any, int]:
        """A stream's state (sealed fields opened) and version."""
        return await self.perform.load(aggregate, id)

    async def _react(self, ask: Ask, command_id: UUID, heard: Heard) -> None:
        e = heard.envelope
        await self.act(
            ask.aggregate, ask.id, ask.command, command_id=command_id, case_id=ask.case_id or e.case_id,
            causation_id=e.event_id, correlation_id=e.correlation_id,
        )  # fmt: skip

    # --- reading ---

    async def covered(self, after: Mapping[str, int]) -> None:
        """Wait until what `after` names has been written here, or heard and reacted to. 503 when it takes too long."""
        for source, position in after.items():
            if source == self.name:
                await self._until(lambda p=position: self._head_at(p))
            elif source in self.codecs:
                await self._until(lambda s=source, p=position: self._checkpoint_at(f"react:{s}", p))

    async def level_with(self, source: str, case_id: UUID | None = None) -> None:
        """Wait until all that `source` had acknowledged by now has been heard and reacted to here. 503 when it does not
        say how far it has come, when that takes too long, or when a message of the case was set aside."""
        try:
            head = await ask_head(self.wire.client, source)
        except BusUnavailable as error:
            log_line.warning("level.unknown", source=source)
            raise Problem(
                503, "owner-unreachable", f"This rests on what {source}-service knows, and it does not answer.",
                do="Try again in a moment.", headers={"Retry-After": "1"},
            ) from error  # fmt: skip
        await self.covered({source: head})
        if case_id is not None and await self.pool.fetchval(
            "select exists(select 1 from dead_letters where source = $1 and case_id = $2)", source, case_id
        ):
            raise Problem(
                503, "set-aside", "A message about this case has been set aside; what it says is not known here.",
                do="The operator has been told. Try again later.", headers={"Retry-After": "60"},
            )  # fmt: skip

    async def caught_up(self, view: View[Any], after: Mapping[str, int]) -> None:
        """Wait until `view` covers the head as it is now, and what `after` names. 503 when it takes too long."""
        await self.covered(after)
        head = await self.log.head()
        for source in view.sources:
            target = head if source == self.name else after.get(source, 0)
            if target and self.folders[view.name].at[source] < target:
                await self._until(
                    lambda s=source, t=target: self._checkpoint_at(f"view:{view.name}:{s}", t), self.folders[view.name]
                )

    async def _head_at(self, position: int) -> bool:
        return await self.log.head() >= position

    async def _checkpoint_at(self, name: str, position: int) -> bool:
        found = await self.pool.fetchval("select position from checkpoints where name = $1", name)
        return (found or 0) >= position

    async def _until(self, true: Callable[[], Awaitable[bool]], folder: Folder[Any] | None = None) -> None:
        """Wait until that is so; a read model that is waited for does not trust its memory meanwhile."""
        told = self.log.moved if folder is None else self.folded
        self.wrote()
        try:
            async with asyncio.timeout(self.settings.read_wait):
                while True:
                    seen = told.count
                    if await true():
                        return
                    await told.after(seen, 0.01)
                    if told.count == seen:
                        if folder is not None:
                            folder.look()
                        self.wrote()  # what another process wrote may stand behind what this one knew of
        except TimeoutError:
            raise Problem(
                503, "not-caught-up", "What you asked to read after has not arrived here yet.",
                do="Try again in a moment.",
                headers={"Retry-After": "1"},
            ) from None  # fmt: skip

    # --- time and change ---

    async def moment(self) -> datetime | None:
        """Up to when everything that others told is known and has been reacted to; None while some source is silent.

        A timer fires only up to this moment, so that what came in time is never counted as missing.
        """
        moment = self.clock.now()
        for facts in self.service.hears:
            row = await self.pool.fetchrow(
                "select h.moment, h.moment_position, coalesce(r.position, 0) as reacted from checkpoints h "
                "left join checkpoints r on r.name = $2 where h.name = $1",
                f"hear:{facts.service}", f"react:{facts.service}",
            )  # fmt: skip
            if row is None or row["moment"] is None or row["reacted"] < row["moment_position"]:
                return None
            moment = min(moment, row["moment"])
        return moment

    async def changed(self, timeout: float) -> None:
        """Wait until this process appends, hears or folds something, at most `timeout` seconds."""
        await self._stirred.after(self._stirred.count, timeout)


NO_TELEMETRY_OF_ITS_OWN: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip
"""FastAPI would record exception messages and a trace of its own; `chassis.edge` traces requests, without content."""


def create_app(service: Service, settings: Settings | None = None, verifier: Verifier | None = None) -> FastAPI:
    """The service behind HTTP. Settings come from the environment unless given."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncGenerator[None, None]:
        runtime = Runtime(service, settings or Settings(), verifier)  # type: ignore[call-arg]
        app.state.runtime = runtime
        try:
            await runtime.start()
        except (NotDurable, WrongMasterKey) as error:
            print(f"{service.name}-service does not start: {error}", file=sys.stderr, flush=True)
            raise
        try:
            yield
        finally:
            await runtime.stop()

    app = FastAPI(
        title=service.title or f"{service.name}-service",
        version="1",
        lifespan=life,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # a redirection repeats the address, with whatever stands in it
        telemetry=NO_TELEMETRY_OF_ITS_OWN,
    )
    problems.install(app)
    app.include_router(service.router, prefix="/v1")
    app.include_router(health.router)

    def stack() -> ASGIApp:
        """Instead of FastAPI's own: the edge bounds and traces, and lets no error out."""
        inner = ExceptionMiddleware(AsyncExitStackMiddleware(app.router), handlers=app.exception_handlers)
        return Edge(Direct(app, inner))

    app.build_middleware_stack = stack

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes, openapi_version="3.1.0")
            schemes = made.setdefault("components", {}).setdefault("securitySchemes", {})
            schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            made["security"] = [{"bearer": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi
    return app
