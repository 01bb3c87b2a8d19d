"""The write-ahead log is emptied, and does not grow with the number of commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tinyqq.storage.sqlite_checkpoint import Checkpointer
from tinyqq.storage.sqlite_engine import plain_connection

T = TypeVar("T")


class WaitingExecutor(ThreadPoolExecutor):
    """Returns when the work is done."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        future.exception()
        return future


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    connection = plain_connection(path)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (a)")
    yield connection
    connection.close()


def commit(writer: sqlite3.Connection, rows: int = 500) -> None:
    """Write so many rows of about a page each."""
    writer.execute("BEGIN")
    writer.executemany("INSERT INTO t VALUES (?)", [(b"x" * 3_900,)] * rows)
    writer.execute("COMMIT")


def wal_bytes(path: Path) -> int:
    """How large the write-ahead log has become."""
    return path.with_name(path.name + "-wal").stat().st_size


def test_checkpoints_when_much_is_written_then_the_log_stays_bounded(
    writer: sqlite3.Connection, path: Path
) -> None:
    with Checkpointer(
        connect=partial(plain_connection, path), thread=WaitingExecutor(1)
    ) as checkpointer:
        for _ in range(45):
            commit(writer)
            checkpointer.after_commit(writer)
        assert checkpointer.checkpoints >= 3
    assert wal_bytes(path) < 25 * 500 * 4_200


def test_checkpoints_when_little_is_written_then_none(
    writer: sqlite3.Connection, path: Path
) -> None:
    with Checkpointer(
        connect=partial(plain_connection, path), thread=WaitingExecutor(1)
    ) as checkpointer:
        for _ in range(10):
            commit(writer, rows=1)
            checkpointer.after_commit(writer)
        assert checkpointer.checkpoints == 0


def test_checkpoint_when_it_fails_then_the_writer_is_told(
    writer: sqlite3.Connection, path: Path
) -> None:
    def connect() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    with Checkpointer(connect=connect, thread=WaitingExecutor(1)) as checkpointer:
        commit(writer, rows=6_000)
        checkpointer.after_commit(writer)
        with pytest.raises(sqlite3.OperationalError):
            checkpointer.after_commit(writer)
