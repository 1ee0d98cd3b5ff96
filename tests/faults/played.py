"""How is the harness played by its own tests? As a program, as `make faults` does."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

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
