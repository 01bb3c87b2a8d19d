"""Spider for tests: a front and two shards, shared by tests that empty its database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Table

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.spider import DATABASE, SpiderServers, spider_servers
from tinyqq.storage.open import migrate_storage
from tinyqq.storage.schema import metadata
from tinyqq.storage.spider import BY_CONVERSATION

_BY_USER: Final = [table for table in metadata.sorted_tables if table not in BY_CONVERSATION]


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
def breakable_spider(spider: SpiderServers) -> Iterator[SpiderServers]:
    """The same, empty, and made whole after the test: its shards may be killed and paused."""
    emptied(spider)
    yield spider
    for shard in spider.shards:
        shard.kill()
        shard.start()


@pytest.fixture
def own_spider(mariadb_template: Path) -> Iterator[SpiderServers]:
    """Servers for one test alone."""
    with _migrated(mariadb_template) as servers:
        yield servers


def emptied(servers: SpiderServers) -> str:
    """The address of the servers' database, in which there is nothing now."""
    for shard in servers.shards:
        empty(shard, DATABASE, BY_CONVERSATION)
    empty(servers.front, DATABASE, _BY_USER)
    return servers.url


def empty(server: MariaDb, database: str, tables: Iterable[Table]) -> None:
    """Delete every row; quicker than a new database."""
    server.ask("; ".join(f"DELETE FROM `{table.name}`" for table in tables), database)
