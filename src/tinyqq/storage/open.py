"""Opening a storage by its address: the only place that knows which databases there are.

What a server needs is an optional extra, and imported only when a server is asked for.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tinyqq.errors import ErrorCode, InvalidRequest, needs_extra
from tinyqq.model.ids import ConversationId
from tinyqq.ports.media import MediaStore
from tinyqq.ports.storage import AccountStore, ConversationStore, LogReader, LogTail, LogWriter
from tinyqq.storage.accounts import SqlAccountStore
from tinyqq.storage.conversations import SqlConversationStore
from tinyqq.storage.database import Database, only
from tinyqq.storage.log_reader import SqlLogReader
from tinyqq.storage.log_tail import SqlLogTail
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.media import SqlMediaStore
from tinyqq.storage.mysql_address import SCHEME, MysqlAddress
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
    log_tail: LogTail | None
    """What others write; None: nobody else can."""
    media: MediaStore
    database: Database

    @property
    def max_batch_bytes(self) -> int:
        """How large a batch may be to be appended at once, counted as a lane counts."""
        return self.database.max_batch_bytes

    @property
    def writers(self) -> Mapping[int, int]:
        """The numbers under which this process appends now, and the position of the last row that
        is known to be written under each."""
        return self.database.writers

    @property
    def shards(self) -> int:
        """On how many servers the log lies."""
        return self.database.shards.count

    def shard_of(self, conversation_id: ConversationId) -> int:
        """On which of them a conversation lies, from 0. What one lane appends is of one shard."""
        return self.database.shards.of(conversation_id)

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
        url: ``sqlite:///relative/path`` or ``sqlite:////absolute/path`` (the folder is made), or
            ``mysql+asyncmy://user:password@host1,host2:3306/database``.
        on_fatal: called, in the writer's thread, when a write to a file failed in a way after which
            the process must end (a failed fsync, a full or broken disk).

    Raises:
        InvalidRequest: no such kind of database, or no path.
        Unavailable: another process uses the file; no host can be reached; the schema of a server
            is not this version's.
    """
    if is_server(url):
        opened = _open_server(MysqlAddress.from_url(url))
    else:
        opened = SqliteDatabase.open(database_path(url), on_fatal=on_fatal)
    async with opened as database:
        yield Storage(
            accounts=SqlAccountStore(database=database),
            conversations=SqlConversationStore(database=database),
            log_writer=SqlLogWriter(database=database),
            log_reader=SqlLogReader(database=database),
            log_tail=SqlLogTail(database=database) if is_server(url) else None,
            media=SqlMediaStore(database=database),
            database=database,
        )


async def migrate_storage(url: str) -> None:
    """Bring a database to the schema of this version.

    Raises:
        InvalidRequest, Unavailable: as :func:`open_storage`.
    """
    if is_server(url):
        await _migrate_server(MysqlAddress.from_url(url))
    else:
        async with open_storage(url):
            """Opening an embedded database upgrades it, under the lock that a node also takes."""


def is_server(url: str) -> bool:
    """Whether the address is that of a database server, which many nodes share."""
    return url.startswith(f"{SCHEME}:")


def _open_server(address: MysqlAddress) -> contextlib.AbstractAsyncContextManager[Database]:
    with needs_extra("database_url"):
        from tinyqq.storage.mysql import MysqlDatabase
    return MysqlDatabase.open(address)


async def _migrate_server(address: MysqlAddress) -> None:
    with needs_extra("database_url"):
        from tinyqq.storage.mysql_connector import MysqlTimeouts
        from tinyqq.storage.mysql_migrate import upgrade
    await upgrade(address, timeouts=MysqlTimeouts())


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
            ErrorCode.INVALID_REQUEST,
            reason=f"expected sqlite:///path or {SCHEME}://user:password@host/database",
        )
    return Path(parsed.database)
