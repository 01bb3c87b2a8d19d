"""The one thread that writes to an SQLite file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.storage.database import T, Work
from tinyqq.storage.migrate import upgrade_connection
from tinyqq.storage.sqlite_checkpoint import Checkpointer
from tinyqq.storage.sqlite_engine import driver_of, plain_connection, writing_engine
from tinyqq.storage.sqlite_errors import driver_error, is_fatal

logger = logging.getLogger(__name__)

OnFatal = Callable[[Exception], None]

_Job = tuple[Work[Any], "asyncio.Future[Any]"]


class SqliteWriter:
    """Runs pieces of work in the order of the calls, each in a transaction of its own.

    Args:
        path: the file.
        on_fatal: called in the writer's thread when a write failed in a way after which nobody may
            go on; expected not to return.
    """

    def __init__(self, *, path: Path, on_fatal: OnFatal) -> None:
        self._path = path
        self._on_fatal = on_fatal
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._checkpointer = Checkpointer(
            connect=partial(plain_connection, path),
            thread=ThreadPoolExecutor(1, thread_name_prefix="sqlite-checkpoint"),
        )
        self.is_broken = False
        self.waiting = 0
        self.transactions = 0

    @property
    def checkpoints(self) -> int:
        """How often the write-ahead log was emptied."""
        return self._checkpointer.checkpoints

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SqliteWriter]:
        """Bring the file to the present schema, and write until the end of the block.

        What waits at the end is still written.
        """
        self._loop = asyncio.get_running_loop()
        engine = writing_engine(self._path)
        conn = await asyncio.to_thread(engine.connect)
        thread = threading.Thread(target=self._run, args=(conn,), name="sqlite-writer", daemon=True)
        with self._checkpointer, contextlib.closing(conn):
            thread.start()
            try:
                await self.run(upgrade_connection)
                yield self
            finally:
                self._jobs.put(None)
                await asyncio.to_thread(thread.join)
        engine.dispose()

    async def run(self, work: Work[T]) -> T:
        """Run *work* in a transaction that is durable on return.

        Work that nobody awaits any more is done all the same.

        Raises:
            Unavailable: the file failed earlier.
            Exception: what *work* raised, or the driver; nothing was written unless
                :attr:`is_broken`.
        """
        if self.is_broken:
            raise Unavailable(ErrorCode.UNAVAILABLE, reason="the database file failed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((work, done))
        self.waiting += 1
        try:
            return await done
        finally:
            self.waiting -= 1

    def _run(self, conn: Connection) -> None:
        """The thread."""
        while (job := self._jobs.get()) is not None:
            self._do(conn, *job)

    def _do(self, conn: Connection, work: Work[T], done: asyncio.Future[T]) -> None:
        try:
            if self.is_broken:
                raise Unavailable(ErrorCode.UNAVAILABLE, reason="the database file failed")
            with conn.begin():
                result = work(conn)
        except Exception as error:
            self._end_if_fatal(error)
            self._loop.call_soon_threadsafe(_fail, done, error)
        else:
            self.transactions += 1
            self._loop.call_soon_threadsafe(_settle, done, result)
            self._checkpoint(conn)

    def _checkpoint(self, conn: Connection) -> None:
        try:
            self._checkpointer.after_commit(driver_of(conn))
        except sqlite3.Error as error:
            # The commit stands, in the write-ahead log; there will be another checkpoint.
            logger.warning("storage.checkpoint_failed", extra={"error": str(error)})
            self._end_if_fatal(error)

    def _end_if_fatal(self, error: Exception) -> None:
        cause = driver_error(error)
        if cause is not None and is_fatal(cause):
            self.is_broken = True
            logger.critical("storage.failed", extra={"error": str(cause), "file": str(self._path)})
            self._on_fatal(cause)


def _settle(done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[T], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
