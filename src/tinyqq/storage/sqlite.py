"""SQLite: one writer thread, readers on connections of their own.

A file has one writer at a time whatever the program does, so all writes go through one thread, in
the order of the calls, each in a transaction of its own. Readers run beside it (write-ahead log)
and see the file as of the moment they start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.database import T, Work
from tinyqq.storage.file_lock import FileLock
from tinyqq.storage.migrate import upgrade_connection
from tinyqq.storage.sqlite_errors import driver_error, is_fatal, translated

logger = logging.getLogger(__name__)

OnFatal = Callable[[Exception], None]

_INSERT: Final = (
    "INSERT INTO message (conversation_id, seq, ordinal, sender_id, client_message_id, sent_at_ms,"
    " kind, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_STORED_FIELDS: Final = 8
_READERS: Final = 2
_MAX_WAITING: Final = 1_000
_RETRY_AFTER_S: Final = 1.0

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    # macOS: without it fsync returns before the disk has the data.
    "fullfsync = 1",
    "checkpoint_fullfsync = 1",
    "busy_timeout = 5000",
    "temp_store = MEMORY",
)
_WRITER_PRAGMAS: Final = ("wal_autocheckpoint = 10000", "cache_size = -65536")
_READER_PRAGMAS: Final = ("query_only = ON", "cache_size = -8192")

_Job = tuple[Callable[[Connection], Any], "asyncio.Future[Any]"]


class SqliteDatabase:
    """A database file. ``async with SqliteDatabase(...).open():`` holds it.

    Args:
        path: the file; its folder is made if it is missing.
        on_fatal: called in the writer thread when a write failed in a way after which nobody may
            go on; expected not to return.
    """

    def __init__(self, *, path: Path, on_fatal: OnFatal) -> None:
        self._path = path
        self._on_fatal = on_fatal
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting_writes = 0
        self._waiting_reads = 0
        self._transactions = 0
        self._rows_appended = 0
        self._refused = 0
        self._is_broken = False

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SqliteDatabase]:
        """Lock the file, bring it to the present schema, and serve until the end of the block.

        Raises:
            Unavailable: another process has it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_name(self._path.name + ".lock")):
            self._loop = asyncio.get_running_loop()
            writing = _engine(self._path, _WRITER_PRAGMAS, begin="BEGIN IMMEDIATE")
            self._reading = _engine(self._path, _READER_PRAGMAS, begin="BEGIN")
            self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
            await self._loop.run_in_executor(self._readers, _migrate, writing)
            writer = threading.Thread(
                target=self._write_all, args=(writing,), name="sqlite-writer", daemon=True
            )
            writer.start()
            try:
                yield self
            finally:
                self._jobs.put(None)
                await self._loop.run_in_executor(self._readers, writer.join)
                self._readers.shutdown()
                self._reading.dispose()
                writing.dispose()

    async def read(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._check_room(self._waiting_reads)
        self._waiting_reads += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._read, work)
        finally:
            self._waiting_reads -= 1

    async def write(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._check_room(self._waiting_writes)
        try:
            return await self._in_writer(work)
        except Exception as error:
            known = translated(error)
            if known is error:
                raise
            raise known from error

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """See :class:`tinyqq.storage.database.Database`. Never refused: lanes wait for each."""
        rows = [entry[:_STORED_FIELDS] for entry in entries]
        try:
            await self._in_writer(partial(_append, rows, work))
        except Exception as error:
            raise AppendFailed(outcome_known=not self._is_broken) from error
        self._rows_appended += len(rows)

    def counters(self) -> dict[str, int | float]:
        """Counts for metrics."""
        return {
            "storage_transactions_total": self._transactions,
            "storage_rows_appended_total": self._rows_appended,
            "storage_refused_total": self._refused,
            "storage_waiting_reads": self._waiting_reads,
            "storage_waiting_writes": self._waiting_writes,
        }

    def _check_room(self, waiting: int) -> None:
        if waiting >= _MAX_WAITING:
            self._refused += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=_RETRY_AFTER_S)

    def _read(self, work: Work[T]) -> T:
        try:
            with self._reading.connect() as conn:
                return work(conn)
        except Exception as error:
            known = translated(error)
            if known is error:
                raise
            raise known from error

    async def _in_writer(self, work: Work[T]) -> T:
        if self._is_broken:
            raise Unavailable(ErrorCode.UNAVAILABLE, reason="the database file failed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._waiting_writes += 1
        self._jobs.put((work, done))
        try:
            return await done
        finally:
            self._waiting_writes -= 1

    def _write_all(self, engine: Engine) -> None:
        """The writer thread."""
        with engine.connect() as conn:
            while (job := self._jobs.get()) is not None:
                work, done = job
                try:
                    with conn.begin():
                        result = work(conn)
                except Exception as error:
                    self._check_alive(error)
                    self._loop.call_soon_threadsafe(_fail, done, error)
                else:
                    self._transactions += 1
                    self._loop.call_soon_threadsafe(_settle, done, result)

    def _check_alive(self, error: Exception) -> None:
        cause = driver_error(error)
        if cause is not None and is_fatal(cause):
            logger.critical("storage.failed", extra={"error": str(cause), "file": str(self._path)})
            self._is_broken = True
            self._on_fatal(cause)


def _append(rows: Sequence[tuple[Any, ...]], work: Work[None] | None, conn: Connection) -> None:
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.executemany(_INSERT, rows)
    if work is not None:
        work(conn)


def _settle(done: asyncio.Future[Any], result: object) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


def _migrate(engine: Engine) -> None:
    with engine.begin() as conn:
        upgrade_connection(conn)


def _engine(path: Path, pragmas: Sequence[str], *, begin: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=_READERS,
        # Transactions are begun below; the driver's own way begins them late, and not for DDL.
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def set_up(driver: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        for pragma in (*_PRAGMAS, *pragmas):
            driver.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    return engine
