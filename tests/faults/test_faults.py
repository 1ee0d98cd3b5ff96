"""Does the core survive one short run, and does the harness see what a broken relay or listener does?"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SEED = 20
BROKEN = ("lost", "doubled", "reordered", "gaps")


async def played(tmp_path: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """One run with few facts: exit code, what was written, what was said."""
    out = tmp_path / "faults.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "tests/faults/run.py", "--runs", "1", "--seed", str(SEED), "--facts", "800",
        "--out", str(out), *more, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    assert out.exists(), text
    assert process.returncode is not None
    return process.returncode, json.loads(out.read_text()), text


async def test_nothing_is_lost_doubled_or_reordered_when_everything_is_killed_once(tmp_path: Path) -> None:
    code, told, said = await played(tmp_path)
    assert {what: told[what] for what in BROKEN} == dict.fromkeys(BROKEN, 0), said
    assert told["acknowledged"] >= 800
    assert all(times >= 1 for times in told["kills"].values())
    assert code == 0


@pytest.mark.parametrize("part", ["relay", "listener"])
async def test_a_broken_part_is_noticed(tmp_path: Path, part: str) -> None:
    code, told, said = await played(tmp_path, f"--break-{part}")
    assert told["lost"] > 0, said
    assert code == 1
