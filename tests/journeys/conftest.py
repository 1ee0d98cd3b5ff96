"""What the journeys have at hand: one stack that stays up for all who only use it, and stacks of their own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from tests.journeys.house import House, house_open

DAY_24 = datetime(2026, 3, 25, 11, tzinfo=UTC)
"""Noon in Sweden, on day 24 of a sick leave that began on 2 March: no reminder has been sent, no plan is due."""


@pytest.fixture(scope="session")
async def house(pytestconfig: pytest.Config) -> AsyncIterator[House]:
    """The stack that journeys share. Its clock goes forward only, and its logs grow."""
    async with house_open(pytestconfig.rootpath, "shared", DAY_24) as house:
        yield house
