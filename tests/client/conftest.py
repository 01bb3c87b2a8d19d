"""What tests of the client share: a server in miniature, and no waiting before a new try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from tests.support.fake_server import FakeServer, fake_server


class Hasty(Random):
    """Draws the shortest delay that there is: none."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


@pytest.fixture
def hasty() -> Random:
    return Hasty()


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        yield made
