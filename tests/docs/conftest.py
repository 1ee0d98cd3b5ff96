"""What the documents' tests have at hand: the checkout, its documents, and what stands in them."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from chassis.service import Service

CHECKOUT = str(Path(__file__).resolve().parents[2])
if CHECKOUT not in sys.path:
    sys.path.insert(0, CHECKOUT)

DOCUMENTS = ("README.md", "CHANGELOG.md", "docs/**/*.md", "deploy/**/*.md", "services/*/README.md", "tests/**/*.md")


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def documents(root: Path) -> list[Path]:
    """Every document in the repository, in a fixed order."""
    return sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})


@pytest.fixture(scope="session")
def services() -> Mapping[str, Service]:
    """The manifests of all services, by name."""
    names = ("case", "plan", "meeting", "notification")
    return {name: importlib.import_module(f"{name}_service.main").service for name in names}
