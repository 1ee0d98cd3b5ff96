"""Does the core survive one short run in which everything is killed?"""

from pathlib import Path

from tests.faults.played import BROKEN, played


async def test_nothing_is_lost_doubled_or_reordered_when_everything_is_killed_once(tmp_path: Path) -> None:
    code, told, said = await played(tmp_path)
    assert {what: told[what] for what in BROKEN} == dict.fromkeys(BROKEN, 0), said
    assert told["acknowledged"] >= 800
    assert all(times >= 1 for times in told["kills"].values())
    assert code == 0
