"""MariaDB and MySQL: a pool for reading, one for writing, and one connection for the log.

Reads run in REPEATABLE READ, so that all statements of a piece of work see one moment; writes in
READ COMMITTED, which takes no locks on gaps. What a call waits for is bounded in time and number.
docs/decisions/0008-mysql-storage.md has the reasons.

Where the log is spread over shards there is a connection for the log of each, and a pool for what
is read on each, so that whoever waits for a shard that is away keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.accounts import take_numbers
from tinyqq.storage.database import T, Work
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_errors import (
    CannotConnect,
    is_refused,
    is_shard_away,
    is_transient,
    translating,
)
from tinyqq.storage.mysql_log import MysqlLog
from tinyqq.storage.mysql_migrate import check_revision
from tinyqq.storage.mysql_pool import MysqlPool
from tinyqq.storage.shards import Shards, read_shards

_READERS: Final = 8
_WRITERS: Final = 4
_RETRY_AFTER_S: Final = 1.0
_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 0.02
_MIN_PACKET_BYTES: Final = 1024 * 1024
_SHARE_OF_PACKET: Final = 8
"""A lane's batch in hexadecimal digits is twice as long and takes a quarter of the packet."""


@dataclass(slots=True)
class _Call:
    """How far a call has come: the host is to blame only for what it was asked."""

    pool: MysqlPool
    was_asked: bool = False


class MysqlDatabase:
    """A database on one of several hosts; implements ``storage.database.Database``. See
    :meth:`open`."""

    def __init__(self, *, connector: MysqlConnector, timeouts: MysqlTimeouts) -> None:
        self._connector = connector
        self._timeouts = timeouts
        self._reading = MysqlPool(connector, "REPEATABLE READ", size=_READERS)
        self._writing = MysqlPool(connector, "READ COMMITTED", size=_WRITERS)
        self._shards = Shards()
        self._of_shards: list[MysqlPool] = []
        """Sharded only: for reading on each, and one more for reading on several."""
        self._logs: list[MysqlLog] = []
        self._max_packet_bytes = 0
        self._reads = 0
        self._transactions = 0
        self._retries = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, address: MysqlAddress, *, timeouts: MysqlTimeouts | None = None
    ) -> AsyncIterator[Self]:
        """Connect, check the schema, take a writer's number, and serve until the end of the block.

        Raises:
            Unavailable: no host can be used, or the schema is not this version's.
        """
        timeouts = timeouts or MysqlTimeouts()
        connector = MysqlConnector(address=address, timeouts=timeouts)
        database = cls(connector=connector, timeouts=timeouts)
        try:
            await database._prepare()
            yield database
        finally:
            await database._close()

    @property
    def writers(self) -> Mapping[int, int]:
        """See :class:`tinyqq.storage.database.Database`; a new one may come with any batch."""
        return {writer: pos for log in self._logs for writer, pos in log.writers.items()}

    @property
    def shards(self) -> Shards:
        """See :class:`tinyqq.storage.database.Database`."""
        return self._shards

    @property
    def max_batch_bytes(self) -> int:
        """See :class:`tinyqq.storage.database.Database`."""
        return self._max_packet_bytes // _SHARE_OF_PACKET

    async def read(self, work: Work[T], *, about: Iterable[ConversationId] | None = ()) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._reads += 1
        pool = self._reader(about) if self._of_shards else self._reading
        return await self._bounded(partial(self._read, work), pool)

    async def write(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY.

        *work* is run again only where its first run has left nothing behind: a connection that is
        lost during the commit is reported, with the field ``outcome``.
        """
        result = await self._bounded(partial(self._write, work), self._writing)
        self._transactions += 1
        return result

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """See :class:`tinyqq.storage.database.Database`. Never refused: a lane has one on its
        way."""
        shard: int | None = 0
        if self._of_shards:
            shard = self._shards.common(entry.conversation_id for entry in entries)
        if shard is None:  # they would be committed one shard after the other
            raise AppendFailed(outcome_known=True)
        await self._logs[shard].append(entries, work)
        self._transactions += 1

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        readers = (self._reading, *self._of_shards)
        return {
            "storage_reads_total": self._reads,
            "storage_transactions_total": self._transactions,
            "storage_rows_appended_total": sum(log.rows for log in self._logs),
            "storage_unknown_outcomes_total": sum(log.unknown_outcomes for log in self._logs),
            "storage_connects_total": self._connector.connects,
            "storage_retries_total": self._retries,
            "storage_refused_total": sum(pool.refused for pool in (*readers, self._writing)),
            "storage_waiting_reads": sum(pool.waiting for pool in readers),
            "storage_waiting_writes": self._writing.waiting,
            "storage_shards": self._shards.count,
        }

    async def _prepare(self) -> None:
        self._shards = await self.read(_look_round)
        if self._shards.count > 1:
            self._of_shards = [
                MysqlPool(self._connector, "REPEATABLE READ", size=_READERS, is_sharded=True)
                for _ in range(self._shards.count + 1)
            ]
        take_writer = partial(self.write, partial(take_numbers, name="writer", count=1))
        for _ in range(self._shards.count):
            log = MysqlLog(
                connector=self._connector, timeouts=self._timeouts, take_writer=take_writer
            )
            self._logs.append(log)
            self._max_packet_bytes = await log.prepare()
        if self._max_packet_bytes < _MIN_PACKET_BYTES:
            raise Unavailable(
                ErrorCode.UNAVAILABLE, reason="the server's max_allowed_packet is below 1 MiB"
            )

    async def _close(self) -> None:
        for log in self._logs:
            await log.close()
        for pool in (self._reading, *self._of_shards, self._writing):
            await pool.close(self._timeouts.connect_s)

    def _reader(self, about: Iterable[ConversationId] | None) -> MysqlPool:
        if about == ():
            return self._reading
        shard = None if about is None else self._shards.common(about)
        return self._of_shards[-1 if shard is None else shard]

    async def _bounded(self, attempt: Callable[[_Call], Awaitable[T]], pool: MysqlPool) -> T:
        call = _Call(pool)
        with pool.place(), translating():
            try:
                async with asyncio.timeout(self._timeouts.call_s):
                    return await self._retried(partial(attempt, call))
            except TimeoutError:
                # It may hang, with every connection to it; or a shard behind it does.
                if call.was_asked and not pool.is_sharded:
                    self._connector.distrust()
                raise

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempts, with pauses that grow and differ, as long as an error is a passing one."""
        for number in range(_ATTEMPTS - 1):
            try:
                return await attempt()
            except (DBAPIError, CannotConnect) as error:
                if not is_transient(error):
                    raise
                if not is_refused(error) and not is_shard_away(error):
                    self._connector.distrust()
            self._retries += 1
            await asyncio.sleep(_FIRST_PAUSE_S * 2**number * random.uniform(0.5, 1.5))
        return await attempt()

    async def _read(self, work: Work[T], call: _Call) -> T:
        async with call.pool.engine.connect() as connection:
            call.was_asked = True
            return await connection.run_sync(work)

    async def _write(self, work: Work[T], call: _Call) -> T:
        async with call.pool.engine.connect() as connection:
            call.was_asked = True
            result = await connection.run_sync(work)
            try:
                await connection.commit()
            except DBAPIError as error:
                if is_refused(error):
                    raise
                raise Unavailable(
                    ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, outcome="unknown"
                ) from error
            return result


def _look_round(conn: Connection) -> Shards:
    check_revision(conn)
    return read_shards(conn.exec_driver_sql("SHOW CREATE TABLE message").one()[1])
