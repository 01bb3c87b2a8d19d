"""MariaDB and MySQL: a pool for reading, one for writing, and one connection for the log.

Reads run in REPEATABLE READ, so that all statements of a piece of work see one moment; writes in
READ COMMITTED, which takes no locks on gaps. What a call waits for is bounded in time and number.
docs/decisions/0008-mysql-storage.md has the reasons.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

from sqlalchemy.exc import DBAPIError

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.message import Entry
from tinyqq.storage.accounts import take_numbers
from tinyqq.storage.database import T, Work
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_engine import dispose, pooled_engine
from tinyqq.storage.mysql_errors import CannotConnect, is_refused, is_transient, translating
from tinyqq.storage.mysql_log import MysqlLog
from tinyqq.storage.mysql_migrate import check_revision

_READERS: Final = 8
_WRITERS: Final = 4
_MAX_WAITING: Final = 1_000
_RETRY_AFTER_S: Final = 1.0
_ATTEMPTS: Final = 4
_FIRST_PAUSE_S: Final = 0.02
_MIN_PACKET_BYTES: Final = 1024 * 1024
_SHARE_OF_PACKET: Final = 8
"""A lane's batch in hexadecimal digits is twice as long and takes a quarter of the packet."""


@dataclass(slots=True)
class _Call:
    """How far a call has come: the host is to blame only for what it was asked."""

    was_asked: bool = False


class MysqlDatabase:
    """A database on one of several hosts; implements ``storage.database.Database``. See
    :meth:`open`."""

    def __init__(self, *, connector: MysqlConnector, timeouts: MysqlTimeouts) -> None:
        self._connector = connector
        self._timeouts = timeouts
        self._reading = pooled_engine(connector, "REPEATABLE READ", pool_size=_READERS)
        self._writing = pooled_engine(connector, "READ COMMITTED", pool_size=_WRITERS)
        self._log = MysqlLog(
            connector=connector,
            timeouts=timeouts,
            take_writer=lambda: self.write(partial(take_numbers, name="writer", count=1)),
        )
        self._max_packet_bytes = 0
        self._waiting = {"reads": 0, "writes": 0}
        self._reads = 0
        self._transactions = 0
        self._retries = 0
        self._refused = 0

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
            await database.read(check_revision)
            await database._prepare()
            yield database
        finally:
            await database._close()

    @property
    def writers(self) -> Mapping[int, int]:
        """See :class:`tinyqq.storage.database.Database`; a new one may come with any batch."""
        return self._log.writers

    @property
    def max_batch_bytes(self) -> int:
        """See :class:`tinyqq.storage.database.Database`."""
        return self._max_packet_bytes // _SHARE_OF_PACKET

    async def read(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._reads += 1
        with self._counted("reads"):
            return await self._bounded(partial(self._read, work))

    async def write(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY.

        *work* is run again only where its first run has left nothing behind: a connection that is
        lost during the commit is reported, with the field ``outcome``.
        """
        with self._counted("writes"):
            result = await self._bounded(partial(self._write, work))
        self._transactions += 1
        return result

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """See :class:`tinyqq.storage.database.Database`. Never refused: a lane has one on its
        way."""
        await self._log.append(entries, work)
        self._transactions += 1

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        return {
            "storage_reads_total": self._reads,
            "storage_transactions_total": self._transactions,
            "storage_rows_appended_total": self._log.rows,
            "storage_unknown_outcomes_total": self._log.unknown_outcomes,
            "storage_connects_total": self._connector.connects,
            "storage_retries_total": self._retries,
            "storage_refused_total": self._refused,
            "storage_waiting_reads": self._waiting["reads"],
            "storage_waiting_writes": self._waiting["writes"],
        }

    async def _prepare(self) -> None:
        self._max_packet_bytes = await self._log.prepare()
        if self._max_packet_bytes < _MIN_PACKET_BYTES:
            raise Unavailable(
                ErrorCode.UNAVAILABLE, reason="the server's max_allowed_packet is below 1 MiB"
            )

    async def _close(self) -> None:
        await self._log.close()
        for engine in (self._reading, self._writing):
            await dispose(engine, self._timeouts.connect_s)

    @contextlib.contextmanager
    def _counted(self, kind: str) -> Iterator[None]:
        if self._waiting[kind] >= _MAX_WAITING:
            self._refused += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=_RETRY_AFTER_S)
        self._waiting[kind] += 1
        try:
            yield
        finally:
            self._waiting[kind] -= 1

    async def _bounded(self, attempt: Callable[[_Call], Awaitable[T]]) -> T:
        call = _Call()
        with translating():
            try:
                async with asyncio.timeout(self._timeouts.call_s):
                    return await self._retried(partial(attempt, call))
            except TimeoutError:
                if call.was_asked:  # it may hang, with every connection to it
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
                if not is_refused(error):
                    self._connector.distrust()
            self._retries += 1
            await asyncio.sleep(_FIRST_PAUSE_S * 2**number * random.uniform(0.5, 1.5))
        return await attempt()

    async def _read(self, work: Work[T], call: _Call) -> T:
        async with self._reading.connect() as connection:
            call.was_asked = True
            return await connection.run_sync(work)

    async def _write(self, work: Work[T], call: _Call) -> T:
        async with self._writing.connect() as connection:
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
