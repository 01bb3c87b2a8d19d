"""A database file, and a connection to it for what is written as a function over one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tinyqq.storage.migrate import upgrade_connection
from tinyqq.storage.sqlite import SqliteDatabase
from tinyqq.storage.sqlite_engine import writing_engine


def unexpected(error: Exception) -> None:
    """The end of the process, which these tests don't want."""
    raise AssertionError(error)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tinyqq.db"


@pytest.fixture
def text_file(path: Path) -> Path:
    """Where the database should be there is something else."""
    path.write_bytes(b"this is a text, and a longer one than the header" * 100)
    return path


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase.open(path, on_fatal=unexpected) as opened:
        yield opened


@pytest.fixture
def conn(path: Path) -> Iterator[Connection]:
    """In a transaction, with every table."""
    engine = writing_engine(path)
    with engine.begin() as connection:
        upgrade_connection(connection)
        yield connection
    engine.dispose()
