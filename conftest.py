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
