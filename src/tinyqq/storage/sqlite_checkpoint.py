"""Moving committed pages from the write-ahead log into the file, without holding up the writer.

A checkpoint inside a commit stops the writer for as long as some megabytes take (50–100 ms). Here a
thread of its own copies the bulk beside the writer; the writer only adds the few pages that came
meanwhile, after which SQLite begins the write-ahead log anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

_DUE_PAGES: Final = 10_000
_PAGES_PER_CHANGE: Final = 2
_PAGES_PER_TRANSACTION: Final = 2
_PASSES: Final = 2
"""The second copies what was written during the first, which is much less."""
_CHECKPOINT: Final = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpointer:
    """``with Checkpointer(connect=...):`` — its methods are the writer thread's.

    Args:
        connect: opens a connection for the checkpoints alone.
        thread: where they run; ends with the block.
    """

    def __init__(
        self, *, connect: Callable[[], sqlite3.Connection], thread: ThreadPoolExecutor
    ) -> None:
        self._connect = connect
        self._thread = thread
        self._running: Future[None] | None = None
        self._pages = 0
        self._changes = 0
        self.checkpoints = 0

    def __enter__(self) -> Checkpointer:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def after_commit(self, writer: sqlite3.Connection) -> None:
        """Start the copying when enough was written; finish it when it has come through.

        How much was written is an estimate from the rows changed: SQLite tells it to C only.

        Raises:
            sqlite3.Error: a checkpoint failed.
        """
        changes = writer.total_changes
        self._pages += _PAGES_PER_TRANSACTION + _PAGES_PER_CHANGE * (changes - self._changes)
        self._changes = changes
        if self._running is None:
            if self._pages >= _DUE_PAGES:
                self._pages = 0
                self._running = self._thread.submit(self._copy)
        elif self._running.done():
            copied, self._running = self._running, None
            copied.result()
            writer.execute(_CHECKPOINT).fetchall()
            self.checkpoints += 1

    def _copy(self) -> None:
        connection = self._connect()
        try:
            for _ in range(_PASSES):
                connection.execute(_CHECKPOINT).fetchall()
        finally:
            connection.close()
