"""What is tried again and what is not; bounds; what a call that is not waited for leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.util import await_only
from tests.support.eventually import eventually
from tests.support.logs import entry, messages
from tests.support.storages import migrated

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.accounts import take_numbers
from tinyqq.storage.database import only
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlTimeouts
from tinyqq.storage.schema import counter

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]
PATIENT = MysqlTimeouts(connect_s=20, call_s=60)


def connection_id(conn: Connection) -> int:
    """Which connection it is."""
    found: int = conn.execute(text("SELECT CONNECTION_ID()")).scalar_one()
    return found


def next_number(conn: Connection) -> int:
    """A change that is not the same when done twice."""
    return take_numbers(conn, name="test", count=1)


@pytest.fixture
def url(mariadb: MariaDb) -> str:
    return migrated(mariadb)


@pytest.fixture
async def database(url: str) -> AsyncIterator[MysqlDatabase]:
    async with MysqlDatabase.open(MysqlAddress.from_url(url), timeouts=PATIENT) as opened:
        yield opened


async def test_database_when_opened_then_it_has_a_writer_and_knows_its_batches(
    database: MysqlDatabase, url: str
) -> None:
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as second:
        assert (database.writers, second.writers) == ({1: 0}, {2: 0})
    assert database.max_batch_bytes == 2 * 2**20


async def test_database_when_closed_then_no_connection_is_left(mariadb: MariaDb, url: str) -> None:
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as opened:
        await opened.read(connection_id)
    await eventually(lambda: not mariadb.connection_ids(database_of(url)))


async def test_read_when_others_write_meanwhile_then_it_sees_one_moment(
    database: MysqlDatabase, mariadb: MariaDb, url: str
) -> None:
    def work(conn: Connection) -> tuple[object, object]:
        find = select(counter.c.next_value).where(counter.c.name == "writer")
        first = conn.execute(find).scalar_one()
        mariadb.ask("UPDATE counter SET next_value = 99", database_of(url))
        return first, conn.execute(find).scalar_one()

    first, second = await database.read(work)
    assert first == second


async def test_read_when_its_connection_was_killed_then_done_again(
    database: MysqlDatabase, mariadb: MariaDb
) -> None:
    mariadb.ask(f"KILL {await database.read(connection_id)}")
    assert await database.read(connection_id)
    assert database.counters()["storage_retries_total"] == 1


async def test_write_when_its_connection_is_killed_before_the_commit_then_done_once(
    database: MysqlDatabase, mariadb: MariaDb
) -> None:
    killed: list[int] = []

    def work(conn: Connection) -> int:
        number = next_number(conn)
        if not killed:
            killed.append(connection_id(conn))
            mariadb.ask(f"KILL {killed[0]}")
            connection_id(conn)  # notices
        return number

    assert await database.write(work) == 1
    assert await database.write(next_number) == 2


async def test_write_when_its_connection_is_killed_at_the_commit_then_the_outcome_is_open(
    database: MysqlDatabase, mariadb: MariaDb
) -> None:
    def work(conn: Connection) -> None:
        next_number(conn)
        mariadb.ask(f"KILL {connection_id(conn)}")

    with pytest.raises(Unavailable) as caught:
        await database.write(work)
    assert caught.value.fields["outcome"] == "unknown"


async def test_write_when_two_lock_in_opposite_orders_then_both_are_done(
    database: MysqlDatabase,
) -> None:
    for name in ("one", "two"):
        await database.write(partial(take_numbers, name=name, count=1))
    met = asyncio.Barrier(2)
    first_runs = {"one", "two"}

    async def both(first: str, second: str) -> tuple[int, int]:
        def work(conn: Connection) -> tuple[int, int]:
            mine = take_numbers(conn, name=first, count=1)
            if first in first_runs:
                first_runs.discard(first)
                await_only(met.wait())  # the other one has locked its first row, too
            return mine, take_numbers(conn, name=second, count=1)

        return await database.write(work)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(both("one", "two")), group.create_task(both("two", "one"))]
    (one, two), (two_again, one_again) = (task.result() for task in tasks)
    assert {one, one_again} == {two, two_again} == {2, 3}
    assert database.counters()["storage_retries_total"] == 1


async def test_read_when_the_answer_does_not_come_then_unavailable_in_time(url: str) -> None:
    # Of the call's time connecting takes some: with less, a busy machine fails the last read.
    timeouts = MysqlTimeouts(connect_s=20, call_s=3)
    async with MysqlDatabase.open(MysqlAddress.from_url(url), timeouts=timeouts) as database:
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable) as caught:
                await database.read(only(text("SELECT SLEEP(60)")))
        assert caught.value.code is ErrorCode.TIMED_OUT
        assert await database.read(connection_id)


async def test_read_when_cancelled_then_the_next_caller_gets_its_own_rows(url: str) -> None:
    def slow(conn: Connection) -> object:
        return conn.execute(text("SELECT 'stale' FROM (SELECT SLEEP(0.05)) AS nap")).scalar_one()

    def fresh(number: int, conn: Connection) -> object:
        return conn.execute(text(f"SELECT 'fresh {number}'")).scalar_one()

    async with MysqlDatabase.open(MysqlAddress.from_url(url), timeouts=PATIENT) as database:
        for number in range(30):
            task = asyncio.create_task(database.read(slow))
            await asyncio.sleep(0.002 * number)
            task.cancel()
            answers = await asyncio.gather(
                *(database.read(partial(fresh, number)) for _ in range(9))
            )
            assert set(answers) == {f"fresh {number}"}
            await asyncio.wait([task])


async def test_read_when_too_many_wait_then_refused(url: str) -> None:
    async with MysqlDatabase.open(MysqlAddress.from_url(url), timeouts=PATIENT) as database:
        reads = [database.read(connection_id) for _ in range(1_001)]
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        [refused] = [one for one in outcomes if not isinstance(one, int)]
        assert isinstance(refused, Unavailable)
        assert refused.code is ErrorCode.BUSY
        assert database.counters()["storage_refused_total"] == 1
        assert len({one for one in outcomes if isinstance(one, int)}) == 8


async def test_read_when_nobody_lets_go_of_a_connection_then_the_host_is_not_blamed(
    database: MysqlDatabase,
) -> None:
    let_go = asyncio.Event()

    def hold(conn: Connection) -> None:
        connection_id(conn)
        await_only(let_go.wait())

    connects = 8 + 2  # the readers, a writer, the log
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(database.read(hold))
        await eventually(lambda: database.counters()["storage_connects_total"] == connects)
        database._timeouts = MysqlTimeouts(call_s=0.2)
        with pytest.raises(Unavailable):
            await database.read(connection_id)
        database._timeouts = PATIENT
        let_go.set()
    await database.read(connection_id)
    assert database.counters()["storage_connects_total"] == connects


async def test_append_when_done_then_counted(database: MysqlDatabase) -> None:
    await database.append(messages(3), None)
    await database.append([entry(4)], None)
    counted = database.counters()
    assert counted["storage_rows_appended_total"] == 4
    assert counted["storage_unknown_outcomes_total"] == 0


async def test_open_when_nobody_is_there_then_unavailable() -> None:
    address = MysqlAddress((("127.0.0.1", 1),), "root", "", "tinyqq")
    with pytest.raises(Unavailable, match="cannot be reached"):
        async with MysqlDatabase.open(address, timeouts=PATIENT):
            pass
