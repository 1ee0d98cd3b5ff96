"""How is a service put under load? It runs in a process of its own, the load generator in another."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.loops import Outcome
from tests.bench.stage import CHECKOUT

from chassis.servers import free_port

CONNECTIONS = 64
READY_WITHIN = 30.0
Command = Callable[[int], tuple[Sequence[str], Mapping[str, str]]]
"""For a port: what to run, with which environment beside our own."""


def under_load(command: Command, ready: str, *, token: str, seconds: float, log: Path) -> Outcome:
    """Start `command(port)`, wait until GET `ready` answers 200, send requests for `seconds`, end it.

    Raises RuntimeError when it does not come up or an answer is not a success."""
    port = free_port()
    arguments, environment = command(port)
    with log.open("wb") as said:
        service = subprocess.Popen(
            arguments, env=os.environ | environment, cwd=CHECKOUT, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        _wait(f"http://127.0.0.1:{port}{ready}", service, log)
        load = [sys.executable, "-m", "tests.bench.load", str(port), token, str(CONNECTIONS), str(seconds), "5"]
        before = _cpu(service.pid)
        sent = subprocess.run(load, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True)
        spent = _cpu(service.pid) - before
    finally:
        service.terminate()
        service.wait(20)
    found: Outcome = json.loads(sent.stdout)
    if any(not status.startswith("2") for status in found["statuses"]):
        raise RuntimeError(f"The service answered {found['statuses']}.\n{_last(log)}")
    each = spent / max(1, sum(found["statuses"].values())) * 1e6
    return found | {"connections": CONNECTIONS, "service_cpu_us_each": round(each)}


def _cpu(pid: int) -> float:
    """CPU seconds that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(url: str, service: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and service.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.05)
    raise RuntimeError(f"The service did not become ready.\n{_last(log)}")


def _last(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
