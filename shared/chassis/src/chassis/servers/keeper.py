"""What ends the servers of a test run that was itself killed?

A tiny process of its own, run by file path with the standard library only. It is told `pid born` line by line on its
standard input. When that input closes (the one who started us is gone, however it went) it kills what is still there
and is still the same process.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


def born(pid: int) -> str | None:
    """When a process started, as an opaque mark that tells it from a later one with the same number; None if gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self").exists() else _born_without_proc(pid)
    state, *rest = text.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def _born_without_proc(pid: int) -> str | None:
    return _ps("-o", "lstart=", "-p", str(pid)).strip() or None


def _ps(*options: str) -> str:
    return subprocess.run(["ps", *options], stdout=subprocess.PIPE, text=True, check=False).stdout


def children(pid: int) -> list[int]:
    """Every process below this one, by number."""
    pairs = _parents()
    found, last = list[int](), [pid]
    while last:
        last = [child for child, parent in pairs if parent in last]
        found += last
    return found


def _parents() -> list[tuple[int, int]]:
    if not Path("/proc/self").exists():
        rows = _ps("-axo", "pid=,ppid=").splitlines()
        return [(int(a), int(b)) for a, b in (row.split() for row in rows)]
    pairs = list[tuple[int, int]]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pairs.append((int(entry.name), int(fields[1])))
    return pairs


def kill_tree(pid: int) -> list[int]:
    """End a process and everything below it at once; who was ended.

    It is stopped first, so that it cannot start another meanwhile."""
    _signal(pid, signal.SIGSTOP)
    ended = [*children(pid), pid]
    for one in ended:
        _signal(one, signal.SIGKILL)
    return ended


def _signal(pid: int, what: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)


def main() -> None:
    kept = dict[int, str]()
    for line in sys.stdin:
        number, _, mark = line.strip().partition(" ")
        kept[int(number)] = mark
    for pid, mark in kept.items():
        if born(pid) == mark:
            kill_tree(pid)


if __name__ == "__main__":
    main()
