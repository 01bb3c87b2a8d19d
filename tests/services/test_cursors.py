"""Cursors: merged, cut at the head, stored in one go, told to whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
from tests.support.accounts import LAPTOP, PHONE, caller_of
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, EVE, GROUP, RecordingDelivery

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import (
    ConversationId,
    DeviceId,
    Seq,
    UserId,
    direct_conversation,
    own_conversation,
)
from tinyqq.model.message import CursorMoved, Mark
from tinyqq.ports.delivery import Hint
from tinyqq.ports.storage import ACCOUNT_DEVICE, ConversationStore, CursorRow, LogReader
from tinyqq.services.cursors import Cursors

Rows = dict[tuple[UserId, DeviceId, ConversationId], tuple[Seq, Seq]]


class Stored:
    """The two stores that cursors go through, and what got there."""

    def __init__(self) -> None:
        self.heads: dict[ConversationId, Seq] = {
            ANN_BOB: Seq(100),
            GROUP: Seq(100),
            own_conversation(ANN): Seq(100),
        }
        self.batches: list[list[CursorRow]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Event()

    async def read_heads(
        self, conversation_ids: Sequence[ConversationId]
    ) -> Mapping[ConversationId, Seq]:
        return {one: self.heads[one] for one in conversation_ids if one in self.heads}

    async def merge_cursors(self, rows: Sequence[CursorRow]) -> None:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable(ErrorCode.BUSY)
        self.batches.append(list(rows))
        self.changed.set()

    @property
    def rows(self) -> Rows:
        return {row[:3]: row[3:] for batch in self.batches for row in batch}

    async def next_batch(self) -> list[CursorRow]:
        await asyncio.wait_for(self.changed.wait(), 30)
        self.changed.clear()
        return self.batches[-1]


class Bench:
    """Cursors that nobody runs: they are stored when they are settled."""

    def __init__(self, *, max_pending: int = 1_000, interval_s: float = 3600) -> None:
        self.stored = Stored()
        self.delivery = RecordingDelivery()
        self.cursors = Cursors(
            reader=cast("LogReader", self.stored),
            conversations=cast("ConversationStore", self.stored),
            delivery=self.delivery,
            interval_s=interval_s,
            max_pending=max_pending,
        )

    def mark(
        self,
        conversation_id: ConversationId = ANN_BOB,
        *,
        delivered: int = 0,
        read: int = 0,
        device: DeviceId = PHONE,
        session: int = 1,
    ) -> None:
        self.cursors.mark(
            caller_of(ANN, device, session), Mark(conversation_id, Seq(delivered), Seq(read))
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.cursors.run())
            yield
            self.cursors.stop()


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_mark_when_several_come_then_the_largest_of_each_is_stored(bench: Bench) -> None:
    bench.mark(delivered=9)
    bench.mark(delivered=7, read=5)
    bench.mark(read=4)
    await bench.cursors.settle(ANN)
    assert bench.stored.batches == [
        [
            CursorRow(ANN, PHONE, ANN_BOB, Seq(9), Seq(5)),
            CursorRow(ANN, ACCOUNT_DEVICE, ANN_BOB, Seq(9), Seq(5)),
        ]
    ]


async def test_mark_when_two_devices_mark_then_the_account_has_the_maximum(bench: Bench) -> None:
    bench.mark(delivered=9, read=3)
    bench.mark(delivered=5, read=5, device=LAPTOP)
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {
        (ANN, PHONE, ANN_BOB): (9, 3),
        (ANN, LAPTOP, ANN_BOB): (5, 5),
        (ANN, ACCOUNT_DEVICE, ANN_BOB): (9, 5),
    }


async def test_mark_when_beyond_the_head_then_cut(bench: Bench) -> None:
    bench.mark(delivered=2**62, read=2**62)
    await bench.cursors.settle(ANN)
    assert set(bench.stored.rows.values()) == {(100, 100)}
    assert bench.delivery.hints[0].record == CursorMoved(ANN_BOB, ANN, Seq(100), Seq(100))


async def test_mark_when_read_then_also_delivered(bench: Bench) -> None:
    bench.mark(read=8)
    await bench.cursors.settle(ANN)
    assert set(bench.stored.rows.values()) == {(8, 8)}


async def test_mark_when_nothing_was_ever_said_there_then_dropped(bench: Bench) -> None:
    bench.mark(direct_conversation(ANN, EVE), read=8)
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {}
    assert bench.delivery.hints == []
    assert bench.cursors.counters()["cursors_dropped_total"] == 1


@pytest.mark.parametrize("conversation_id", [direct_conversation(BOB, EVE), 7, 2**63 - 1, 0])
async def test_mark_when_it_is_not_the_callers_then_ignored(
    bench: Bench, conversation_id: ConversationId
) -> None:
    bench.mark(ConversationId(conversation_id), read=8)
    assert bench.cursors.counters()["cursors_pending"] == 0


async def test_mark_when_nothing_moves_then_ignored(bench: Bench) -> None:
    bench.mark()
    assert bench.cursors.counters()["cursors_pending"] == 0


async def test_mark_when_memory_is_full_then_new_ones_are_dropped_and_old_ones_move() -> None:
    bench = Bench(max_pending=1)
    bench.mark(read=1)
    bench.mark(read=2, device=LAPTOP)
    bench.mark(read=3)
    await bench.cursors.settle(ANN)
    assert (ANN, LAPTOP, ANN_BOB) not in bench.stored.rows
    assert bench.stored.rows[ANN, PHONE, ANN_BOB] == (3, 3)
    assert bench.cursors.counters()["cursors_dropped_total"] == 1
    bench.mark(read=2, device=LAPTOP)
    await bench.cursors.settle(ANN)
    assert bench.stored.rows[ANN, LAPTOP, ANN_BOB] == (2, 2)


async def test_note_sent_when_a_message_is_committed_then_its_sender_has_read(
    bench: Bench,
) -> None:
    bench.cursors.note_sent(ANN, ANN_BOB, Seq(5))
    bench.cursors.note_sent(ANN, ANN_BOB, Seq(6))
    bench.cursors.note_sent(BOB, ANN_BOB, Seq(7))
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {(ANN, ACCOUNT_DEVICE, ANN_BOB): (6, 6)}
    assert bench.delivery.hints == []


async def test_note_sent_when_a_device_marks_too_then_one_row_of_the_account(
    bench: Bench,
) -> None:
    bench.cursors.note_sent(ANN, ANN_BOB, Seq(9))
    bench.mark(delivered=20, read=3)
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {
        (ANN, PHONE, ANN_BOB): (20, 3),
        (ANN, ACCOUNT_DEVICE, ANN_BOB): (20, 9),
    }
    assert bench.delivery.hints[0].record == CursorMoved(ANN_BOB, ANN, Seq(20), Seq(9))


async def test_note_sent_when_memory_is_full_then_dropped() -> None:
    bench = Bench(max_pending=1)
    bench.cursors.note_sent(ANN, ANN_BOB, Seq(5))
    bench.cursors.note_sent(BOB, ANN_BOB, Seq(6))
    await bench.cursors.settle(BOB)
    assert bench.stored.rows == {}


@pytest.mark.parametrize(
    ("conversation_id", "read", "told"),
    [
        (ANN_BOB, 5, (ANN, BOB)),
        (ANN_BOB, 0, (BOB,)),
        (GROUP, 5, (ANN,)),
        (GROUP, 0, None),
        (own_conversation(ANN), 5, (ANN,)),
        (own_conversation(ANN), 0, None),
    ],
)
async def test_settle_when_cursors_moved_then_who_has_use_for_it_is_told(
    bench: Bench, conversation_id: ConversationId, read: int, told: tuple[UserId, ...] | None
) -> None:
    bench.mark(conversation_id, delivered=9, read=read)
    await bench.cursors.settle(ANN)
    moved = CursorMoved(conversation_id, ANN, Seq(9), Seq(read))
    expected = [] if told is None else [Hint(told, moved, caller_of(ANN).session_id)]
    assert bench.delivery.hints == expected


async def test_settle_when_two_sessions_marked_then_both_are_told_the_maximum(
    bench: Bench,
) -> None:
    bench.mark(delivered=9, read=3, session=1)
    bench.mark(delivered=5, read=5, device=LAPTOP, session=2)
    await bench.cursors.settle(ANN)
    moved = CursorMoved(ANN_BOB, ANN, Seq(9), Seq(5))
    assert [(hint.record, hint.origin) for hint in bench.delivery.hints] == [(moved, 0)]


async def test_settle_when_others_wait_too_then_only_this_users_are_stored(bench: Bench) -> None:
    bench.mark(read=5)
    bench.cursors.mark(caller_of(BOB), Mark(ANN_BOB, Seq(1), Seq(1)))
    await bench.cursors.settle(BOB)
    assert {key[0] for key in bench.stored.rows} == {BOB}
    await bench.cursors.settle(EVE)
    assert len(bench.stored.batches) == 1


async def test_settle_when_a_flush_is_under_way_then_waits_for_it(bench: Bench) -> None:
    bench.stored.gate.clear()
    bench.mark(read=5)
    async with asyncio.TaskGroup() as group:
        flush = group.create_task(bench.cursors.settle(ANN))
        await asyncio.sleep(0)
        second = group.create_task(bench.cursors.settle(ANN))
        await asyncio.sleep(0)
        assert not second.done()
        bench.stored.gate.set()
    assert flush.done()
    assert len(bench.stored.batches) == 1


async def test_settle_when_the_store_fails_again_and_again_then_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.stored.failures = 2
    for read in range(1, 5):
        bench.mark(read=read)
        await bench.cursors.settle(ANN)
        if read == 3:
            bench.stored.failures = 1
    told = [one.message for one in caplog.records if one.name.startswith("tinyqq")]
    assert told == ["cursors.not_stored"] * 2


async def test_settle_when_the_store_fails_then_kept_and_merged_with_what_came_since(
    bench: Bench,
) -> None:
    bench.stored.failures = 1
    bench.mark(delivered=9, read=5)
    bench.cursors.note_sent(ANN, ANN_BOB, Seq(6))
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {}
    assert bench.delivery.hints == []
    assert bench.cursors.counters()["cursor_flushes_failed_total"] == 1
    bench.mark(read=7)
    await bench.cursors.settle(ANN)
    assert bench.stored.rows == {
        (ANN, PHONE, ANN_BOB): (9, 7),
        (ANN, ACCOUNT_DEVICE, ANN_BOB): (9, 7),
    }


async def test_run_when_the_first_mark_comes_then_stored_at_once() -> None:
    bench = Bench(interval_s=3600)
    async with bench.running():
        bench.mark(read=5)
        assert len(await bench.stored.next_batch()) == 2


async def test_run_when_more_come_soon_then_they_wait_for_the_next_time_together() -> None:
    bench = Bench(interval_s=0.01)
    async with bench.running():
        bench.mark(read=5)
        await bench.stored.next_batch()
        for seq in range(6, 50):
            bench.mark(read=seq)
            bench.cursors.note_sent(BOB, ANN_BOB, Seq(seq))
        assert {row.read_seq for row in await bench.stored.next_batch()} == {49}
        assert len(bench.stored.batches) == 2


async def test_run_when_stopped_then_what_is_pending_is_stored_before() -> None:
    bench = Bench(interval_s=3600)
    async with bench.running():
        bench.mark(read=5)
        await bench.stored.next_batch()
        bench.mark(read=6)
    assert bench.stored.rows[ANN, PHONE, ANN_BOB] == (6, 6)


async def test_run_when_stopped_idle_then_ends() -> None:
    bench = Bench()
    async with bench.running():
        await asyncio.sleep(0)
    assert bench.stored.batches == []


async def test_run_when_the_store_fails_then_tried_again() -> None:
    bench = Bench(interval_s=0.01)
    bench.stored.failures = 2
    async with bench.running():
        bench.mark(read=5)
        await bench.stored.next_batch()
    assert bench.stored.rows[ANN, PHONE, ANN_BOB] == (5, 5)


async def test_settle_when_very_many_wait_then_stored_in_batches() -> None:
    bench = Bench(max_pending=6_000)
    for number in range(6_000):
        group = ConversationId(30_000 + number)
        bench.stored.heads[group] = Seq(5)
        bench.mark(group, delivered=1)
    await bench.cursors.settle(ANN)
    assert [len(batch) for batch in bench.stored.batches] == [500] * 24
    assert bench.cursors.counters()["cursors_stored_total"] == 12_000
