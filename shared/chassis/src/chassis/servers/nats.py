"""How do we run a real nats-server of our own, where each service may say only what is its own?

The permissions below are the whole truth about who may publish and hear what; `deploy/nats` is rendered from them.
"""

import asyncio
import json
import secrets
import shutil
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

from chassis.decider import record
from chassis.servers.place import Place, nats_program
from chassis.servers.process import CouldNotStart, Keeper, Process, free_port, spawn

STARTING = 30.0
"""Seconds a start may take."""


@record
class NatsUser:
    """A user and the exact subjects it may publish to and subscribe to. `inbox` is where its replies arrive."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    @property
    def inbox(self) -> str:
        return f"_INBOX.{self.name}"


def service_user(service: str, hears: Iterable[str]) -> NatsUser:
    """What a service needs: publish its own stream, keep its own stream's settings, read the streams it hears, ask the
    services it hears how far they have come (`chassis.level`) and say so itself, tell what it just wrote and be told
    what those have (`chassis.telling`).

    The consumer on a heard stream carries the listening service's name. Replies go to an inbox of its own, so that
    no service can overhear another's."""
    own = service.upper()
    api = "$JS.API"
    publish = [f"{service}.>", f"level.{service}", f"live.{service}.*", f"{api}.INFO"]
    subscribe = [f"_INBOX.{service}.>", "level.*", f"head.{service}"]
    publish += [f"{api}.STREAM.{verb}.{own}" for verb in ("CREATE", "UPDATE", "INFO", "MSG.GET")]
    publish += [f"{api}.DIRECT.GET.{own}", f"{api}.DIRECT.GET.{own}.>"]
    for name in hears:
        heard = name.upper()
        subscribe += [f"live.{name}.*"]
        publish += [f"head.{name}", f"{api}.STREAM.INFO.{heard}"]
        publish += [f"{api}.CONSUMER.{verb}.{heard}.{service}" for verb in ("CREATE", "INFO", "DELETE", "MSG.NEXT")]
        publish += [f"{api}.CONSUMER.DURABLE.CREATE.{heard}.{service}", f"$JS.ACK.{heard}.{service}.>"]
    return NatsUser(name=service, publish=tuple(publish), subscribe=tuple(subscribe))


def operator() -> NatsUser:
    """May do everything: status, `events tail`, tests."""
    return NatsUser(name="ops", publish=(">",), subscribe=(">",))


def users_block(users: Iterable[NatsUser], passwords: Mapping[str, str]) -> str:
    """The `authorization` part of nats.conf. A password may be a `$VARIABLE` of the server's environment."""
    rows = "\n".join(
        f"    {{ user: {u.name}, password: {_quoted(passwords[u.name])}, permissions: {{\n"
        f"      publish: {json.dumps(u.publish)}\n"
        f"      subscribe: {json.dumps(u.subscribe)}\n"
        f'      allow_responses: {{ max: 1, expires: "10s" }} }} }}'
        for u in users
    )
    return f"authorization {{\n  users: [\n{rows}\n  ]\n}}\n"


def _quoted(password: str) -> str:
    """Without quotes nats-server takes some passwords for numbers; a variable must stand without them."""
    return password if password.startswith("$") else json.dumps(password)


class Nats:
    """One nats-server with JetStream. Keep `port` and `passwords` to find it again."""

    def __init__(
        self,
        place: Place,
        users: Iterable[NatsUser],
        *,
        port: int | None = None,
        passwords: Mapping[str, str] | None = None,
        keep: Keeper | None = None,
        process: Process | None = None,
    ) -> None:
        self.home = place.home
        self.store = place.home / "nats"
        self.log = place.home / "nats.log"
        self.users = tuple(users)
        self.passwords = {u.name: secrets.token_hex(16) for u in self.users} | dict(passwords or {})
        self.port = port or free_port()
        self._port_is_new = port is None
        self.process = process
        self._keep = keep

    def url(self, user: str) -> str:
        return f"nats://{user}:{self.passwords[user]}@127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start and wait until it takes connections. Raises CouldNotStart."""
        for attempt in (1, 2, 3):
            before = self.log.stat().st_size if self.log.exists() else 0
            try:
                await self._start_once()
                break
            except CouldNotStart:
                if (
                    attempt == 3
                    or not self._port_is_new
                    or b"address already in use" not in self.log.read_bytes()[before:]
                ):
                    raise
                self.port = free_port()
        self._port_is_new = False

    async def _start_once(self) -> None:
        config = self.home / "nats.conf"
        config.touch(mode=0o600)
        config.write_text(self._config())
        self.process = spawn(
            "nats", [str(nats_program()), "-c", str(config)], self.log, env={}, cwd=self.home, keep=self._keep
        )
        try:
            async with asyncio.timeout(STARTING):
                while not await self._answers():
                    if not self.process.alive():
                        raise CouldNotStart("nats", "it ended at once", self.log)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.process.kill()
            raise CouldNotStart("nats", f"no answer within {STARTING:.0f} s", self.log) from None

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            greeting = await reader.readline()
        finally:
            writer.close()
        return greeting.startswith(b"INFO ") and bool(json.loads(greeting[5:]).get("jetstream"))

    def _config(self) -> str:
        return (
            "# Written anew at every start.\n"
            f"server_name: samordna\nlisten: 127.0.0.1:{self.port}\n"
            f"jetstream {{ store_dir: {json.dumps(str(self.store))}, sync_interval: always }}\n"
            + users_block(self.users, self.passwords)
        )

    async def stop(self) -> None:
        if self.process is not None:
            await self.process.stop(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL, as when the machine loses power."""
        if self.process is not None:
            await self.process.kill()

    async def restart(self) -> None:
        """Start again on the same port with the same store, after a stop or a kill."""
        if self.process is not None and self.process.alive():
            await self.stop()
        await self.start()

    def wipe(self) -> None:
        """The broker loses its store. The server must not run."""
        self._must_rest()
        shutil.rmtree(self.store, ignore_errors=True)

    def copy(self, folder: Path) -> None:
        """Keep the store as it is now in `folder`. The server must not run."""
        self._must_rest()
        shutil.rmtree(folder, ignore_errors=True)
        if self.store.exists():
            shutil.copytree(self.store, folder)

    def rollback(self, folder: Path) -> None:
        """Put back a store that was copied earlier: what was published since is gone. The server must not run."""
        self.wipe()
        if folder.exists():
            shutil.copytree(folder, self.store)

    def _must_rest(self) -> None:
        if self.process is not None and self.process.alive():
            raise RuntimeError("nats-server is running; stop or kill it first.")
