"""Servers and units that tests of whole nodes share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from tests.e2e.processes import Server, serving
from tests.e2e.test_cluster import TIMEOUT_S, Cluster, sees_nodes
from tests.support.browser import open_browser, serve_flags

from tinyqq.app.build import App
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.storage.open import migrate_storage


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Of one test alone."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def zookeeper(tmp_path: Path) -> Iterator[ZookeeperServer]:
    """Of one test alone."""
    with ZookeeperServer(tmp_path) as server:
        yield server


@pytest.fixture
async def cluster(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> Cluster:
    """What units need to be one cluster."""
    database = mariadb.make_database()
    await migrate_storage(database)
    return Cluster(tmp_path, database, f"{redis.url}/0", f"{zookeeper.url}/tests")


@pytest.fixture
async def units(cluster: Cluster) -> AsyncIterator[tuple[App, App]]:
    """Two that see each other, in this process."""
    async with cluster.unit("one") as one, cluster.unit("two") as two:
        async with asyncio.timeout(TIMEOUT_S):
            for app in (one, two):
                await sees_nodes(app, 2)
        yield one, two


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Of all tests of a file; these run in the loop of their module."""
    async with open_browser() as made:
        yield made


@pytest.fixture(scope="module")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``web_server`` runs; its data is in ``data``."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def web_server(web_folder: Path) -> Iterator[Server]:
    """Of all tests of a file, each with people of its own."""
    with serving(web_folder, *serve_flags()) as made:
        yield made
