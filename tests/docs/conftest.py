"""What the documents' tests have at hand: the checkout, its documents, and what stands in them."""

from pathlib import Path

import pytest

DOCUMENTS = ("README.md", "CHANGELOG.md", "docs/**/*.md", "deploy/**/*.md", "services/*/README.md", "tests/**/*.md")


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def documents(root: Path) -> list[Path]:
    """Every document in the repository, in a fixed order."""
    return sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})
