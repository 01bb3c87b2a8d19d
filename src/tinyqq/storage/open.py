"""Opening a storage by its address: the only place that knows which databases there are."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.ports.storage import AccountStore, ConversationStore, LogReader, LogWriter
from tinyqq.storage.accounts import SqlAccountStore
from tinyqq.storage.conversations import SqlConversationStore
from tinyqq.storage.database import only
from tinyqq.storage.log_reader import SqlLogReader
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.sqlite import SqliteDatabase
from tinyqq.storage.sqlite_writer import OnFatal

logger = logging.getLogger(__name__)

_EXIT_CODE: Final = 74
"""EX_IOERR of sysexits.h."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that is kept, behind the ports."""

    accounts: AccountStore
    conversations: ConversationStore
    log_writer: LogWriter
    log_reader: LogReader
    database: SqliteDatabase

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            Unavailable: there is none.
        """
        await self.database.read(only(select(1)))

    def counters(self) -> dict[str, int | float]:
        """Counts for metrics."""
        return self.database.counters()


def exit_at_once(error: Exception) -> None:
    """End the process without any flushing: what was not acknowledged may be lost, and nothing
    that may be lost is acknowledged."""
    logging.shutdown()
    os._exit(_EXIT_CODE)


@contextlib.asynccontextmanager
async def open_storage(url: str, *, on_fatal: OnFatal = exit_at_once) -> AsyncIterator[Storage]:
    """Open a database, bring it to the present schema if it is embedded, and close it at the end.

    Args:
        url: ``sqlite:///relative/path`` or ``sqlite:////absolute/path``; the folder is made.
        on_fatal: called, in the writer's thread, when a write failed in a way after which the
            process must end (a failed fsync, a full or broken disk).

    Raises:
        InvalidRequest: no such kind of database, or no path.
        Unavailable: another process uses the file.
    """
    path = database_path(url)
    async with SqliteDatabase.open(path, on_fatal=on_fatal) as database:
        yield Storage(
            accounts=SqlAccountStore(database=database),
            conversations=SqlConversationStore(database=database),
            log_writer=SqlLogWriter(database=database),
            log_reader=SqlLogReader(database=database),
            database=database,
        )


def database_path(url: str) -> Path:
    """The file of an embedded database.

    Raises:
        InvalidRequest: the address is not ``sqlite:///path``.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, reason="not a database address") from error
    if parsed.drivername != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise InvalidRequest(
            ErrorCode.INVALID_REQUEST, reason="expected sqlite:///path", scheme=parsed.drivername
        )
    return Path(parsed.database)
