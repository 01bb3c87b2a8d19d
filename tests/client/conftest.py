"""What tests of the client share: a server in miniature, and no waiting before a new try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from tests.support.clients import Hasty
from tests.support.fake_server import FakeServer, fake_server


@pytest.fixture
def hasty() -> Random:
    return Hasty()


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        yield made
