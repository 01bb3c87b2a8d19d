"""A lane on MariaDB while the server is killed, stopped, or shared: acknowledged is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import func, select
from tests.support.eventually import eventually
from tests.support.lane_fixtures import RecordingDelivery
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, account, entry, new_operation_id
from tests.support.storages import migrated

from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError, Unavailable
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.model.conversation import Effect, PutRelation
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId
from tinyqq.model.message import Content, Entry, Kind
from tinyqq.ports.storage import AppendFailed
from tinyqq.services.lane import Change, Draft, Lane
from tinyqq.storage.log_reader import SqlLogReader
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlTimeouts, run
from tinyqq.storage.open import open_storage
from tinyqq.storage.schema import message
from tinyqq.wire.content import encode_content

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]
QUICK = MysqlTimeouts(connect_s=0.5, call_s=1.5, append_s=1.5)
_IN_FLIGHT = 32


class Writer:
    """Sends to a lane, so many at a time, and knows what was acknowledged."""

    def __init__(self, lane: Lane, sender_id: UserId = ANN, key: ConversationId = ANN_BOB) -> None:
        self.acknowledged: dict[OperationId, Entry] = {}
        self.refused: list[TinyQQError] = []
        self._lane = lane
        self._sender_id = sender_id
        self._key = key
        self._answered = asyncio.Semaphore(0)

    async def send(self, count: int) -> None:
        """Send, and wait for every answer."""
        for number in range(count):
            if number >= _IN_FLIGHT:
                await self._answered.acquire()
            self.send_text(f"{self._sender_id} {number}")
        for _ in range(min(count, _IN_FLIGHT)):
            await self._answered.acquire()

    def send_text(self, words: str) -> None:
        """Send one message."""
        operation_id, body = new_operation_id(), encode_content(Content(words))
        done = partial(self._done, operation_id)
        self._lane.submit(Draft(self._key, self._sender_id, operation_id, done, Kind.TEXT, body))

    def _done(self, operation_id: OperationId, outcome: Change | TinyQQError) -> None:
        if isinstance(outcome, Change):
            self.acknowledged[operation_id] = outcome.entry
        else:
            self.refused.append(outcome)
        self._answered.release()


@asynccontextmanager
async def lane_on(url: str) -> AsyncIterator[tuple[Lane, MysqlDatabase]]:
    """A lane as a process of its own would have it."""
    async with AsyncExitStack() as stack:
        address = MysqlAddress.from_url(url)
        database = await stack.enter_async_context(MysqlDatabase.open(address, timeouts=QUICK))
        writer = SqlLogWriter(database=database)
        delivery = RecordingDelivery()
        lane = Lane(log=writer, delivery=delivery, clock=SystemClock())
        yield await stack.enter_async_context(lane), database


async def befriend(url: str) -> None:
    """Ann and Bob are there, and friends."""
    async with open_storage(url) as storage:
        await storage.accounts.create_accounts([account(ANN), account(BOB)], [])
        friends = [(ANN_BOB, PutRelation(one, is_friend=True)) for one in (ANN, BOB)]
        await storage.log_writer.append([entry(1, kind=Kind.FRIEND_ADDED, ordinal=0)], friends)


async def whole_log(url: str, key: ConversationId = ANN_BOB) -> list[Entry]:
    """Everything in a conversation, in order."""
    entries: list[Entry] = []
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as database:
        reader = SqlLogReader(database=database)
        while True:
            after = entries[-1].seq if entries else Seq(0)
            page = await reader.read_page(ANN, key, after, 500)
            entries += page.entries
            if not page.more:
                return entries


def check(log: list[Entry], *writers: Writer) -> None:
    """Contiguous, no operation twice, and every acknowledged entry as it was acknowledged."""
    assert [one.seq for one in log] == list(range(1, len(log) + 1))
    assert [one.ordinal for one in log] == list(range(len(log)))
    by_operation = {one.client_message_id: one for one in log}
    assert len(by_operation) == len(log)
    for writer in writers:
        for operation_id, acknowledged in writer.acknowledged.items():
            assert by_operation[operation_id] == acknowledged


async def test_server_when_killed_in_the_middle_of_appends_then_the_lane_goes_on(
    own_mariadb: MariaDb,
) -> None:
    url = await asyncio.to_thread(migrated, own_mariadb)
    await befriend(url)
    async with lane_on(url) as (lane, database):
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
    clock = asyncio.get_running_loop().time
    async with lane_on(url) as (lane, database):
        writer = Writer(lane)
        await writer.send(50)
        own_mariadb.pause()
        begin = clock()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(writer.send(50))
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await SqlLogReader(database=database).read_heads([ANN_BOB])
            assert clock() - begin < 2 * QUICK.call_s + 2
            own_mariadb.resume()
            await sending
        assert writer.refused == []
    check(await whole_log(url), writer)


async def test_lanes_when_two_write_one_conversation_then_one_order_without_gaps(
    mariadb: MariaDb,
) -> None:
    url = await asyncio.to_thread(migrated, mariadb)
    await befriend(url)
    async with lane_on(url) as (first, _), lane_on(url) as (second, _):
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


async def check_positions(url: str) -> None:
    """Every writer's positions are dense, from one on."""
    asked = select(
        func.count(),
        func.count(message.c.writer_pos.distinct()),
        func.max(message.c.writer_pos),
    ).group_by(message.c.writer)
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as database:
        rows = await database.read(lambda conn: conn.execute(asked).all())
    assert all(count == distinct == last for count, distinct, last in rows)


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
        async with asyncio.timeout(5):
            while not await is_appended(other, entry(1, ANN_OWN)):
                """The lane tries again at once, too."""
        session.abort()
