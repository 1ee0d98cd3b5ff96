"""How does the local stack come up, go down, and lose a part on purpose?

PostgreSQL and nats-server from their wheels, the desk, and every service as its own process, as in production. Nothing
restarts by itself: the story kills services on purpose. Everything written stays in `build/<name>` of the checkout.
"""

import asyncio
import base64
import json
import secrets
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from chassis.clock import set_simulated
from chassis.servers import CouldNotStart, Keeper, Nats, Postgres, Process, Seen, free_port, place_for
from chassis.servers.process import run, spawn, taken
from samordna.members import MEMBERS, Member, nats_users
from samordna.state import ServiceState, State, Turn, load, save
from samordna.wiring import answers, databases, environment, passed_on

Say = Callable[[str], None]


class Stack:
    """The local stack of one checkout. Several stacks of one checkout have different names and share nothing."""

    def __init__(
        self, checkout: Path, name: str = "stack", *, members: Sequence[Member] = MEMBERS, keep: Keeper | None = None,
        say: Say = lambda line: None,
    ) -> None:  # fmt: skip
        self.place = place_for(checkout, name)
        self.home = self.place.home
        self.members = {m.name: m for m in members}
        self.say = say
        self._keep = keep
        self._file = self.home / "state.json"
        self._processes = dict[str, Process]()
        self.state: State = load(self._file)
        self._servers()

    def _servers(self) -> None:
        s = self.state
        self.postgres = Postgres(
            self.place, port=s.postgres_port, password=s.postgres_password or None, keep=self._keep,
            process=s.process("postgres"),
        )  # fmt: skip
        self.nats = Nats(
            self.place, nats_users(list(self.members.values())), port=s.nats_port, passwords=s.nats_passwords,
            keep=self._keep, process=s.process("nats"),
        )  # fmt: skip

    # --- where things are ---

    @property
    def desk_url(self) -> str:
        return f"http://127.0.0.1:{self.state.desk_port}"

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.state.services[service].port}"

    @property
    def has_clock(self) -> bool:
        """Has this stack's time begun already?"""
        return self._clock.exists()

    @property
    def _clock(self) -> Path:
        return self.home / "clock"

    def log(self, name: str) -> Path:
        """The log file of a process: `postgres`, `nats`, `desk` or a service."""
        return self.home / f"{name}.log"

    @property
    def names(self) -> list[str]:
        """Every process, in the order in which they start."""
        return ["postgres", "nats", "desk", *self.members]

    def process(self, name: str) -> Process | None:
        """The running process of that name, started by us or by any other command; None when there is none.

        While we stay up another command may stop one and start it again: ours is gone then, theirs is in the file."""
        ours = self._processes.get(name)
        if ours is not None and ours.alive():
            return ours
        return self.state.process(name) or load(self._file).process(name)

    def running(self) -> list[str]:
        return [name for name in self.names if self.process(name) is not None]

    # --- up and down ---

    async def up(self, at: datetime | None = None) -> None:
        """Start what is not running. A new stack's clock begins at `at` (default: this hour). Raises CouldNotStart."""
        with self._only_one():
            self._see_what_others_started()
            if self.place.moved:
                self.say(self.place.moved)
            self._forget_taken_ports()
            await asyncio.gather(self._start_postgres(), self._start_nats())
            self._prepare(at)
            await asyncio.gather(self._start_desk(), *(self._start_service(name) for name in self.members))

    async def down(self) -> None:
        """Stop everything, services first, so that nothing loses its database while it is at work. Data stays."""
        services = [p for name in self.members if (p := self.process(name))]
        desk = self.process("desk")
        await asyncio.gather(*(p.stop() for p in [*services, *([desk] if desk else [])]))
        await asyncio.gather(self.nats.stop(), self.postgres.stop())
        self.state.processes.clear()
        self._processes.clear()
        self._save()

    def wipe(self) -> None:
        """Delete the data, logs and e-mails of a stack that is down."""
        if self.running():
            raise RuntimeError("The stack is running; stop it first.")
        for folder in {self.place.home, self.place.data}:
            shutil.rmtree(folder, ignore_errors=True)
        self.place.home.mkdir(parents=True, exist_ok=True)
        self.place.data.mkdir(parents=True, exist_ok=True)
        self.state = State()
        self._servers()

    def _only_one(self) -> "Turn":
        return Turn(self.home / "lock")

    # --- one part at a time ---

    async def start(self, name: str) -> None:
        """Start one process again where it was. Raises CouldNotStart."""
        self._see_what_others_started()
        if name in self.members:
            await self._start_service(name)
        elif name == "postgres":
            await self._start_postgres()
        elif name == "nats":
            await self._start_nats()
        else:
            await self._start_desk()

    async def kill(self, name: str) -> None:
        """SIGKILL, as when its machine loses power. It stays away until it is started again."""
        process = self.process(name)
        if process is not None:
            await process.kill()

    async def stop(self, name: str) -> None:
        """Ask one service or the desk to end."""
        process = self.process(name)
        if process is not None:
            await process.stop()

    async def _start_postgres(self) -> None:
        if self.process("postgres"):
            return
        self.say("PostgreSQL startar / starting")
        self.state.postgres_password = self.postgres.password  # before initdb: it is written into the data
        self._save()
        await self.postgres.start()
        self.state.postgres_port = self.postgres.port
        self._started("postgres", self.postgres.process)

    async def _start_nats(self) -> None:
        if self.process("nats"):
            return
        self.say("NATS startar / starting")
        await self.nats.start()
        self.state.nats_port, self.state.nats_passwords = self.nats.port, self.nats.passwords
        self._started("nats", self.nats.process)

    def _forget_taken_ports(self) -> None:
        """While a stack was down somebody else may have come to listen where it did."""
        if self.running():
            return
        s = self.state
        s.postgres_port = None if taken(s.postgres_port) else s.postgres_port
        s.nats_port = None if taken(s.nats_port) else s.nats_port
        s.desk_port = 0 if taken(s.desk_port) else s.desk_port
        s.smtp_port = 0 if taken(s.smtp_port) else s.smtp_port
        for service in s.services.values():
            service.port = 0 if taken(service.port) else service.port
        self._servers()

    def _prepare(self, at: datetime | None) -> None:
        """Ports, keys and the clock: made once, kept afterwards."""
        s = self.state
        s.desk_port, s.smtp_port = s.desk_port or free_port(), s.smtp_port or free_port()
        for name in self.members:
            service = s.services.setdefault(name, ServiceState(port=0))
            service.port = service.port or free_port()
            master = self.home / f"{name}.master.key"
            if not master.exists():
                master.touch(mode=0o600)
                master.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        if not self.has_clock:
            set_simulated(self._clock, at or datetime.now().astimezone().replace(minute=0, second=0, microsecond=0))
        told = {"port": s.desk_port, "smtp": s.smtp_port, "services": {name: self.url(name) for name in self.members}}
        (self.home / "desk.json").write_text(json.dumps(told))
        self._save()

    async def _start_desk(self) -> None:
        if not self.process("desk"):
            self._spawn("desk", [sys.executable, "-m", "samordna.desk", str(self.home)], passed_on())
        await self._answers("desk", f"{self.desk_url}/clock")

    async def _start_service(self, name: str) -> None:
        if not self.process(name):
            self.say(f"{name}-service startar / starting")
            if not self.state.services[name].app_password:
                await self.provide(name)
            await self.migrate(name)
            module = self.members[name].module
            self._spawn(name, [sys.executable, "-m", "chassis", "serve", module], self.environment(name))
        await self._answers(name, f"{self.url(name)}/health/ready")
        self.say(f"{name}-service redo / ready: {self.url(name)}")

    async def provide(self, name: str) -> None:
        """The service's database and its keys' database, where they are missing; both open for the same two roles."""
        service = self.state.services[name]
        service.owner_password = service.owner_password or secrets.token_hex(16)
        service.app_password = service.app_password or secrets.token_hex(16)
        self._save()
        passwords = (service.owner_password, service.app_password)
        for database in (name, f"{name}_keys"):
            await self.postgres.provide(database, roles=name, passwords=passwords)

    async def migrate(self, name: str) -> None:
        """Bring a service's databases to the newest schema. Raises CouldNotStart."""
        command = [sys.executable, "-m", "chassis", "migrate", self.members[name].module]
        environment = self.environment(name, owner=True)
        done = await asyncio.to_thread(run, command, cwd=self.home, env=environment)
        if done.returncode != 0:
            with self.log(name).open("ab") as log:
                log.write(done.stdout)
            raise CouldNotStart(f"{name}-service", "its database could not be migrated", self.log(name))

    def environment(self, name: str, owner: bool = False) -> dict[str, str]:
        """Everything a service's process is told. Only migrations are told the owner's databases."""
        s = self.state
        case = f"http://127.0.0.1:{s.services['case'].port}" if "case" in s.services else ""
        wired = environment(
            self.home, name, desk_url=self.desk_url, nats_url=self.nats.url(name), smtp_port=s.smtp_port,
            port=s.services[name].port, case_url=case,
        )  # fmt: skip
        return wired | databases(self.postgres, name, s.services[name], owner)

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        process = spawn(name, command, self.log(name), env=environment, cwd=self.home, keep=self._keep)
        self._started(name, process)

    def _started(self, name: str, process: Process | None) -> None:
        assert process is not None
        self._processes[name] = process
        self.state.processes[name] = Seen(pid=process.seen.pid, born=process.seen.born)
        self._save()

    async def _answers(self, name: str, url: str) -> None:
        await answers(name, url, lambda: self.process(name) is not None, self.log(name))

    def _see_what_others_started(self) -> None:
        """Before anything is written down, so that nobody's process is forgotten by it."""
        self.state.processes = load(self._file).processes

    def _save(self) -> None:
        save(self._file, self.state)


@asynccontextmanager
async def stack_up(stack: Stack, at: datetime | None = None) -> AsyncGenerator[Stack, None]:
    """The stack, up inside the block and down after it, also when starting fails half-way or Ctrl-C comes."""
    try:
        await stack.up(at)
        yield stack
    finally:
        await asyncio.shield(stack.down())
