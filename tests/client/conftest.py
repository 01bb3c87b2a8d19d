"""What tests of the client share: a server in miniature, and no waiting before a new try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from tests.support.certificates import Certificate, make_certificate
from tests.support.clients import Hasty
from tests.support.fake_server import FakeServer, fake_server


@pytest.fixture
def hasty() -> Random:
    return Hasty()


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        yield made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def secure(certificate: Certificate) -> AsyncIterator[FakeServer]:
    """A server that speaks TLS only."""
    async with fake_server(tls=certificate.server) as made:
        yield made
