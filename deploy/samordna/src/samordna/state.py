"""What does one command of `samordna` leave behind for the next? One JSON file that only its owner can read.

It holds passwords of a stack that listens on loopback only, and every process with the moment it was born, so that a
later command ends only what an earlier one started.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chassis.servers import CouldNotStart, Process, Seen


@dataclass
class ServiceState:
    """A service's port, and the passwords of its two database roles (empty until there is a database)."""

    port: int
    owner_password: str = ""
    app_password: str = ""


@dataclass
class State:
    """Everything needed to find a stack again, running or not."""

    postgres_port: int | None = None
    postgres_password: str = ""
    nats_port: int | None = None
    nats_passwords: dict[str, str] = field(default_factory=dict[str, str])
    desk_port: int = 0
    smtp_port: int = 0
    services: dict[str, ServiceState] = field(default_factory=dict[str, ServiceState])
    processes: dict[str, Seen] = field(default_factory=dict[str, Seen])

    def process(self, name: str) -> Process | None:
        """A process an earlier command started, when it still runs."""
        seen = self.processes.get(name)
        return Process(name, seen) if seen is not None and seen.alive() else None


def load(file: Path) -> State:
    """The state in `file`; an empty one when there is none."""
    if not file.exists():
        return State()
    said: dict[str, Any] = json.loads(file.read_text())
    services = {name: ServiceState(**s) for name, s in said.pop("services").items()}
    processes = {name: Seen(**p) for name, p in said.pop("processes").items()}
    return State(**said, services=services, processes=processes)


def save(file: Path, state: State) -> None:
    """Replace `file` in one step; a reader sees the old state or the new one."""
    said = {k: v for k, v in state.__dict__.items() if k not in ("services", "processes")}
    said["services"] = {name: asdict(s) for name, s in state.services.items()}
    said["processes"] = {name: asdict(p) for name, p in state.processes.items()}
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as f:
        json.dump(said, f, indent=1)
    new.replace(file)


class Turn:
    """Only one command at a time may start or stop this stack."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._handle = self._file.open("w")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handle.close()
            raise CouldNotStart("samordna", "another command is starting this stack just now; wait for it") from None

    def __exit__(self, *_: object) -> None:
        self._handle.close()
