"""SQLAlchemy's engines over a connector: pools that drop what was connected before a failure."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from asyncmy.connection import Connection as DriverConnection
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from tinyqq.storage.mysql_connector import Isolation, MysqlConnector

_GENERATION: Final = "generation"


def pooled_engine(
    connector: MysqlConnector, isolation: Isolation, *, pool_size: int
) -> AsyncEngine:
    """An engine with so many connections at most; who finds none free waits."""

    async def connect() -> DriverConnection:
        return (await connector.connect(isolation, autocommit=False)).connection

    engine = create_async_engine(
        "mysql+asyncmy://", async_creator=connect, pool_size=pool_size, max_overflow=0
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
