"""Does the harness see what a broken relay or listener does? Struck is only what brings it to light."""

from pathlib import Path

import pytest
from tests.faults.played import played
from tests.faults.strikes import PARTS

LISTENERS = [kind for kind in PARTS if kind.endswith("_listener")]


@pytest.mark.parametrize(("part", "strikes"), [("relay", ["case_relay"]), ("listener", LISTENERS)])
async def test_a_broken_part_is_noticed(tmp_path: Path, part: str, strikes: list[str]) -> None:
    code, told, said = await played(tmp_path, f"--break-{part}", "--only", *strikes)
    assert told["lost"] > 0, said
    assert code == 1
