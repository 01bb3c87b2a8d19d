"""Connections to an SQLite file: how they are set up, and how their transactions begin."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    # macOS: without these fsync returns before the disk has the data.
    "fullfsync = 1",
    "checkpoint_fullfsync = 1",
    "busy_timeout = 5000",
    "temp_store = MEMORY",
)
# Checkpoints run beside the writer (sqlite_checkpoint.py); this one is for when they fall behind.
_WRITER_PRAGMAS: Final = ("wal_autocheckpoint = 40000", "cache_size = -65536")
_READER_PRAGMAS: Final = ("query_only = ON", "cache_size = -8192")


def writing_engine(path: Path) -> Engine:
    """Connections that write; a transaction takes the file's only write lock at its beginning."""
    return _engine(path, _WRITER_PRAGMAS, pool_size=1, begin="BEGIN IMMEDIATE")


def reading_engine(path: Path, *, pool_size: int) -> Engine:
    """Connections that only read; a transaction sees the file as of its first statement."""
    return _engine(path, _READER_PRAGMAS, pool_size=pool_size, begin="BEGIN")


def plain_connection(path: Path) -> sqlite3.Connection:
    """A connection of the driver, set up like the writer's, that begins no transactions."""
    connection = sqlite3.connect(path, isolation_level=None)
    _set_up(connection, (*_PRAGMAS, *_WRITER_PRAGMAS))
    return connection


def driver_of(conn: Connection) -> sqlite3.Connection:
    """The driver's connection below SQLAlchemy's."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _engine(path: Path, pragmas: Sequence[str], *, pool_size: int, begin: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=pool_size,
        # Transactions are begun below; the driver's own way begins them late, and not for DDL.
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def set_up(driver: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        _set_up(driver, (*_PRAGMAS, *pragmas))
        # Its own knows the letters of ASCII alone.
        driver.create_function("lower", 1, str.lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin_transaction(conn: Connection) -> None:
        # By the driver: SQLAlchemy's way costs as much as a small read, and every commit pays it.
        driver_of(conn).execute(begin).close()

    return engine


def _set_up(driver: sqlite3.Connection, pragmas: Sequence[str]) -> None:
    for pragma in pragmas:
        driver.execute(f"PRAGMA {pragma}").close()
