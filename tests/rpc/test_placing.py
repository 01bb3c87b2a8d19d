"""Sends go to the node of their conversation, and stay there while one is unanswered."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.support.dispatching import OWN, FakeLinks, Picture, node
from tests.support.nodes import Outcomes

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import Seq, UnitId
from tinyqq.model.message import Sent
from tinyqq.rpc.placing import MAX_HELD, Placing
from tinyqq.rpc.status import failed

SENT = Sent(Seq(1), 1, 1)


class World:
    """Three nodes of role chat."""

    def __init__(self, *names: str) -> None:
        self.picture = Picture(*(node(name, "chat") for name in names))
        self.links = FakeLinks(*names)
        self.placing = Placing(own=OWN, registry=self.picture, links=self.links.links)
        self.outcomes = Outcomes()
        self._last = 0

    def send(self, conversation_id: int = 10_000) -> UnitId | None:
        """Where a send goes."""
        before = {name: len(peer.taken) for name, peer in self.links.peers.items()}
        self._last += 1
        self.placing.send(self.outcomes.send(self._last, conversation_id=conversation_id))
        after = {name: len(peer.taken) for name, peer in self.links.peers.items()}
        return next((name for name in after if after[name] > before[name]), None)

    def answer_all(self) -> None:
        """Answer every send."""
        for peer in self.links.peers.values():
            for send in peer.taken:
                send.answer(SENT)
            peer.taken.clear()


def test_send_when_repeated_then_always_to_the_same_node() -> None:
    world = World("a", "b", "c")
    places = set()
    for _ in range(10):
        places.add(world.send())
        world.answer_all()
    assert len(places) == 1
    assert len(world.outcomes.by_number) == 10


def test_send_when_there_are_many_conversations_then_shared_out() -> None:
    world = World("a", "b", "c")
    counts = Counter(world.send(number) for number in range(10_000, 10_300))
    assert all(count > 50 for count in counts.values())
    assert len(counts) == 3


def test_send_when_one_is_unanswered_then_later_ones_follow_it_whatever_happens() -> None:
    world = World("a", "b", "c")
    first = world.send()
    assert first is not None
    for _ in range(100):
        assert world.send() == first
    world.links.peers[first].is_well = False
    assert world.send() == first
    world.answer_all()
    assert world.placing.counters() == {"busy_conversations": 0}
    assert world.send() not in {first, None}


def leaving(world: World) -> UnitId:
    """The node that has a send and drains, while two more wait."""
    first = world.send()
    assert first is not None
    nodes = (node(name, "chat", draining=name == first) for name in world.links.peers)
    world.picture.show(*nodes)
    assert [world.send(), world.send()] == [None, None]
    return first


def test_send_when_its_node_leaves_then_waits_for_the_ones_before_and_goes_elsewhere() -> None:
    world = World("a", "b", "c")
    first = leaving(world)
    world.links.peers[first].taken.pop().answer(SENT)
    [second] = (name for name, peer in world.links.peers.items() if peer.taken)
    assert second != first
    world.answer_all()
    assert world.outcomes.by_number == [(1, SENT), (2, SENT), (3, SENT)]
    assert world.placing.counters() == {"busy_conversations": 0}


def test_send_when_it_waits_behind_one_that_is_refused_then_refused_too() -> None:
    world = World("a", "b", "c")
    first = leaving(world)
    world.links.peers[first].taken.pop().answer(Unavailable(ErrorCode.BUSY))
    assert [type(outcome) for _, outcome in world.outcomes.by_number] == [Unavailable] * 3
    assert world.send() not in {first, None}


def test_send_when_too_many_wait_then_refused() -> None:
    world = World("a", "b")
    leaving(world)
    for _ in range(MAX_HELD):
        world.send()
    assert [type(one) for _, one in world.outcomes.by_number] == [Unavailable, Unavailable]


def test_send_when_its_node_fails_then_to_be_repeated_soon_if_there_is_another() -> None:
    waits: list[float] = []
    for names in ("ab", "a"):
        world = World(*names)
        first = world.send()
        assert first is not None
        world.links.peers[first].is_usable = world.links.peers[first].is_well = False
        world.links.peers[first].taken.pop().answer(failed())
        outcome = world.outcomes.by_number[0][1]
        assert isinstance(outcome, Unavailable)
        waits.append(outcome.retry_after_s)
    assert waits[0] < 0.1 < waits[1]


def test_send_when_its_node_has_failed_lately_then_others_go_first() -> None:
    world = World("a", "b")
    first = world.send()
    assert first is not None
    world.answer_all()
    world.links.peers[first].is_well = False
    assert world.send() not in {first, None}
    world.answer_all()
    for peer in world.links.peers.values():
        peer.is_well = False
    assert world.send() == first


def test_send_when_its_node_cannot_be_used_then_another() -> None:
    world = World("a", "b", "c")
    first = world.send()
    assert first is not None
    world.answer_all()
    world.links.peers[first].is_usable = world.links.peers[first].is_well = False
    assert world.send() not in {first, None}


@pytest.mark.parametrize("names", [(), ("own",)])
def test_send_when_there_is_no_node_then_unavailable(names: tuple[str, ...]) -> None:
    world = World(*names)
    assert world.send() is None
    assert isinstance(world.outcomes.by_number[0][1], Unavailable)


def test_send_when_its_node_has_gone_with_a_send_then_unavailable_until_that_is_answered() -> None:
    world = World("a", "b", "c")
    first = world.send()
    assert first is not None
    gone = world.links.peers.pop(first)
    assert world.send() is None
    assert isinstance(world.outcomes.by_number[0][1], Unavailable)
    gone.taken[0].answer(SENT)
    assert world.send() not in {first, None}


def test_send_when_a_node_has_far_more_than_the_others_then_new_conversations_go_elsewhere() -> (
    None
):
    world = World("a", "b", "c")
    first = world.send()
    for _ in range(1000):
        world.send()
    assert first not in {world.send(number) for number in range(10_001, 10_100)}
    world.answer_all()
    assert first in {world.send(number) for number in range(10_001, 10_100)}
