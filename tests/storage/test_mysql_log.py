"""Appends whose answer is no, is lost, or is not waited for; writers and positions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from tests.support.eventually import eventually
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    GROUP,
    entry,
    in_group,
    messages,
    put_group,
    put_member,
)
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.model.ids import Seq
from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.effects import write_effects
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts, Session, fetch, run
from tinyqq.storage.mysql_log import MysqlLog

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]
PATIENT = MysqlTimeouts(connect_s=20, call_s=60, append_s=60)


class Bench:
    """A log on a database of its own, and a second connection that looks at it."""

    def __init__(self, server: MariaDb) -> None:
        self.server = server
        self.url = migrated(server)
        self.connector = MysqlConnector(address=MysqlAddress.from_url(self.url), timeouts=PATIENT)
        self.log = MysqlLog(connector=self.connector, timeouts=PATIENT, take_writer=self.take)
        self.taken = 0

    async def take(self) -> int:
        """Numbers of writers."""
        self.taken += 1
        return self.taken

    async def other(self) -> Session:
        """Another connection to the same database."""
        return await self.connector.connect("READ COMMITTED", autocommit=True)

    def positions(self) -> list[tuple[int, int, int]]:
        """Seq, writer and position of every row."""
        rows = self.server.ask(
            "SELECT seq, writer, writer_pos FROM message ORDER BY conversation_id, seq",
            database_of(self.url),
        )
        return [(int(seq), int(writer), int(pos)) for seq, writer, pos in rows]


@pytest.fixture
def made(mariadb: MariaDb) -> Bench:
    return Bench(mariadb)


@pytest.fixture
async def bench(made: Bench) -> AsyncIterator[Bench]:
    yield made
    await made.log.close()


async def failed(bench: Bench, entries: list[Entry], work: Any = None) -> bool:
    """Append what fails; returns whether the outcome is known."""
    with pytest.raises(AppendFailed) as caught:
        await bench.log.append(entries, work)
    return caught.value.outcome_known


async def hold(bench: Bench, seq: int) -> Session:
    """Another transaction that has written a seq and does not come to an end. The log has written
    before, and would wait for it for long."""
    assert bench.log._session is not None
    await run(bench.log._session.connection, "SET SESSION innodb_lock_wait_timeout = 60")
    session = await bench.other()
    row = f"{ANN_BOB}, {seq}, 1, 1, X'{'ff' * 16}', 1, 1, X'', NULL, NULL"
    await run(session.connection, "SET SESSION idle_write_transaction_timeout = 0")
    await run(session.connection, "BEGIN")
    await run(session.connection, f"INSERT INTO message VALUES ({row})")
    return session


async def test_rows_when_written_then_positions_are_dense(bench: Bench) -> None:
    await bench.log.append(messages(2), None)
    await bench.log.append([entry(3)], None)
    assert bench.positions() == [(1, 1, 1), (2, 1, 2), (3, 1, 3)]
    assert (bench.log.writer, bench.log.rows) == (1, 3)


async def test_positions_when_a_batch_was_refused_then_still_dense(bench: Bench) -> None:
    await bench.log.append([entry(1)], None)
    assert await failed(bench, [entry(1), *messages(1, ANN_OWN)])
    await bench.log.append([entry(2)], None)
    assert bench.positions() == [(1, 1, 1), (2, 1, 2)]


async def test_connection_when_a_batch_was_refused_then_kept(bench: Bench) -> None:
    await bench.log.append([entry(1)], None)
    assert await failed(bench, [entry(1)])
    effects = partial(write_effects, entries=[], effects=in_group(put_group()))
    assert await failed(bench, [entry(1)], effects)
    assert (bench.connector.connects, bench.log.unknown_outcomes) == (1, 0)


async def test_effects_when_sent_in_the_way_of_mysql_then_all_or_nothing(bench: Bench) -> None:
    await bench.log.prepare()
    session = bench.log._session
    assert session is not None
    # A server that does not know BEGIN NOT ATOMIC gets statement after statement.
    bench.log._session = Session(
        connection=session.connection, transport=session.transport, generation=session.generation,
        max_packet_bytes=session.max_packet_bytes, is_mariadb=False,
    )  # fmt: skip
    write = partial(write_effects, entries=[], effects=in_group(put_group(), put_member(ANN)))
    await bench.log.append([entry(1, GROUP)], write)
    bad = partial(write_effects, entries=[], effects=in_group(put_member(ANN, since=2**70)))
    assert await failed(bench, [entry(2, GROUP)], bad)
    assert bench.positions() == [(1, 1, 1)]
    await bench.log.append([entry(2, GROUP)], None)
    assert bench.positions() == [(1, 1, 1), (2, 2, 1)]


async def test_append_when_the_connection_is_killed_then_outcome_unknown_and_a_new_writer(
    bench: Bench,
) -> None:
    await bench.log.append([entry(1)], None)
    holder = await hold(bench, 2)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(failed(bench, [entry(2)]))
        bench.server.ask(f"KILL {await waiting_append(bench)}")
        assert await waiting is False
    holder.abort()
    await bench.log.append([entry(3)], None)
    assert bench.positions()[-1] == (3, 2, 1)
    assert (bench.log.unknown_outcomes, bench.connector.generation) == (1, 1)


async def waiting_append(bench: Bench) -> str:
    """The connection whose INSERT waits for a lock, as soon as there is one."""
    asked = (
        "SELECT id FROM information_schema.processlist WHERE command = 'Query'"
        f" AND db = '{database_of(bench.url)}' AND info LIKE 'INSERT%'"
    )
    await eventually(lambda: bool(bench.server.ask(asked)))
    return bench.server.ask(asked)[0][0]


async def test_append_when_the_server_is_slow_then_the_outcome_is_unknown_in_time(
    bench: Bench,
) -> None:
    impatient = MysqlTimeouts(append_s=0.5)
    bench.log = MysqlLog(connector=bench.connector, timeouts=impatient, take_writer=bench.take)
    await bench.log.prepare()
    holder = await hold(bench, 2)
    async with asyncio.timeout(30):
        assert await failed(bench, [entry(2)]) is False
    holder.abort()


async def test_append_when_a_lock_is_not_given_then_nothing_is_written(bench: Bench) -> None:
    await bench.log.prepare()
    holder = await hold(bench, 1)
    session = bench.log._session
    assert session is not None
    await run(session.connection, "SET SESSION innodb_lock_wait_timeout = 1")
    assert await failed(bench, [entry(1)]) is True
    holder.abort()


async def test_append_when_cancelled_then_its_connection_is_not_used_again(bench: Bench) -> None:
    await bench.log.append([entry(1)], None)
    holder = await hold(bench, 2)
    task = asyncio.create_task(bench.log.append([entry(2)], None))
    await waiting_append(bench)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    holder.abort()
    await bench.log.append([entry(3)], None)
    assert bench.log.writer == 2
    assert bench.connector.connects == 3  # two of the log's, one of the holder


async def test_append_when_the_server_closed_the_idle_connection_then_a_new_one(
    bench: Bench,
) -> None:
    await bench.log.append([entry(1)], None)
    session = bench.log._session
    assert session is not None
    for number in bench.server.connection_ids(database_of(bench.url)):
        bench.server.ask(f"KILL {number}")
    await eventually(lambda: session.is_broken)
    await bench.log.append([entry(2)], None)
    assert (bench.log.writer, bench.log.unknown_outcomes) == (1, 0)


async def test_append_when_too_large_for_the_server_then_refused_before_it_is_sent(
    bench: Bench,
) -> None:
    packet_bytes = await bench.log.prepare()
    assert await failed(bench, [entry(1, body=bytes(packet_bytes // 4))])
    assert bench.connector.connects == 1


async def test_effect_when_of_every_kind_then_read_back_as_written(bench: Bench) -> None:
    effects = in_group(put_group(name="é'\\%s 群"), put_member(ANN))
    await bench.log.append([entry(1, GROUP)], partial(write_effects, entries=[], effects=effects))
    other = await bench.other()
    [row] = await fetch(other.connection, "SELECT name, members_seq FROM chat_group")
    assert row == ("é'\\%s 群", Seq(0))
    await other.close(1)
