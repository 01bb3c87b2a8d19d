"""The lane: order, idempotence, refusals against fresh state, and every way an append can fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    ANN_EVE,
    BOB,
    EVE,
    GROUP,
    RecordingDelivery,
    Sender,
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

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable
from tinyqq.model.conversation import ConversationState, Plan, PutRelation
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Kind
from tinyqq.services.lane import Change, Draft, Lane, LaneLimits
from tinyqq.services.timing import Timing
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog
from tinyqq.wire.packets import decode_entry

__all__ = ["clock", "delivery", "lane", "log", "sender"]


async def test_send_when_allowed_then_numbered_stored_and_pushed(
    sender: Sender, log: MemoryLog, delivery: RecordingDelivery
) -> None:
    sender.send(text="你好")
    assert await sender.seqs(1) == [1]
    assert decode_entry(delivery.pushes[0].body) == log.entries[ANN_BOB][0]


async def test_sends_of_one_tick_then_one_batch_in_order(sender: Sender, log: MemoryLog) -> None:
    for _ in range(50):
        sender.send()
    assert await sender.seqs(50) == list(range(1, 51))
    assert log.batches == [50]


async def test_push_follows_the_answer_entry_by_entry(
    sender: Sender, delivery: RecordingDelivery
) -> None:
    sender.send(ANN_BOB, ANN)
    sender.send(ANN_BOB, BOB)
    await sender.wait(2)
    assert [(push.seq, push.sender_id) for push in delivery.pushes] == [(1, ANN), (2, BOB)]


async def test_repeat_then_same_answer_and_pushed_again(
    sender: Sender, log: MemoryLog, delivery: RecordingDelivery
) -> None:
    sender.send(number=7)
    await sender.wait(1)
    sender.send(number=7)
    assert await sender.seqs(2) == [1, 1]
    assert len(log.entries[ANN_BOB]) == 1
    assert [push.seq for push in delivery.pushes] == [1, 1]


async def test_repeat_in_the_same_batch_then_written_once(sender: Sender, log: MemoryLog) -> None:
    sender.send(number=7)
    sender.send(number=7)
    sender.send(number=8)
    assert sorted(await sender.seqs(3)) == [1, 1, 2]
    assert len(log.entries[ANN_BOB]) == 2


async def test_repeat_that_only_the_log_knows_then_found(
    log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock
) -> None:
    for _ in range(2):  # a second process, or the same after a restart
        async with Lane(log=log, delivery=delivery, clock=clock) as lane:
            sender = Sender(lane)
            sender.send(number=7)
            assert await sender.seqs(1) == [1]
    assert len(log.entries[ANN_BOB]) == 1


async def test_repeat_after_the_right_was_lost_then_first_answer(
    log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock
) -> None:
    async with Lane(log=log, delivery=delivery, clock=clock) as lane:
        sender = Sender(lane)
        sender.send(number=7)
        await sender.wait(1)
    log.state(ANN_BOB).apply((PutRelation(BOB, is_blocked=True),))
    async with Lane(log=log, delivery=delivery, clock=clock) as lane:
        sender = Sender(lane)
        sender.send(number=7)
        assert await sender.seqs(1) == [1]


async def test_stranger_when_not_friends_then_refused(sender: Sender) -> None:
    sender.send(ANN_EVE)
    [outcome] = await sender.wait(1)
    assert isinstance(outcome, Forbidden)
    assert outcome.code is ErrorCode.NOT_FRIENDS


async def test_refusal_when_grant_came_from_elsewhere_then_reloaded_first(
    sender: Sender, log: MemoryLog, clock: FakeClock
) -> None:
    sender.send(ANN_EVE)
    await sender.wait(1)
    befriend(log.state(ANN_EVE), ANN, EVE)
    clock.advance(1.5)  # a refusal is remembered for a second
    sender.send(ANN_EVE)
    assert await sender.seqs(2) == [0, 1]


async def test_refusal_within_a_second_then_not_loaded_again(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send(ANN_EVE)
    await sender.wait(1)
    loads = log.loads
    sender.send(ANN_EVE)
    await sender.wait(2)
    assert log.loads == loads


async def test_refused_send_then_later_ones_of_others_go_on(sender: Sender) -> None:
    sender.send(GROUP, EVE)
    sender.send(GROUP, BOB)
    assert sorted(await sender.seqs(2)) == [0, 1]


async def test_stranger_settings_older_than_five_seconds_then_read_again(
    sender: Sender, log: MemoryLog, clock: FakeClock
) -> None:
    log.open_to_strangers.add(EVE)
    sender.send(ANN_EVE)
    await sender.wait(1)
    log.open_to_strangers.clear()
    clock.advance(5.5)
    sender.send(ANN_EVE)
    assert await sender.seqs(2) == [1, 0]


async def test_first_message_then_both_have_the_conversation_listed(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send()
    await sender.wait(1)
    assert log.listed == {(ANN, ANN_BOB), (BOB, ANN_BOB)}


async def test_log_away_for_many_batches_then_told_once_and_when_it_goes_on(
    lane: Lane, sender: Sender, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tinyqq.services.lane")
    log.faults = ["down"] * 3
    sender.send()
    assert await sender.seqs(1) == [1]
    sender.send()
    assert await sender.seqs(2) == [1, 2]
    told = [one.message for one in caplog.records if one.name.startswith("tinyqq")]
    assert told == ["lane.failure", "lane.goes_on"]


@pytest.mark.parametrize("fault", ["lost", "unknown", "down"])
async def test_append_fails_once_then_everything_is_there_once(
    sender: Sender, log: MemoryLog, delivery: RecordingDelivery, fault: str
) -> None:
    log.faults = [fault]
    for _ in range(20):
        sender.send()
        sender.send(GROUP, BOB)
    assert sorted(await sender.seqs(40)) == sorted([*range(1, 21)] * 2)
    assert_contiguous(log.entries[ANN_BOB])
    assert_contiguous(log.entries[GROUP])
    assert len({(push.conversation_id, push.seq) for push in delivery.pushes}) == 40


async def test_order_of_one_sender_survives_failures(sender: Sender, log: MemoryLog) -> None:
    log.faults = ["lost", "unknown", "lost", "down"]
    for number in range(100, 130):
        sender.send(number=number)
    await sender.wait(30)
    ids = [entry.client_message_id for entry in log.entries[ANN_BOB]]
    assert ids == [operation_id(number) for number in range(100, 130)]


async def test_inadmissible_entry_then_it_alone_is_refused(sender: Sender, log: MemoryLog) -> None:
    for text in ("a", "b", "poison", "c"):
        sender.send(text=text)
    log.poison = {b"\n\x06poison"}
    outcomes = await sender.wait(4)
    refused = [one for one in outcomes if isinstance(one, TinyQQError)]
    assert [one.code for one in refused] == [ErrorCode.INTERNAL]
    assert_contiguous(log.entries[ANN_BOB])
    assert len(log.entries[ANN_BOB]) == 3


async def test_inadmissible_entry_then_the_rest_of_its_flight_does_not_overtake_it(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send(text="a", flight=1)
    for text in ("poison", "b", "c"):
        sender.send(text=text, flight=1)
        sender.send(GROUP, text=text)
    log.poison = {b"\n\x06poison"}
    outcomes = await sender.wait(7)
    refused = [one.code for one in outcomes if isinstance(one, TinyQQError)]
    assert sorted(refused) == sorted([ErrorCode.INTERNAL] * 2 + [ErrorCode.FLIGHT_BROKEN] * 2)
    assert [len(log.entries[one]) for one in (ANN_BOB, GROUP)] == [1, 2]
    log.poison.clear()
    for text in ("poison", "b", "c"):
        sender.send(text=text, flight=2)
    assert (await sender.seqs(10))[7:] == [2, 3, 4]


async def test_database_gone_then_refused_with_unavailable(
    log: MemoryLog, delivery: RecordingDelivery
) -> None:
    log.faults = ["down"] * 1000
    limits = LaneLimits(give_up_s=0.0)
    async with Lane(log=log, delivery=delivery, clock=FakeClock(), limits=limits) as lane:
        sender = Sender(lane)
        sender.send()
        [outcome] = await sender.wait(1)
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after_s > 0
    assert delivery.pushes == []


async def test_full_lane_then_busy_at_once(log: MemoryLog, delivery: RecordingDelivery) -> None:
    limits = LaneLimits(max_pending_entries=3)
    async with Lane(log=log, delivery=delivery, clock=FakeClock(), limits=limits) as lane:
        sender = Sender(lane)
        for _ in range(4):
            sender.send()
        [busy] = sender.outcomes
        assert isinstance(busy, Unavailable)
        assert busy.code is ErrorCode.BUSY
        assert await sender.seqs(4) == [0, 1, 2, 3]


async def test_batch_is_bounded_in_entries_and_bytes(
    log: MemoryLog, delivery: RecordingDelivery
) -> None:
    limits = LaneLimits(max_batch_entries=10, max_batch_bytes=1500)
    async with Lane(log=log, delivery=delivery, clock=FakeClock(), limits=limits) as lane:
        sender = Sender(lane)
        for _ in range(12):
            sender.send(text="x" * 200)
        await sender.wait(12)
    assert log.batches == [4, 4, 4]


async def test_leaving_the_lane_then_pending_is_committed_and_new_refused(
    log: MemoryLog, delivery: RecordingDelivery
) -> None:
    async with Lane(log=log, delivery=delivery, clock=FakeClock()) as lane:
        sender = Sender(lane)
        sender.send()
    sender.send()
    outcomes = await sender.wait(2)
    assert isinstance(outcomes[0], Change)
    assert isinstance(outcomes[1], Unavailable)


def block(state: ConversationState, now_ms: int) -> Plan:
    """A rule for tests: Bob blocks Ann."""
    if state.relation(BOB).is_blocked:
        raise Forbidden(ErrorCode.FORBIDDEN)
    return Plan(Kind.BLOCKED, effects=(PutRelation(BOB, is_blocked=True),), lists=(BOB,))


async def test_change_then_effects_hold_for_the_next_draft(lane: Lane, sender: Sender) -> None:
    change = await lane.change(ANN_BOB, BOB, operation_id(), block)
    sender.send()
    assert change.entry.kind == Kind.BLOCKED
    assert await sender.seqs(1) == [0]


async def test_change_repeated_then_first_outcome_though_the_rule_now_refuses(
    lane: Lane, log: MemoryLog
) -> None:
    key = operation_id()
    first = await lane.change(ANN_BOB, BOB, key, block)
    again = await lane.change(ANN_BOB, BOB, key, block)
    assert (again.entry, again.is_repeat) == (first.entry, True)
    assert len(log.entries[ANN_BOB]) == 1


async def test_change_refused_by_rule_then_raises(lane: Lane) -> None:
    await lane.change(ANN_BOB, BOB, operation_id(), block)
    with pytest.raises(Forbidden):
        await lane.change(ANN_BOB, BOB, operation_id(), block)


async def test_bug_below_the_lane_then_refused_and_the_lane_goes_on(
    delivery: RecordingDelivery,
) -> None:
    class BrokenLog(MemoryLog):
        async def load(
            self, conversation_ids: Sequence[ConversationId]
        ) -> dict[ConversationId, ConversationState]:
            raise ZeroDivisionError

    limits = LaneLimits(give_up_s=0.0)
    async with Lane(log=BrokenLog(), delivery=delivery, clock=FakeClock(), limits=limits) as lane:
        sender = Sender(lane)
        for _ in range(2):
            sender.send()
            await sender.wait(1)
        assert await sender.seqs(2) == [0, 0]


async def test_answer_that_fails_then_the_others_are_answered(
    lane: Lane, sender: Sender, log: MemoryLog
) -> None:
    def broken(outcome: object) -> None:
        raise ZeroDivisionError

    lane.submit(Draft(ANN_BOB, ANN, operation_id(), broken, Kind.TEXT))
    sender.send()
    assert await sender.seqs(1) == [2]


async def test_refusal_when_state_is_new_but_was_read_before_the_grant_then_read_again(
    sender: Sender, log: MemoryLog
) -> None:
    sender.send(GROUP, BOB)  # the state is here now
    await sender.wait(1)
    make_group(log.state(GROUP), ANN, BOB, EVE)
    sender.send(GROUP, EVE)
    assert await sender.seqs(2) == [1, 2]


async def test_answer_that_fails_when_it_is_a_refusal_then_the_lane_goes_on(
    lane: Lane, sender: Sender
) -> None:
    def broken(outcome: object) -> None:
        raise ZeroDivisionError

    lane.submit(Draft(ANN_EVE, ANN, operation_id(), broken, Kind.TEXT))
    sender.send()
    assert await sender.seqs(1) == [1]
    sender.send()
    assert await sender.seqs(2) == [1, 2]


async def test_commits_when_batches_are_written_then_each_is_timed(
    log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock
) -> None:
    commits = Timing()
    async with Lane(log=log, delivery=delivery, clock=clock, commits=commits) as lane:
        sender = Sender(lane)
        for _ in range(3):
            sender.send()
        await sender.wait(3)
        assert commits.count == len(log.batches) == 1
