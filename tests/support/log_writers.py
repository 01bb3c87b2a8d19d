"""Senders to lanes on a real database, and what its log must look like afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from sqlalchemy import func, select
from tests.support.lane_fixtures import RecordingDelivery
from tests.support.logs import ANN, ANN_BOB, BOB, account, entry, new_operation_id

from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.model.conversation import PutRelation
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId
from tinyqq.model.message import Content, Entry, Kind
from tinyqq.services.lane import Change, Draft, Lane
from tinyqq.services.lanes import AnyLane, Lanes
from tinyqq.storage.log_reader import SqlLogReader
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlTimeouts
from tinyqq.storage.open import open_storage
from tinyqq.storage.schema import message
from tinyqq.wire.content import encode_content

_IN_FLIGHT: Final = 32


class Writer:
    """Sends to a lane, so many at a time, and knows what was acknowledged."""

    def __init__(
        self, lane: AnyLane, sender_id: UserId = ANN, key: ConversationId = ANN_BOB
    ) -> None:
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
async def lane_on(
    url: str, timeouts: MysqlTimeouts | None = None
) -> AsyncIterator[tuple[AnyLane, MysqlDatabase]]:
    """A lane (one for each shard) as a process of its own would have it."""
    async with AsyncExitStack() as stack:
        address = MysqlAddress.from_url(url)
        database = await stack.enter_async_context(MysqlDatabase.open(address, timeouts=timeouts))
        log, delivery, shards = (
            SqlLogWriter(database=database),
            RecordingDelivery(),
            database.shards,
        )
        lanes = [Lane(log=log, delivery=delivery, clock=SystemClock()) for _ in range(shards.count)]
        lane = Lanes(lanes=lanes, shard_of=shards.of) if len(lanes) > 1 else lanes[0]
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
