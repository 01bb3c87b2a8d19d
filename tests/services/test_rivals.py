"""Rivals: what has moved stands aside and comes back, and nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    GROUP,
    FakeHome,
    RecordingDelivery,
    as_sent,
    clock,
    delivery,
    log,
    operation_id,
)

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.conversation import ConversationState, Plan
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Kind
from tinyqq.services.answers import Answers
from tinyqq.services.contention import Contention
from tinyqq.services.gathering import Gathering
from tinyqq.services.numbering import Change, Draft, Numbering
from tinyqq.services.rivals import GATHER_AFTER, Rivals
from tinyqq.services.waiting import Waiting
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog

__all__ = ["clock", "delivery", "log"]
GIVE_UP_S = 10.0


class World:
    """The rivals of a lane that knows two conversations, and does nothing by itself."""

    def __init__(self, answers: Answers, numbering: Numbering, clock: FakeClock) -> None:
        self.clock = clock
        self.waiting = Waiting(
            max_batch_entries=10, max_batch_bytes=10_000, max_entries=10, max_bytes=10_000
        )
        self.woken = asyncio.Event()
        self.home = FakeHome()
        self.numbering = numbering
        self.outcomes: list[Change | TinyQQError] = []
        self.rivals = Rivals(
            waiting=self.waiting,
            numbering=numbering,
            contention=Contention(draw=lambda: 0.0, look_every_s=0.0),
            answers=answers,
            gathering=Gathering(
                find_home=self.home.find,
                answers=answers,
                clock=clock,
                take_back=lambda _: None,
                rest_s=0.0,
            ),
            clock=clock,
            give_up_s=GIVE_UP_S,
            wake=self.woken.set,
        )

    def lose(self, drafts: Sequence[Draft]) -> None:
        """Come second so often that the last time it is a reason to hand over; *drafts* are those
        of the last time."""
        for _ in range(GATHER_AFTER - 1):
            self.rivals.lost(ANN_BOB, [])
        assert self.home.sends == []
        self.rivals.lost(ANN_BOB, drafts)

    def draft(self, conversation_id: ConversationId) -> Draft:
        return Draft(conversation_id, ANN, operation_id(), self.outcomes.append, Kind.TEXT)


@pytest.fixture
def world(log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock) -> World:
    numbering = Numbering(max_weight=10, max_recent=10)
    states = [ConversationState(one, head_seq=Seq(5)) for one in (ANN_BOB, GROUP)]
    numbering.learn(states, clock.monotonic())
    answers = Answers(log=log, numbering=numbering, delivery=delivery)
    return World(answers, numbering, clock)


async def test_part_when_a_head_has_moved_then_its_drafts_wait_and_come_back_in_order(
    world: World,
) -> None:
    moved, other = [world.draft(ANN_BOB) for _ in range(2)], world.draft(GROUP)
    others = world.rivals.part([moved[0], other, moved[1]], {ANN_BOB: Seq(4), GROUP: Seq(5)})
    assert (others, world.waiting.take(), len(world.rivals)) == ([other], [], 1)
    async with asyncio.timeout(10):
        await world.woken.wait()
    assert world.waiting.take() == moved


async def test_lost_every_time_for_too_long_then_refused_with_all_that_waits(world: World) -> None:
    world.rivals.lost(ANN_BOB, [world.draft(ANN_BOB)])
    world.waiting.append(world.draft(ANN_BOB))
    world.clock.advance(GIVE_UP_S + 1)
    world.rivals.lost(ANN_BOB, [])
    assert [type(one) for one in world.outcomes] == [Unavailable, Unavailable]
    assert len(world.waiting) == 0


async def test_won_where_somebody_else_writes_then_what_comes_waits(world: World) -> None:
    world.rivals.lost(ANN_BOB, [world.draft(ANN_BOB)])
    async with asyncio.timeout(10):
        await world.woken.wait()
    assert len(world.waiting.take()) == 1  # it stands aside no more
    world.rivals.won([ANN_BOB, GROUP], 0.0)
    drafts = [world.draft(one) for one in (ANN_BOB, GROUP)]
    for draft in drafts:
        world.waiting.append(draft)
    assert world.waiting.take() == drafts[1:]


async def test_trim_when_nobody_was_seen_for_long_then_no_more_pauses(world: World) -> None:
    world.rivals.lost(ANN_BOB, [])
    world.clock.advance(5)
    world.rivals.trim()
    assert len(world.rivals) == 0


async def test_lost_again_and_again_then_handed_over_with_all_that_waits(world: World) -> None:
    first, foreign, last = as_sent(world.draft(ANN_BOB)), world.draft(ANN_BOB), world.draft(ANN_BOB)
    world.waiting.append(as_sent(last))
    world.lose([first, foreign])
    assert [one.client_message_id for one in world.home.sends] == [
        first.operation_id,
        last.operation_id,
    ]
    world.waiting.come_back(ANN_BOB)
    assert world.waiting.take() == [foreign]


async def test_lost_again_and_again_when_a_change_waits_then_not_handed_over(world: World) -> None:
    drafts = [as_sent(world.draft(ANN_BOB)), world.draft(ANN_BOB)]
    drafts[1].rule = lambda *_: Plan(Kind.FRIEND_ADDED)
    world.lose(drafts)
    assert world.home.sends == []
    world.waiting.come_back(ANN_BOB)
    assert world.waiting.take() == drafts


async def test_lost_again_and_again_when_its_flight_is_broken_then_not_handed_over(
    world: World,
) -> None:
    before, behind = world.draft(ANN_BOB), as_sent(world.draft(ANN_BOB))
    before.flight = behind.flight = 1
    world.numbering.refused(before, Unavailable(ErrorCode.BUSY))
    world.lose([behind])
    assert world.home.sends == []
