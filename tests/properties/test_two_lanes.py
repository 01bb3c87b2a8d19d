"""The lane when other processes write there too: it comes second, hears of it, catches up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import count

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    BOB,
    GROUP,
    FakeHome,
    RecordingDelivery,
    Sender,
    as_sent,
    assert_contiguous,
    befriend,
    clock,
    delivery,
    lane,
    log,
    make_group,
    operation_id,
    sender,
)

from tinyqq.clock import SystemClock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.conversation import ConversationState, Effect, Plan, PutMember, PutRelation
from tinyqq.model.group import Role
from tinyqq.model.ids import ConversationId, OperationId, Seq, SessionId
from tinyqq.model.message import Entry, Kind, Sent
from tinyqq.ports.delivery import Push
from tinyqq.ports.services import Send
from tinyqq.services.lane import Change, Draft, Lane, LaneLimits
from tinyqq.services.rivals import GATHER_AFTER
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog
from tinyqq.wire.packets import encode_entry

__all__ = ["clock", "delivery", "lane", "log", "sender"]


async def test_head_moved_elsewhere_then_renumbered(sender: Sender, log: MemoryLog) -> None:
    sender.send()
    await sender.wait(1)
    await write_elsewhere(log, 2)
    sender.send()
    assert await sender.seqs(2) == [1, 3]
    assert_contiguous(log.entries[ANN_BOB])


async def write_elsewhere(log: MemoryLog, seq: int, kind: Kind = Kind.TEXT) -> Push:
    """Another process appends to Ann's and Bob's conversation; its push."""
    one = Entry(ANN_BOB, Seq(seq), seq, BOB, operation_id(), 1, kind, b"")
    await log.append([one], [])
    return Push(
        ANN_BOB, one.seq, BOB, kind, encode_entry(one), Seq(0), Seq(0), (), (), SessionId(0)
    )  # fmt: skip


async def test_head_moved_elsewhere_then_only_that_conversation_waits(
    lane: Lane, sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    await write_elsewhere(log, 2)
    sender.send()
    for _ in range(2):
        sender.send(GROUP, BOB)
    assert await sender.seqs(4) == [1, 1, 2, 3]
    assert log.batches[-2:] == [2, 1]
    assert lane.counters()["lane_stood_aside_total"] == 1


async def test_send_while_its_conversation_stands_aside_then_behind_what_waits(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    await write_elsewhere(log, 2)
    sender.send(number=101)
    sender.send(GROUP, BOB)
    await sender.wait(2)
    for number in range(102, 105):
        sender.send(number=number)
    await sender.wait(6)
    ids = [entry.client_message_id for entry in log.entries[ANN_BOB][2:]]
    assert ids == [operation_id(number) for number in range(101, 105)]


async def test_head_heard_of_then_no_append_fails(
    lane: Lane, sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    lane.hear([await write_elsewhere(log, 2)])
    sender.send()
    assert await sender.seqs(2) == [1, 3]
    assert (lane.counters()["lane_failures_total"], log.loads) == (0, 1)


async def test_notice_heard_of_then_the_state_is_read_again_first(
    lane: Lane, sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    lane.hear([await write_elsewhere(log, 2, Kind.BLOCKED)])
    sender.send()
    assert await sender.seqs(2) == [1, 3]
    assert (lane.counters()["lane_failures_total"], log.loads) == (0, 2)


async def test_second_to_messages_then_only_these_are_read(
    lane: Lane, sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    for seq in (2, 3):
        await write_elsewhere(log, seq)
    sender.send()
    assert await sender.seqs(2) == [1, 4]
    assert_contiguous(log.entries[ANN_BOB])
    assert [entry.ordinal for entry in log.entries[ANN_BOB]] == [1, 2, 3, 4]
    assert (lane.counters()["lane_failures_total"], log.loads) == (1, 1)


async def test_second_to_a_removal_then_who_was_removed_is_refused(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send(GROUP, BOB)
    await sender.wait(1)
    out = Entry(GROUP, Seq(2), 1, ANN, operation_id(), 1, Kind.MEMBER_REMOVED, b"")
    await log.append([out], [(GROUP, PutMember(BOB, Seq(1), Seq(2), Role.MEMBER, "", 1))])
    await log.append([Entry(GROUP, Seq(3), 2, ANN, operation_id(), 1, Kind.TEXT, b"")], [])
    sender.send(GROUP, BOB)
    sender.send(GROUP, ANN)
    assert sorted(await sender.seqs(3)) == [0, 1, 4]
    assert [entry.sender_id for entry in log.entries[GROUP]] == [BOB, ANN, ANN, ANN]


def befriending(state: ConversationState, now_ms: int) -> Plan:
    """A rule whose effects hold for the drafts behind it."""
    return Plan(Kind.FRIEND_ADDED, effects=(PutRelation(BOB, is_friend=True),))


async def test_second_with_a_change_then_its_effects_are_those_of_the_entry_written(
    lane: Lane, log: MemoryLog
) -> None:
    await lane.change(ANN_BOB, ANN, operation_id(), lambda *_: Plan(Kind.FRIEND_ADDED))
    await write_elsewhere(log, 2)
    change = await lane.change(ANN_BOB, BOB, operation_id(), befriending)
    # What was not written left its mark on the first state.
    assert (change.entry.seq, log.loads) == (3, 2)


class AheadLog(MemoryLog):
    """Another process is first every time."""

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        if entries[0].conversation_id == ANN_BOB:
            await super().append([entries[0]._replace(client_message_id=operation_id())], [])
        await super().append(entries, effects)


async def test_second_every_time_then_refused_in_the_end_and_others_never_wait(
    delivery: RecordingDelivery, clock: FakeClock
) -> None:
    log = AheadLog(accounts=[ANN, BOB])
    befriend(log.state(ANN_BOB), ANN, BOB)
    make_group(log.state(GROUP), ANN, BOB)
    limits = LaneLimits()
    async with Lane(log=log, delivery=delivery, clock=clock, limits=limits) as lane:
        sender = Sender(lane)
        for _ in range(3):
            sender.send()
            sender.send(GROUP, BOB)
        assert await sender.seqs(3) == [1, 2, 3]
        clock.advance(limits.give_up_s + 1)
        outcomes = (await sender.wait(6))[3:]
    assert all(isinstance(one, Unavailable) for one in outcomes)


class FarLog(MemoryLog):
    """A log as far away as a database: reading takes longer than appending."""

    async def load(
        self, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationState]:
        await asyncio.sleep(0.002)
        states = await super().load(conversation_ids)
        await asyncio.sleep(0.002)
        return states

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        await asyncio.sleep(0.0005)
        await super().append(entries, effects)
        await asyncio.sleep(0.0005)


async def send_for_ever(sender: Sender) -> None:
    for number in count(1):
        sender.send()
        assert all(await sender.seqs(number))


async def test_two_lanes_when_one_never_pauses_then_the_other_gets_its_turns(
    delivery: RecordingDelivery,
) -> None:
    log = FarLog(accounts=[ANN, BOB])
    befriend(log.state(ANN_BOB), ANN, BOB)
    limits, clock = LaneLimits(look_every_s=0.05), SystemClock()
    async with (
        Lane(log=log, delivery=delivery, clock=clock, limits=limits) as one,
        Lane(log=log, delivery=delivery, clock=clock, limits=limits) as other,
    ):
        senders = [Sender(one), Sender(other)]
        senders[0].send()  # it knows the head, the other has to read it
        await senders[0].wait(1)
        senders[0].outcomes.clear()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send_for_ever(sender)) for sender in senders]
            async with asyncio.timeout(30):
                for sender in senders:
                    await sender.wait(50)
            for task in tasks:
                task.cancel()
        few, many = sorted(len(sender.outcomes) for sender in senders)
        assert few > many / 5
    assert_contiguous(log.entries[ANN_BOB])


async def test_another_lane_was_first_many_times_then_still_not_refused(
    sender: Sender, log: MemoryLog
) -> None:
    log.faults = ["taken"] * 50
    for _ in range(5):
        sender.send()
    assert await sender.seqs(5) == [1, 2, 3, 4, 5]


async def test_moved_conversation_when_the_others_fail_then_still_answered_once(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    await write_elsewhere(log, 2)
    log.faults = ["", "lost"]  # it was second, and then the rest of the batch fails
    sender.send()
    sender.send(GROUP, BOB)
    sender.send(GROUP, BOB)
    assert sorted(await sender.seqs(4)) == [1, 1, 2, 3]
    sender.send(GROUP, BOB)
    sender.send()
    assert sorted((await sender.seqs(6))[4:]) == [3, 4]


class BusyLog(MemoryLog):
    """Somebody else writes to Ann's and Bob's conversation just before an append."""

    appends = 0
    first_at = 0

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        self.appends += 1
        if self.appends == self.first_at:
            await write_elsewhere(self, 1)
        await super().append(entries, effects)


async def test_moved_conversation_when_the_batch_was_halved_then_its_order_is_kept(
    delivery: RecordingDelivery, clock: FakeClock
) -> None:
    log = BusyLog(accounts=[ANN, BOB])
    befriend(log.state(ANN_BOB), ANN, BOB)
    make_group(log.state(GROUP), ANN, BOB)
    log.faults, log.first_at = ["lost", "lost"], 3
    async with Lane(log=log, delivery=delivery, clock=clock) as lane:
        sender = Sender(lane)
        sender.send(number=1)
        sender.send(GROUP)
        sender.send(number=2)
        sender.send(number=3)
        await sender.wait(4)
    ids = [entry.client_message_id for entry in log.entries[ANN_BOB][1:]]
    assert ids == [operation_id(number) for number in range(1, 4)]


class LaneHome:
    """Another lane, behind a link that breaks each time after so many sends: what has no answer
    then is refused, though the lane goes on with it."""

    def __init__(self, lane: Lane, breaks_after: Sequence[int] = ()) -> None:
        self.is_open = True
        self.broke = 0
        self._lane = lane
        self._breaks_after = list(breaks_after)
        self._sends = 0
        self._unanswered: dict[int, Send] = {}

    def find(self, conversation_id: ConversationId) -> LaneHome:
        return self

    def send(self, send: Send) -> None:
        self._sends += 1
        self._unanswered[self._sends] = send
        done = partial(self._done, self._sends)
        self._lane.submit(
            Draft(
                send.conversation_id, send.caller.user_id, send.client_message_id, done, send.kind,
                send.content, flight=send.flight
            )
        )  # fmt: skip
        if self._breaks_after and self._sends >= self._breaks_after[0]:
            self._breaks_after.pop(0)
            self._sends = 0
            self.broke += 1
            unanswered, self._unanswered = self._unanswered, {}
            for one in unanswered.values():
                one.answer(Unavailable(ErrorCode.UNAVAILABLE))

    def _done(self, number: int, outcome: Change | TinyQQError) -> None:
        send = self._unanswered.pop(number, None)
        if send is None:
            return
        if isinstance(outcome, Change):
            entry = outcome.entry
            send.answer(Sent(entry.seq, entry.ordinal, entry.sent_at_ms))
        else:
            send.answer(outcome)


class Crowd:
    """Senders to both lanes, each with some sends in flight; their messages, as they were sent."""

    IN_FLIGHT = 4

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.sent: list[list[OperationId]] = []
        self._lanes = lanes

    async def write(self, each: int) -> None:
        """Two senders to each lane, so many messages each; all are answered."""
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for place in range(2 * len(self._lanes)):
                lane = self._lanes[place % len(self._lanes)]
                self.sent.append([])
                group.create_task(self._write(lane, SessionId(place + 1), each, self.sent[-1]))

    async def _write(
        self, lane: Lane, session: SessionId, each: int, sent: list[OperationId]
    ) -> None:
        places = asyncio.Semaphore(self.IN_FLIGHT)
        seqs: list[Seq] = []

        def done(outcome: Change | TinyQQError) -> None:
            assert isinstance(outcome, Change)
            seqs.append(outcome.entry.seq)
            places.release()

        for _ in range(each):
            await places.acquire()
            sent.append(operation_id())
            draft = Draft(GROUP, BOB, sent[-1], done, Kind.TEXT, b"", origin=session, flight=1)
            lane.submit(as_sent(draft))
        for _ in range(self.IN_FLIGHT):
            await places.acquire()
        assert len(seqs) == each


@pytest.mark.parametrize("breaks_after", [(), (1, 7, 30), (2,) * 20])
async def test_two_lanes_when_one_gathers_then_each_message_once_in_its_senders_order(
    delivery: RecordingDelivery, breaks_after: Sequence[int]
) -> None:
    log = FarLog(accounts=[ANN, BOB])
    make_group(log.state(GROUP), ANN, BOB)
    limits, clock = LaneLimits(look_every_s=0.05, rest_s=0.0), SystemClock()
    async with Lane(log=log, delivery=delivery, clock=clock, limits=limits) as home:
        link = LaneHome(home, breaks_after)
        async with Lane(
            log=log, delivery=delivery, clock=clock, limits=limits, find_home=link.find
        ) as lane:
            crowd = Crowd([home, lane])
            await crowd.write(100)
        assert lane.counters()["lane_handed_over_total"] > 0
    assert (link.broke > 0) == bool(breaks_after)
    assert_contiguous(log.entries[GROUP])
    written = [entry.client_message_id for entry in log.entries[GROUP]]
    assert sorted(written) == sorted(one for sent in crowd.sent for one in sent)
    for sent in crowd.sent:
        assert [one for one in written if one in sent] == sent


async def test_leaving_the_lane_when_something_is_handed_over_then_its_answer_is_waited_for(
    delivery: RecordingDelivery, log: MemoryLog, clock: FakeClock
) -> None:
    home, outcomes = FakeHome(), list[Change | TinyQQError]()
    lane = Lane(log=log, delivery=delivery, clock=clock, find_home=home.find)
    draft = as_sent(Draft(GROUP, BOB, operation_id(), outcomes.append, Kind.TEXT))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        await lane.__aenter__()
        log.faults = ["taken"] * GATHER_AFTER
        lane.submit(draft)
        await home.came.wait()
        leaving = group.create_task(lane.__aexit__(None, None, None))
        for _ in range(5):  # it has its turns, and does not end
            await asyncio.sleep(0)
        assert (leaving.done(), outcomes) == (False, [])
        home.answer(Unavailable(ErrorCode.UNAVAILABLE))  # now the lane has to write it itself
    assert [type(one) for one in outcomes] == [Change]
    assert [entry.client_message_id for entry in log.entries[GROUP]] == [draft.operation_id]
