"""The floor's log: the real table with its keys, one writer thread, nothing else."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from tinyqq.storage.schema import message

Row = tuple[int, int, int, int, bytes, int, int, bytes]
"""The columns of an entry, in the order of the table."""

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 10000",
    "cache_size = -65536",
)
_INSERT: Final = (
    "INSERT INTO message (conversation_id, seq, ordinal, sender_id, client_message_id, sent_at_ms,"
    " kind, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_PAGE: Final = (
    "SELECT conversation_id, seq, ordinal, sender_id, client_message_id, sent_at_ms, kind, body"
    " FROM message WHERE conversation_id = ? AND seq > ? ORDER BY seq LIMIT ?"
)

_Job = tuple[list[Row], Callable[[], None]]


class FloorLog:
    """Appends batches in the order of the calls, durably; reads pages beside them.

    Args:
        directory: where the file is made.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "floor.db"
        self._writing = _connect(path)
        self._writing.execute(str(CreateTable(message).compile(dialect=sqlite.dialect())))
        self._reading = _connect(path)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="floor-reader")
        self._writer = threading.Thread(target=self._write_all, name="floor-writer", daemon=True)
        self._writer.start()

    def append(self, rows: list[Row], done: Callable[[], None]) -> None:
        """Write rows in one transaction; *done* is called in the writer's thread after the commit.

        A failure ends the process: the floor has no way on.
        """
        self._jobs.put((rows, done))

    def read_page(self, conversation_id: int, after_seq: int, limit: int) -> Future[list[Row]]:
        """Rows after *after_seq*, ascending."""
        return self._readers.submit(self._read_page, (conversation_id, after_seq, limit))

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._writing.close()
        self._reading.close()

    def _read_page(self, bounds: tuple[int, int, int]) -> list[Row]:
        return self._reading.execute(_PAGE, bounds).fetchall()

    def _write_all(self) -> None:
        connection = self._writing
        while (job := self._jobs.get()) is not None:
            rows, done = job
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, sorted(rows))
            connection.execute("COMMIT")
            done()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection
