"""Pools forget what was connected before a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_engine import dispose, pooled_engine

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]


@pytest.fixture
def connector(mariadb: MariaDb) -> MysqlConnector:
    address = MysqlAddress((("127.0.0.1", mariadb.port),), "root", "", "mysql")
    return MysqlConnector(address=address, timeouts=MysqlTimeouts())


@pytest.fixture
async def engine(connector: MysqlConnector) -> AsyncIterator[AsyncEngine]:
    made = pooled_engine(connector, "REPEATABLE READ", pool_size=1)
    yield made
    await dispose(made, 5)


async def connection_id(engine: AsyncEngine) -> int:
    """Which connection one gets."""
    async with engine.connect() as connection:
        found: int = (await connection.execute(text("SELECT CONNECTION_ID()"))).scalar_one()
        return found


async def test_engine_when_used_twice_then_the_same_connection(engine: AsyncEngine) -> None:
    assert await connection_id(engine) == await connection_id(engine)


async def test_engine_when_the_host_is_distrusted_then_a_new_connection(
    engine: AsyncEngine, connector: MysqlConnector
) -> None:
    before = await connection_id(engine)
    connector.distrust()
    after = await connection_id(engine)
    assert after != before
    assert await connection_id(engine) == after
