"""A lane for each shard: what one cannot write keeps the other from nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    BOB,
    GROUP,
    RecordingDelivery,
    Sender,
    log_of_friends,
    operation_id,
)

from tinyqq.clock import SystemClock
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.conversation import ConversationState, Effect, Plan
from tinyqq.model.ids import ConversationId, OperationId, Seq, SessionId
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.ports.delivery import Push
from tinyqq.services.lane import Lane, LaneLimits
from tinyqq.services.lanes import Lanes
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog


class Shards:
    """Groups lie on the second; which can be taken away. Remembers what each batch was of."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.is_away = False
        self.batches: list[set[int]] = []
        self.find_sent, self.ensure_listed = log.find_sent, log.ensure_listed
        self.read_after = log.read_after

    @staticmethod
    def of(conversation_id: ConversationId) -> int:
        """Its shard."""
        return int(conversation_id == GROUP)

    async def load(self, ids: Sequence[ConversationId]) -> dict[ConversationId, ConversationState]:
        """Unless it is away."""
        if self.is_away and GROUP in ids:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        return await self._log.load(ids)

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        """Note of which shards it is."""
        self.batches.append({self.of(entry.conversation_id) for entry in entries})
        await self._log.append(entries, effects)


@pytest.fixture
def shards() -> Shards:
    return Shards(log_of_friends())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def lanes(shards: Shards, clock: FakeClock) -> AsyncIterator[Lanes]:
    each = [Lane(log=shards, delivery=RecordingDelivery(), clock=clock) for _ in range(2)]
    async with Lanes(lanes=each, shard_of=shards.of) as running:
        yield running


async def test_submit_when_to_both_shards_then_no_batch_is_of_both(
    lanes: Lanes, shards: Shards
) -> None:
    sender = Sender(lanes)
    for _ in range(5):
        sender.send(ANN_BOB)
        sender.send(GROUP)
    assert sorted(await sender.seqs(10)) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert sorted(map(tuple, shards.batches)) == [(0,), (1,)]
    counted = lanes.counters()
    assert (counted["lane_entries_total"], counted["lane_batches_total"]) == (10, 2)


async def test_submit_when_one_shard_is_away_then_its_conversations_alone_are_refused(
    lanes: Lanes, shards: Shards, clock: FakeClock
) -> None:
    shards.is_away = True
    stuck, free = Sender(lanes), Sender(lanes)
    stuck.send(GROUP)
    free.send(ANN_BOB)
    assert await free.seqs(1) == [1]
    assert stuck.outcomes == []
    clock.advance(LaneLimits().give_up_s + 1)
    [refused] = await stuck.wait(1)
    assert isinstance(refused, Unavailable)
    shards.is_away = False
    stuck.send(GROUP)
    assert await stuck.seqs(2) == [0, 1]


async def test_change_when_of_the_second_shard_then_written_there(
    lanes: Lanes, shards: Shards
) -> None:
    plan = Plan(Kind.GROUP_CHANGED, Notice())
    change = await lanes.change(GROUP, ANN, operation_id(), lambda *_: plan)
    assert (change.entry.conversation_id, change.entry.seq) == (GROUP, 1)
    assert shards.batches == [{1}]


async def test_hear_when_another_process_has_written_then_its_lane_knows(
    lanes: Lanes, shards: Shards
) -> None:
    sender = Sender(lanes)
    sender.send(GROUP)
    await sender.wait(1)
    await shards.append([Entry(GROUP, Seq(2), 2, BOB, OperationId(bytes(16)), 1, 1, b"")], [])
    nobody = (Seq(0), Seq(0), (), (), SessionId(0))
    lanes.hear([Push(GROUP, Seq(2), BOB, Kind.TEXT, b"", *nobody)])
    sender.send(GROUP)
    assert await sender.seqs(2) == [1, 3]
    assert lanes.counters()["lane_failures_total"] == 0


async def test_lanes_when_left_then_what_is_pending_is_committed(shards: Shards) -> None:
    each = [Lane(log=shards, delivery=RecordingDelivery(), clock=SystemClock()) for _ in range(2)]
    async with Lanes(lanes=each, shard_of=shards.of) as lanes:
        sender = Sender(lanes)
        sender.send(ANN_BOB)
        sender.send(GROUP)
    assert await sender.seqs(2) == [1, 1]
