"""SQLAlchemy's engines over a connector: pools that drop what was connected before a failure."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from asyncmy.connection import Connection as DriverConnection
from asyncmy.errors import MySQLError
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from tinyqq.storage.dialect import SHARDED
from tinyqq.storage.mysql_connector import Isolation, MysqlConnector, run
from tinyqq.storage.spider import BY_CONVERSATION

_GENERATION: Final = "generation"
_NO_REMARKS: Final = "SET SESSION max_error_count = 0"
"""Spider remarks upon every maximum of nothing, and the driver logs remarks."""
_OPEN_ALL: Final = "EXPLAIN " + " UNION ALL ".join(
    f"SELECT 1 FROM `{table.name}`" for table in BY_CONVERSATION
)
"""Spider asks every shard about a table that is used for the first time, and serves none of it as
long as one does not answer: so all are used while the shards are there."""


def pooled_engine(
    connector: MysqlConnector, isolation: Isolation, *, pool_size: int, is_sharded: bool = False
) -> AsyncEngine:
    """An engine with so many connections at most; who finds none free waits.

    Args:
        is_sharded: see ``dialect.is_sharded``.
    """

    async def connect() -> DriverConnection:
        connection = (await connector.connect(isolation, autocommit=False)).connection
        if is_sharded:
            await run(connection, _NO_REMARKS)
            with contextlib.suppress(MySQLError):
                await run(connection, _OPEN_ALL)
            await run(connection, "ROLLBACK")
        return connection

    engine = create_async_engine(
        "mysql+asyncmy://",
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        execution_options={SHARDED: is_sharded},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def note(_driver: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[_GENERATION] = connector.generation

    @event.listens_for(engine.sync_engine, "checkout")
    def check(
        _driver: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if record.info[_GENERATION] != connector.generation:
            raise DisconnectionError  # the pool makes a new one

    return engine


async def dispose(engine: AsyncEngine, timeout_s: float) -> None:
    """Close every connection, politely if that is quick."""
    with contextlib.suppress(TimeoutError, SQLAlchemyError):
        async with asyncio.timeout(timeout_s):
            await engine.dispose()
