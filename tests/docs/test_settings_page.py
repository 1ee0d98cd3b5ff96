"""Does docs/settings.md say every setting that there is, as it is?"""

import subprocess
import sys
from pathlib import Path


def test_the_page_is_the_printed_one(root: Path) -> None:
    command = [sys.executable, str(root / "tests/docs/settings_page.py")]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout
    written = (root / "docs/settings.md").read_text(encoding="utf-8")
    assert written == printed, "Print it anew: python tests/docs/settings_page.py > docs/settings.md"
    rows = [line.split(" | ") for line in written.splitlines() if line.startswith("| `SAMORDNA_")]
    assert len(rows) > 20
    assert all(len(row) == 4 and row[1].strip() for row in rows)
