"""SQLite: one writer thread, readers on connections of their own.

A file has one writer at a time whatever the program does, so all writes go through one thread, in
the order of the calls. Readers run beside it (write-ahead log) and see the file as of the moment
they start. docs/decisions/0007-sqlite-writer.md has the figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.database import T, Work
from tinyqq.storage.file_lock import FileLock
from tinyqq.storage.shards import Shards
from tinyqq.storage.sqlite_engine import driver_of, reading_engine
from tinyqq.storage.sqlite_errors import is_taken, translating
from tinyqq.storage.sqlite_writer import OnFatal, SqliteWriter

_INSERT: Final = (
    "INSERT INTO message (conversation_id, seq, ordinal, sender_id, client_message_id, sent_at_ms,"
    " kind, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_STORED_FIELDS: Final = 8
_READERS: Final = 2
_MAX_WAITING: Final = 1_000
_RETRY_AFTER_S: Final = 1.0
_SWITCH_INTERVAL_S: Final = 0.000_1
_MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
"""More would make the next batch, and every reader's answer, wait noticeably."""


class SqliteDatabase:
    """A database file; implements ``storage.database.Database``. See :meth:`open`."""

    def __init__(
        self, *, writer: SqliteWriter, readers: ThreadPoolExecutor, engine: Engine
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._waiting_reads = 0
        self._reads = 0
        self._rows_appended = 0
        self._refused = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, path: Path, *, on_fatal: OnFatal) -> AsyncIterator[SqliteDatabase]:
        """Lock the file, bring it to the present schema, and serve until the end of the block.

        Args:
            path: the file; its folder is made if it is missing.
            on_fatal: see :class:`tinyqq.storage.sqlite_writer.SqliteWriter`.

        Raises:
            Unavailable: another process has it, or it cannot be opened.
        """
        async with contextlib.AsyncExitStack() as stack:
            with translating():
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(path.with_name(path.name + ".lock")))
                # Made here if it is new, for its owner alone: the folder may be open to others.
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
                stack.enter_context(_quick_switches())
                writer = SqliteWriter(path=path, on_fatal=on_fatal)
                await stack.enter_async_context(writer.open())
            engine = reading_engine(path, pool_size=_READERS)
            stack.callback(engine.dispose)
            readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
            stack.enter_context(readers)
            yield cls(writer=writer, readers=readers, engine=engine)

    @property
    def max_batch_bytes(self) -> int:
        """See :class:`tinyqq.storage.database.Database`."""
        return _MAX_BATCH_BYTES

    @property
    def writers(self) -> Mapping[int, int]:
        """See :class:`tinyqq.storage.database.Database`."""
        return {}

    @property
    def shards(self) -> Shards:
        """See :class:`tinyqq.storage.database.Database`: a file is one."""
        return Shards()

    async def read(self, work: Work[T], *, about: Iterable[ConversationId] | None = ()) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._check_room(self._waiting_reads)
        self._waiting_reads += 1
        self._reads += 1
        try:
            with translating():
                return await self._loop.run_in_executor(self._readers, self._read, work)
        finally:
            self._waiting_reads -= 1

    async def write(self, work: Work[T]) -> T:
        """See :class:`tinyqq.storage.database.Database`. Full: refused with BUSY."""
        self._check_room(self._writer.waiting)
        with translating():
            return await self._writer.run(work)

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """See :class:`tinyqq.storage.database.Database`. Never refused: a lane has one on its
        way."""
        rows = [entry[:_STORED_FIELDS] for entry in entries]
        try:
            await self._writer.run(partial(_append, rows=rows, work=work))
        except Exception as error:
            # A transaction that failed was rolled back, unless the file itself failed.
            raise AppendFailed(
                outcome_known=not self._writer.is_broken, key_taken=is_taken(error)
            ) from error
        self._rows_appended += len(rows)

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        return {
            "storage_reads_total": self._reads,
            "storage_transactions_total": self._writer.transactions,
            "storage_rows_appended_total": self._rows_appended,
            "storage_unknown_outcomes_total": int(self._writer.is_broken),
            "storage_checkpoints_total": self._writer.checkpoints,
            "storage_refused_total": self._refused,
            "storage_waiting_reads": self._waiting_reads,
            "storage_waiting_writes": self._writer.waiting,
        }

    def _check_room(self, waiting: int) -> None:
        if waiting >= _MAX_WAITING:
            self._refused += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=_RETRY_AFTER_S)

    def _read(self, work: Work[T]) -> T:
        with self._engine.connect() as conn:
            return work(conn)


def _append(conn: Connection, *, rows: Sequence[tuple[Any, ...]], work: Work[None] | None) -> None:
    # Straight to the driver: SQLAlchemy would cost as much again as the insert itself.
    driver_of(conn).executemany(_INSERT, rows).close()
    if work is not None:
        work(conn)


@contextlib.contextmanager
def _quick_switches() -> Iterator[None]:
    """Let a thread that waits for the interpreter's lock ask for it sooner than after 5 ms.

    The writer takes the lock once per row. A busy event loop lets go of it often but takes it back
    before the writer wakes up; only when asked for it after the switch interval does it hand it
    over.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_INTERVAL_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
