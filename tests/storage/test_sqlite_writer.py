"""One thread, one transaction after the other, and the end when the file is in doubt."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from tinyqq.errors import Unavailable
from tinyqq.storage.database import Work, only
from tinyqq.storage.schema import secret
from tinyqq.storage.sqlite_writer import SqliteWriter


class Fatal:
    """What the end of the process was told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def __call__(self, error: Exception) -> None:
        self.errors.append(error)


@pytest.fixture
def fatal() -> Fatal:
    return Fatal()


@pytest.fixture
async def writer(path: Path, fatal: Fatal) -> AsyncIterator[SqliteWriter]:
    async with SqliteWriter(path=path, on_fatal=fatal).open() as opened:
        yield opened


def put(name: str) -> Work[None]:
    """The work of storing a secret of that name."""
    return only(insert(secret).values(name=name, value=b"1"))


def names(conn: Connection) -> list[str]:
    """The secrets that there are."""
    return list(conn.scalars(select(secret.c.name).order_by(secret.c.name)))


def fill_up(conn: Connection) -> None:
    """Write until the file may not grow any more."""
    conn.exec_driver_sql("PRAGMA max_page_count = 1")
    for number in range(10_000):
        conn.execute(insert(secret).values(name=f"{number}", value=b"x" * 1_000))


async def test_run_when_several_wait_then_in_the_order_of_the_calls(writer: SqliteWriter) -> None:
    order: list[int] = []

    def work(conn: Connection, number: int) -> int:
        order.append(number)
        return number

    results = await asyncio.gather(
        *(writer.run(partial(work, number=number)) for number in range(20))
    )
    assert order == results == list(range(20))


async def test_run_when_it_works_then_never_in_the_event_loop(writer: SqliteWriter) -> None:
    assert await writer.run(lambda conn: threading.current_thread().name) == "sqlite-writer"


async def test_run_when_the_work_raises_then_nothing_is_written_and_the_next_goes_on(
    writer: SqliteWriter,
) -> None:
    def work(conn: Connection) -> None:
        put("lost")(conn)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await writer.run(work)
    await writer.run(put("kept"))
    assert await writer.run(names) == ["kept"]


async def test_run_when_nobody_awaits_it_any_more_then_it_is_done_all_the_same(
    writer: SqliteWriter,
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        begun.set()
        assert may_go_on.wait(60)
        put("kept")(conn)

    waiting = asyncio.ensure_future(writer.run(work))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_go_on.set()
    assert await writer.run(names) == ["kept"]
    assert writer.waiting == 0


async def test_run_when_it_fails_and_nobody_awaits_it_then_the_next_goes_on(
    writer: SqliteWriter,
) -> None:
    may_fail = threading.Event()

    def work(conn: Connection) -> None:
        assert may_fail.wait(60)
        raise KeyError("mine")

    waiting = asyncio.ensure_future(writer.run(work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_fail.set()
    assert await writer.run(names) == []


async def test_close_when_work_waits_then_it_is_done_first(path: Path, fatal: Fatal) -> None:
    async with SqliteWriter(path=path, on_fatal=fatal).open() as writer:
        last = asyncio.ensure_future(writer.run(put("kept")))
        await asyncio.sleep(0)
    await last
    async with SqliteWriter(path=path, on_fatal=fatal).open() as writer:
        assert await writer.run(names) == ["kept"]


async def test_disk_when_full_then_the_end_and_nothing_more_is_written(
    writer: SqliteWriter, fatal: Fatal
) -> None:
    with pytest.raises(DBAPIError):
        await writer.run(fill_up)
    [error] = fatal.errors
    assert isinstance(error, sqlite3.Error)
    assert error.sqlite_errorcode == sqlite3.SQLITE_FULL
    assert writer.is_broken
    with pytest.raises(Unavailable):
        await writer.run(names)


async def test_disk_when_full_then_what_waits_is_refused_too(
    writer: SqliteWriter, fatal: Fatal
) -> None:
    results = await asyncio.gather(writer.run(fill_up), writer.run(names), return_exceptions=True)
    assert isinstance(results[1], Unavailable)
    assert len(fatal.errors) == 1


async def test_statement_when_refused_then_not_the_end(writer: SqliteWriter, fatal: Fatal) -> None:
    with pytest.raises(DBAPIError):
        await writer.run(lambda conn: conn.exec_driver_sql("SELECT nonsense"))
    assert fatal.errors == []
    assert await writer.run(names) == []


async def test_open_when_it_is_not_a_database_then_an_error_of_the_driver(
    text_file: Path, fatal: Fatal
) -> None:
    with pytest.raises(DBAPIError):
        async with SqliteWriter(path=text_file, on_fatal=fatal).open():
            pass


async def test_checkpoints_when_much_is_written_then_they_happen(writer: SqliteWriter) -> None:
    def work(conn: Connection) -> None:
        rows = [{"name": f"{writer.transactions}/{one}", "value": b"x"} for one in range(3_000)]
        conn.execute(insert(secret), rows)

    async with asyncio.timeout(60):
        while not writer.checkpoints:
            await writer.run(work)
