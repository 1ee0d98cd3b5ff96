"""How do we start a process, know it again later, and end only what we started?"""

import asyncio
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chassis.decider import record
from chassis.servers import keeper

ENDING = 30.0
"""Seconds a process may take to end by itself before it is killed."""


class CouldNotStart(Exception):
    """A process did not come up. The text says which, what it said last, and where the whole log lies."""

    def __init__(self, name: str, why: str, log: Path | None = None) -> None:
        said = ""
        if log is not None and log.exists():
            last = log.read_text(errors="replace").splitlines()[-12:]
            said = f"\nLast lines of {log}:\n" + "\n".join(f"  {line}" for line in last)
        super().__init__(f"{name} could not be started: {why}{said}")


@record
class Seen:
    """A process as a state file remembers it: its number and when it was born, so that a reused number is not ours."""

    pid: int
    born: str

    def alive(self) -> bool:
        return keeper.born(self.pid) == self.born


class Process:
    """A process we started, in this life or, known again from a state file, in an earlier one."""

    def __init__(self, name: str, seen: Seen, child: subprocess.Popen[bytes] | None = None) -> None:
        self.name = name
        self.seen = seen
        self._child = child

    def alive(self) -> bool:
        """A child of ours counts as alive until it has been reaped: until then others still find its number taken."""
        if self._child is not None:
            return self._child.poll() is None
        return self.seen.alive()

    def send(self, what: signal.Signals) -> None:
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.seen.pid, what)

    async def ended(self, timeout: float) -> bool:
        """Wait until it is gone; False when it is still there after `timeout` seconds."""
        return await comes_true(lambda: not self.alive(), timeout)

    async def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = ENDING) -> None:
        """Ask it to end; after `timeout` seconds end it."""
        self.send(how)
        if not await self.ended(timeout):
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL to it and everything below it, as when the machine loses power."""
        if not self.alive():
            return
        below = keeper.kill_tree(self.seen.pid)[:-1]
        await self.ended(ENDING)
        await comes_true(lambda: not any(keeper.born(pid) for pid in below), ENDING)


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str],
    cwd: Path,
    user: str | None = None,
    keep: "Keeper | None" = None,
) -> Process:
    """Start a process in a session of its own (Ctrl-C does not reach it), its output appended to `log`."""
    try:
        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=group_of(user),
                extra_groups=None if user is None else [],
            )
    except OSError as e:
        raise CouldNotStart(name, str(e), log) from e
    seen = Seen(pid=child.pid, born=keeper.born(child.pid) or "gone")
    if keep is not None:
        keep.watch(seen)
    return Process(name, seen, child)


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    user: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end as `user`; what it says on either output is in `stdout`. Raises OSError."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        user=user,
        group=group_of(user),
        extra_groups=None if user is None else [],
        check=False,
    )


def group_of(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


class Keeper:
    """Ends what was started when we ourselves are gone, also after a kill -9. For tests and foreground runs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, seen: Seen) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seen.pid} {seen.born}\n".encode())
        self._process.stdin.flush()

    def close(self) -> None:
        """Everything watched that still runs is ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(ENDING)


async def comes_true(condition: Callable[[], bool], timeout: float, pause: float = 0.01) -> bool:
    """Look until `condition` holds; False when it does not within `timeout` seconds of real time."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(pause)
    return True


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def taken(port: int | None) -> bool:
    """Does somebody listen on this loopback port?"""
    if not port:
        return True
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
