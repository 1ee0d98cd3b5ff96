"""What every tests folder has at hand: real servers, fresh databases, tokens (see chassis.testing_stack)."""

from collections.abc import Mapping

import pytest

pytest_plugins = ["chassis.testing_stack"]


@pytest.fixture(scope="session")
def hears() -> Mapping[str, tuple[str, ...]]:
    return {"plan": ("notification",), "notification": ("plan",)}
