"""Connections are durable, and their transactions begin as they should."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tinyqq.storage.sqlite_engine import (
    driver_of,
    plain_connection,
    reading_engine,
    writing_engine,
)

FULL = 2


def pragma(engine: Engine, name: str) -> object:
    """A setting of a connection."""
    with engine.connect() as conn:
        return conn.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.fixture
def writing(path: Path) -> Engine:
    return writing_engine(path)


@pytest.fixture
def reading(path: Path, writing: Engine) -> Engine:
    return reading_engine(path, pool_size=1)


def test_writer_when_connected_then_every_commit_is_on_disk(writing: Engine) -> None:
    assert pragma(writing, "synchronous") == FULL
    assert pragma(writing, "journal_mode") == "wal"
    writing.dispose()


def test_reader_when_it_writes_then_refused(reading: Engine) -> None:
    with reading.connect() as conn, pytest.raises(OperationalError):
        conn.exec_driver_sql("CREATE TABLE t (a)")
    reading.dispose()


def test_reader_when_the_writer_commits_then_it_still_sees_its_beginning(
    writing: Engine, reading: Engine
) -> None:
    with writing.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE t (a)")
    with reading.connect() as early:
        count = "SELECT count(*) FROM t"
        assert early.exec_driver_sql(count).scalar() == 0
        with writing.begin() as conn:
            conn.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert early.exec_driver_sql(count).scalar() == 0
    with reading.connect() as late:
        assert late.exec_driver_sql(count).scalar() == 1
    writing.dispose()
    reading.dispose()


def test_writer_when_it_begins_then_it_has_the_lock(writing: Engine, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with writing.begin() as conn:
        assert driver_of(conn).in_transaction
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()
    writing.dispose()


def test_table_when_made_in_a_transaction_that_fails_then_it_is_not_there(writing: Engine) -> None:
    def make_twice() -> None:
        with writing.begin() as conn:
            for _ in range(2):
                conn.exec_driver_sql("CREATE TABLE t (a)")

    with pytest.raises(OperationalError):
        make_twice()
    assert pragma(writing, "table_info(t)") is None
    writing.dispose()


def test_plain_connection_when_made_then_set_up_and_outside_transactions(path: Path) -> None:
    connection = plain_connection(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (FULL,)
    assert connection.isolation_level is None
    connection.close()
