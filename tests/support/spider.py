"""Spider for tests: a front and two shards, shared by tests that empty its database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.lab.servers.spider import SpiderServers, spider_servers
from tinyqq.storage.open import migrate_storage


@contextlib.contextmanager
def _migrated(template: Path) -> Iterator[SpiderServers]:
    with spider_servers(template) as servers:
        asyncio.run(migrate_storage(servers.url))
        yield servers


@pytest.fixture(scope="session")
def spider(mariadb_template: Path) -> Iterator[SpiderServers]:
    """The servers that tests share, with every table: don't stop them."""
    with _migrated(mariadb_template) as servers:
        yield servers


@pytest.fixture
def own_spider(mariadb_template: Path) -> Iterator[SpiderServers]:
    """Servers for one test alone, to be killed and stopped."""
    with _migrated(mariadb_template) as servers:
        yield servers
