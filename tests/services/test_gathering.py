"""Gathering: handed over in order, taken back in order, and nothing forgotten."""

from __future__ import annotations

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

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable
from tinyqq.model.conversation import Plan
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Kind, Sent
from tinyqq.ports.services import Home, Send
from tinyqq.services.answers import Answers
from tinyqq.services.gathering import GATHER_S, Gathering, nowhere
from tinyqq.services.numbering import Change, Draft, Numbering
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog

__all__ = ["clock", "delivery", "log"]
REST_S = 10.0
BROKEN = Unavailable(ErrorCode.UNAVAILABLE)


class World:
    """What a lane has handed over to a home, and taken back."""

    def __init__(self, answers: Answers, clock: FakeClock) -> None:
        self.clock = clock
        self.home = FakeHome()
        self.back: list[Draft] = []
        self.outcomes: list[Change | TinyQQError] = []
        self.gathering = Gathering(
            find_home=self.home.find,
            answers=answers,
            clock=clock,
            take_back=self.back.extend,
            rest_s=REST_S,
        )

    def draft(self) -> Draft:
        """A message of a client here."""
        return as_sent(Draft(GROUP, ANN, operation_id(), self.outcomes.append, Kind.TEXT))

    def change(self) -> Draft:
        """A notice by a rule."""
        rule = lambda *_: Plan(Kind.MEMBER_LEFT)  # noqa: E731
        return Draft(GROUP, ANN, operation_id(), self.outcomes.append, rule=rule)

    def begin(self, number: int) -> list[Draft]:
        """Hand over a conversation with so many drafts."""
        drafts = [self.draft() for _ in range(number)]
        self.gathering.begin(GROUP, self.home, drafts)
        return drafts

    def find_home(self) -> Home | None:
        return self.gathering.find_home(GROUP)

    def sent(self) -> list[bytes]:
        """What the home has not answered."""
        return [send.client_message_id for send in self.home.sends]


def ids(drafts: Sequence[Draft]) -> list[bytes]:
    return [draft.operation_id for draft in drafts]


def written(seq: int) -> Sent:
    return Sent(Seq(seq), seq, 1)


@pytest.fixture
def world(log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock) -> World:
    numbering = Numbering(max_weight=1, max_recent=1)
    return World(Answers(log=log, numbering=numbering, delivery=delivery), clock)


def test_begin_then_handed_over_in_order_and_answered(world: World) -> None:
    drafts = world.begin(2)
    later = world.draft()
    assert world.gathering.take(later)
    assert world.sent() == ids([*drafts, later])
    for seq in (7, 8, 9):
        world.home.answer(written(seq))
    entries = [one.entry for one in world.outcomes if isinstance(one, Change)]
    assert [entry.seq for entry in entries] == [7, 8, 9]
    assert [entry.client_message_id for entry in entries] == ids([*drafts, later])


def test_take_when_the_conversation_is_not_handed_over_then_the_lanes(world: World) -> None:
    assert not world.gathering.take(world.draft())


def test_take_when_it_came_from_another_node_then_the_lanes(world: World) -> None:
    world.begin(1)
    assert not world.gathering.take(Draft(GROUP, ANN, operation_id(), world.outcomes.append))


def test_refused_for_good_then_the_others_go_on(world: World) -> None:
    world.begin(2)
    world.home.answer(Forbidden(ErrorCode.FORBIDDEN))
    world.home.answer(written(1))
    assert [type(one) for one in world.outcomes] == [Forbidden, Change]
    assert (world.back, len(world.gathering)) == ([], 1)


def test_refused_for_now_then_all_without_an_answer_are_taken_back_in_order(world: World) -> None:
    drafts = world.begin(3)
    world.home.answer(written(1))
    send = world.home.sends[1]
    world.home.answer(BROKEN)
    send.answer(written(3))  # too late: the lane finds it in the log
    assert ids(world.back) == ids(drafts[1:])
    assert len(world.outcomes) == 1
    assert not world.gathering.take(world.draft())


def test_refused_for_now_then_not_handed_over_again_for_a_while(world: World) -> None:
    world.begin(1)
    world.home.answer(BROKEN)
    assert world.find_home() is None
    assert world.gathering.find_home(ANN_BOB) is world.home
    world.clock.advance(REST_S)
    assert world.find_home() is world.home


class DownHome(FakeHome):
    """Its link is broken: it refuses at once."""

    def send(self, send: Send) -> None:
        super().send(send)
        send.answer(BROKEN)


def test_begin_when_refused_at_once_then_all_are_taken_back_once(world: World) -> None:
    world.home = DownHome()
    drafts = world.begin(3)
    assert ids(world.back) == ids(drafts)
    assert world.sent() == ids(drafts[:1])  # what is behind it must not overtake it
    assert len(world.gathering) == 0


def test_change_then_it_waits_for_what_is_before_it_and_holds_what_is_behind(world: World) -> None:
    world.begin(2)
    behind = [world.change(), world.draft()]
    assert all(world.gathering.take(draft) for draft in behind)
    world.home.answer(written(1))
    assert world.back == []
    world.home.answer(written(2))
    assert world.back == behind
    assert len(world.gathering) == 0


def test_change_when_nothing_is_unanswered_then_the_lanes_at_once(world: World) -> None:
    world.begin(1)
    world.home.answer(written(1))
    assert not world.gathering.take(world.change())
    assert len(world.gathering) == 0


def test_refused_for_now_when_something_is_held_then_it_stays_behind(world: World) -> None:
    drafts = world.begin(1)
    change = world.change()
    world.gathering.take(change)
    world.home.answer(BROKEN)
    assert world.back == [*drafts, change]


def test_home_that_closes_then_no_more_is_handed_over(world: World) -> None:
    world.begin(1)
    world.home.is_open = False
    draft = world.draft()
    assert world.gathering.take(draft)
    assert len(world.home.sends) == 1
    world.home.answer(written(1))
    assert world.back == [draft]


def test_long_ago_then_the_lane_tries_again(world: World) -> None:
    world.begin(1)
    world.home.answer(written(1))
    world.clock.advance(GATHER_S)
    assert not world.gathering.take(world.draft())
    assert world.find_home() is world.home


def test_trim_when_quiet_for_long_then_forgotten(world: World) -> None:
    world.begin(1)
    world.clock.advance(GATHER_S)
    world.gathering.trim()
    assert len(world.gathering) == 1  # one has no answer
    world.home.answer(written(1))
    world.gathering.trim()
    assert len(world.gathering) == 0


def test_close_then_only_what_has_no_answer_is_waited_for(world: World) -> None:
    world.begin(1)
    world.gathering.begin(ANN_BOB, world.home, [])
    world.gathering.close()
    assert len(world.gathering) == 1
    world.home.answer(written(1))
    assert len(world.gathering) == 0
    assert world.find_home() is None


def test_nowhere_then_no_home() -> None:
    assert nowhere(ConversationId(1)) is None
