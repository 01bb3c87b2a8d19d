"""A lane on MariaDB while the server is killed, stopped, or shared: acknowledged is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.eventually import eventually
from tests.support.lane_fixtures import RecordingDelivery
from tests.support.log_writers import Writer, befriend, check, check_positions, lane_on, whole_log
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, entry
from tests.support.storages import migrated

from tinyqq.clock import SystemClock
from tinyqq.errors import Unavailable
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.model.conversation import Effect
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.services.lane import Lane
from tinyqq.storage.log_reader import SqlLogReader
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlTimeouts, run

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]
QUICK = MysqlTimeouts(connect_s=0.5, call_s=1.5, append_s=1.5)


async def test_server_when_killed_in_the_middle_of_appends_then_the_lane_goes_on(
    own_mariadb: MariaDb,
) -> None:
    url = await asyncio.to_thread(migrated, own_mariadb)
    await befriend(url)
    async with lane_on(url, QUICK) as (lane, database):
        writer = Writer(lane)
        for _ in range(3):
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(writer.send(400))
                goal = len(writer.acknowledged) + 100
                await eventually(lambda: len(writer.acknowledged) >= goal)  # noqa: B023 - awaited
                own_mariadb.kill()
                own_mariadb.start()
                await sending
        assert writer.refused == []
        assert len(writer.acknowledged) == 1_200
        assert database.counters()["storage_connects_total"] >= 3
    check(await whole_log(url), writer)


async def test_server_when_stopped_then_unavailable_in_time_and_nothing_is_lost(
    own_mariadb: MariaDb,
) -> None:
    url = await asyncio.to_thread(migrated, own_mariadb)
    await befriend(url)
    async with lane_on(url, QUICK) as (lane, database):
        writer = Writer(lane)
        await writer.send(50)
        own_mariadb.pause()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            sending = group.create_task(writer.send(50))
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await SqlLogReader(database=database).read_heads([ANN_BOB])
            own_mariadb.resume()
            await sending
        assert writer.refused == []
    check(await whole_log(url), writer)


async def test_lanes_when_two_write_one_conversation_then_one_order_without_gaps(
    mariadb: MariaDb,
) -> None:
    url = await asyncio.to_thread(migrated, mariadb)
    await befriend(url)
    async with lane_on(url, QUICK) as (first, _), lane_on(url, QUICK) as (second, _):
        writers = [Writer(first, ANN), Writer(second, BOB), Writer(first, ANN, ANN_OWN)]
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.send(2_000))
        assert [writer.refused for writer in writers] == [[], [], []]
        assert [len(writer.acknowledged) for writer in writers] == [2_000] * 3
    log = await whole_log(url)
    check(log, *writers[:2])
    assert len(log) == 4_001
    for writer in writers[:2]:
        sent = [one.seq for one in writer.acknowledged.values()]
        assert sent == sorted(sent)
    await check_positions(url)


async def is_appended(database: MysqlDatabase, one: Entry) -> bool:
    """Append; False when that was refused."""
    try:
        await database.append([one], None)
    except AppendFailed as failure:
        return not failure.outcome_known
    return True


class Poisoned(SqlLogWriter):
    """Every batch with a certain text in it has a row that the database refuses."""

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        """Make that row's kind too large for its column."""
        kinds = [2**40 if b"poison" in one.body else one.kind for one in entries]
        broken = [one._replace(kind=kind) for one, kind in zip(entries, kinds, strict=True)]
        await super().append(broken, effects)


async def test_row_when_it_cannot_be_stored_then_refused_alone(mariadb: MariaDb) -> None:
    url = await asyncio.to_thread(migrated, mariadb)
    await befriend(url)
    address = MysqlAddress.from_url(url)
    async with MysqlDatabase.open(address, timeouts=QUICK) as database:
        log, clock = Poisoned(database=database), SystemClock()
        async with Lane(log=log, delivery=RecordingDelivery(), clock=clock) as lane:
            good, bad = Writer(lane), Writer(lane, BOB)
            bad.send_text("poison")
            await good.send(200)
    assert (len(good.acknowledged), len(good.refused)) == (200, 0)
    assert (len(bad.acknowledged), len(bad.refused)) == (0, 1)
    check(await whole_log(url), good)


async def test_append_when_refused_by_the_lock_of_a_hung_node_then_free_again_soon(
    mariadb: MariaDb,
) -> None:
    """A transaction that its process left open keeps a row no longer than two seconds."""
    url = await asyncio.to_thread(migrated, mariadb)
    async with (
        MysqlDatabase.open(MysqlAddress.from_url(url)) as hung,
        MysqlDatabase.open(MysqlAddress.from_url(url)) as other,
    ):
        session = await hung._connector.connect("READ COMMITTED", autocommit=False)
        row = f"{ANN_OWN}, 1, 1, 1, X'{'ff' * 16}', 1, 1, X'', NULL, NULL"
        await run(session.connection, f"INSERT INTO message VALUES ({row})")
        async with asyncio.timeout(30):
            while not await is_appended(other, entry(1, ANN_OWN)):
                """The lane tries again at once, too."""
        session.abort()
