"""What every tests folder has at hand: real servers, fresh databases, tokens, services (see chassis.testing_*)."""

from collections.abc import Mapping

import pytest

pytest_plugins = ["chassis.testing_stack", "chassis.testing_service"]


@pytest.fixture(scope="session")
def hears() -> Mapping[str, tuple[str, ...]]:
    return {
        "case": ("plan", "meeting", "notification"),
        "plan": ("case", "notification"),
        "meeting": ("case",),
        "notification": ("case", "plan", "meeting"),
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests have to be played by one worker: those of a file, and all that share the journeys' stack."""
    for item in items:
        shared = "house" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("house" if shared else str(item.path)))
