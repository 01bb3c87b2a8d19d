"""The whole of an embedded database: one process, bounded queues, errors that are ours."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from tests.storage.conftest import unexpected
from tests.support.logs import ANN_BOB, entry, messages

from tinyqq.errors import Conflict, ErrorCode, Unavailable
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.database import only
from tinyqq.storage.rows import find_heads
from tinyqq.storage.schema import message, secret
from tinyqq.storage.sqlite import SqliteDatabase


async def test_open_when_another_has_the_file_then_refused(
    database: SqliteDatabase, path: Path
) -> None:
    with pytest.raises(Unavailable, match="another process"):
        async with SqliteDatabase.open(path, on_fatal=unexpected):
            pass


async def test_open_when_closed_by_the_other_then_it_opens(path: Path) -> None:
    for _ in range(2):
        async with SqliteDatabase.open(path, on_fatal=unexpected):
            pass


async def test_open_when_the_folder_is_missing_then_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a folder?" / "b" / "tinyqq.db"
    async with SqliteDatabase.open(path, on_fatal=unexpected) as database:
        await database.write(only(select(1)))
    assert path.is_file()


async def test_open_when_the_file_is_new_then_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "tinyqq.db"
    before = os.umask(0o022)
    try:
        async with SqliteDatabase.open(path, on_fatal=unexpected) as database:
            await database.write(only(select(1)))
            modes = {
                name: (tmp_path / name).stat().st_mode & 0o777 for name in os.listdir(tmp_path)
            }
    finally:
        os.umask(before)
    assert modes == dict.fromkeys((path.name + end for end in ("", ".lock", "-shm", "-wal")), 0o600)


async def test_open_when_it_is_not_a_database_then_unavailable_and_unlocked(
    text_file: Path,
) -> None:
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            async with SqliteDatabase.open(text_file, on_fatal=unexpected):
                pass
        assert "another process" not in str(caught.value)


async def test_open_when_the_body_raises_then_that_and_not_ours(path: Path) -> None:
    with pytest.raises(OSError, match="port"):
        async with SqliteDatabase.open(path, on_fatal=unexpected):
            raise OSError("port is busy")


async def test_switch_interval_when_open_then_short_and_afterwards_as_before(path: Path) -> None:
    before = sys.getswitchinterval()
    async with SqliteDatabase.open(path, on_fatal=unexpected):
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


async def test_append_when_done_then_read_at_once(database: SqliteDatabase) -> None:
    await database.append(messages(3), None)
    assert await database.read(lambda conn: find_heads(conn, [ANN_BOB])) == {ANN_BOB: (3, 3)}
    assert database.counters()["storage_rows_appended_total"] == 3


async def test_append_when_its_work_raises_then_nothing_is_written(
    database: SqliteDatabase,
) -> None:
    def work(conn: Connection) -> None:
        raise KeyError("mine")

    with pytest.raises(AppendFailed) as caught:
        await database.append(messages(3), work)
    assert caught.value.outcome_known
    assert await database.read(lambda conn: conn.execute(select(message)).all()) == []


async def test_append_when_the_file_fails_then_the_outcome_is_unknown(path: Path) -> None:
    errors: list[Exception] = []
    async with SqliteDatabase.open(path, on_fatal=errors.append) as database:
        await database.write(only(select(1)))
        await database.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1").close())
        large = [entry(seq, body=b"x" * 100_000) for seq in range(1, 20)]
        with pytest.raises(AppendFailed) as caught:
            await database.append(large, None)
    assert not caught.value.outcome_known
    assert len(errors) == 1


async def test_write_when_a_key_is_taken_then_conflict(database: SqliteDatabase) -> None:
    put = only(insert(secret).values(name="key", value=b"1"))
    await database.write(put)
    with pytest.raises(Conflict):
        await database.write(put)


async def test_read_when_it_fails_then_ours_and_a_bug_stays_itself(
    database: SqliteDatabase,
) -> None:
    with pytest.raises(Unavailable):
        await database.read(lambda conn: conn.exec_driver_sql("SELECT nonsense"))
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda conn: 1 // 0)


async def test_queues_when_full_then_refused_as_busy_and_counted(database: SqliteDatabase) -> None:
    may_go_on = threading.Event()

    def work(conn: Connection) -> bool:
        return may_go_on.wait(30)

    calls = [asyncio.ensure_future(call(work)) for call in [database.read, database.write] * 1_000]
    await asyncio.sleep(0)
    assert database.counters()["storage_waiting_reads"] == 1_000
    for call in (database.read, database.write):
        with pytest.raises(Unavailable) as caught:
            await call(work)
        assert caught.value.code is ErrorCode.BUSY
    may_go_on.set()
    assert all(await asyncio.gather(*calls))
    assert database.counters()["storage_refused_total"] == 2
    assert database.counters()["storage_waiting_writes"] == 0
