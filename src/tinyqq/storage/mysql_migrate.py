"""Bringing a MariaDB or MySQL database to the schema of this version."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Final

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.dialects.mysql.base import MySQLDialect

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.storage import migrate
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_engine import dispose, pooled_engine
from tinyqq.storage.mysql_errors import translating

_LOCK: Final = text("SELECT GET_LOCK('tinyqq.migrate', 30)")
# MariaDB: it would close the connection where a slow machine pauses between two statements.
_TAKE_TIME: Final = text("SET SESSION idle_write_transaction_timeout = 0")


async def upgrade(address: MysqlAddress, *, timeouts: MysqlTimeouts) -> None:
    """Apply what is missing. Interrupted, it goes on where it was the next time.

    Raises:
        Unavailable: it cannot be reached, another process is at it, or it belongs to a newer
            version.
    """
    connector = MysqlConnector(address=address, timeouts=timeouts)
    engine = pooled_engine(connector, "READ COMMITTED", pool_size=1)
    try:
        with translating(), _without_notes():
            async with engine.connect() as connection:
                await connection.run_sync(upgrade_over)
                await connection.commit()
    finally:
        await dispose(engine, timeouts.connect_s)


def check_revision(connection: Connection) -> None:
    """Refuse a database with another schema than this version works with.

    Raises:
        Unavailable: see ``reason``.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision != migrate.head():
        raise Unavailable(
            ErrorCode.UNAVAILABLE,
            reason=f"the database has schema {revision or 'none'}, this version works with "
            f"{migrate.head()}: run `tinyqq migrate`",
        )


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """The driver logs what the server has to remark on Alembic's own table."""
    driver_logger = logging.getLogger("asyncmy")
    level = driver_logger.level
    driver_logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        driver_logger.setLevel(level)


def upgrade_over(connection: Connection) -> None:
    """The same over one connection, which the caller commits and closes."""
    # Held until the connection closes.
    if not connection.execute(_LOCK).scalar_one():
        raise Unavailable(ErrorCode.UNAVAILABLE, reason="another process migrates the database")
    if isinstance(connection.dialect, MySQLDialect) and connection.dialect.is_mariadb:
        connection.execute(_TAKE_TIME)
    migrate.upgrade_connection(connection)
