"""From a role to a node: sharing out, avoiding, trying elsewhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.support.dispatching import OWN, FakeLinks, Picture, node
from tests.support.nodes import CALLER

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import ErrorCode, Forbidden, Unavailable
from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.model.message import Mark
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.dispatch import MAX_TRIES, Dispatch
from tinyqq.rpc.mapping import SEEN
from tinyqq.rpc.select import FIRST_PENALTY_S
from tinyqq.rpc.status import NodeFailed
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.packets import PacketType

READ = pb.CallRequest(type=PacketType.GET_PROFILE)
NOT_TWICE = pb.CallRequest(type=PacketType.CHANGE_PASSWORD)


class World:
    """A dispatch over fake links."""

    def __init__(self, *names: str, **fields: Any) -> None:
        self.picture = Picture(*(node(name, "user", **fields) for name in names))
        self.links = FakeLinks(*names)
        self.clock = FakeClock()
        self.dispatch = Dispatch(
            own=OWN, registry=self.picture, links=self.links.links, clock=self.clock
        )

    async def calls(self, count: int) -> Counter[str]:
        """Who answers so many calls."""
        replies = [await self.dispatch.call("user", READ) for _ in range(count)]
        return Counter(reply.body.decode() for reply in replies)


async def test_call_when_there_are_several_nodes_then_shared_out() -> None:
    counts = await World("a", "b", "c").calls(300)
    assert all(counts[name] > 50 for name in "abc")


async def test_call_when_a_third_joins_two_loaded_ones_then_it_gets_most() -> None:
    world = World("a", "b", "c", load=0.8)
    world.picture.show(*(node(name, "user", load=0.8) for name in "ab"))
    await world.calls(10)
    world.picture.show(*(node(name, "user", load=0.8) for name in "ab"), node("c", "user"))
    assert (await world.calls(300))["c"] > 150


@pytest.mark.parametrize(
    "other",
    [node("b", "chat"), node("b", "user", draining=True), node("own", "user")],
)
async def test_call_when_a_node_may_not_be_asked_then_it_is_not(other: Any) -> None:
    world = World("a", "b", "own")
    world.picture.show(node("a", "user"), other)
    assert await world.calls(50) == {"a": 50}


async def test_call_when_there_is_no_node_then_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        await World().dispatch.call("user", READ)
    assert caught.value.retry_after_s > 0


async def test_call_when_a_node_fails_then_tried_elsewhere_and_it_is_avoided() -> None:
    world = World("a", "b")
    world.links.down = {UnitId("a")}
    assert await world.calls(100) == {"b": 100}
    assert world.links.called.count(UnitId("a")) == 1
    assert world.dispatch.counters() == {
        "retries_total": 1,
        "calls_total{node=a}": 1,
        "calls_total{node=b}": 100,
        "user_in_flight{node=a}": 0,
        "user_in_flight{node=b}": 0,
        "user_load{node=a}": 0,
        "user_load{node=b}": 0,
        "user_open{node=a}": 0,
        "user_open{node=b}": 1,
    }


async def test_counters_when_a_node_has_gone_then_it_is_no_longer_told_of() -> None:
    world = World("a", "b")
    await world.calls(50)
    world.picture.show(node("b", "user"))
    assert not [name for name in world.dispatch.counters() if "node=a" in name]


async def test_call_when_the_failed_node_is_back_then_asked_again_after_its_time() -> None:
    world = World("a", "b")
    world.links.down = {UnitId("a")}
    await world.calls(50)
    world.links.down = set()
    assert (await world.calls(50))["a"] == 0
    world.clock.advance(FIRST_PENALTY_S)
    assert (await world.calls(50))["a"] > 10


async def test_call_when_it_may_not_be_repeated_then_not_tried_elsewhere() -> None:
    world = World("a", "b")
    world.links.down = {UnitId("a"), UnitId("b")}
    with pytest.raises(NodeFailed):
        await world.dispatch.call("user", NOT_TWICE)
    assert len(world.links.called) == 1


async def test_call_when_all_fail_then_given_up() -> None:
    names = "abcdef"
    world = World(*names)
    world.links.down = {UnitId(name) for name in names}
    with pytest.raises(NodeFailed):
        await world.dispatch.call("user", pb.CallRequest(type=SEEN))
    assert len(set(world.links.called)) == MAX_TRIES


async def test_call_when_refused_then_the_node_has_not_failed() -> None:
    world = World("a", "b")

    async def refuse(_: UnitId) -> pb.CallReply:
        raise Forbidden(ErrorCode.FORBIDDEN)

    world.links.answer = refuse
    for _ in range(20):
        with pytest.raises(Forbidden):
            await world.dispatch.call("user", READ)
    assert set(world.links.called) == {UnitId("a"), UnitId("b")}
    assert len(world.links.called) == 20


async def test_call_when_cancelled_then_the_node_has_not_failed() -> None:
    world = World("a")

    async def never(_: UnitId) -> pb.CallReply:
        await asyncio.Event().wait()
        raise AssertionError

    world.links.answer = never
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await world.dispatch.call("user", READ)
    world.links.answer = None
    assert await world.calls(1) == {"a": 1}


def test_note_when_there_is_a_node_then_put_on_its_way() -> None:
    world = World("a")
    note = Note(PacketType.MARK, CALLER, Mark(ConversationId(10_000)))
    world.dispatch.note("user", note)
    world.dispatch.note("offline", note)
    assert world.links.peers[UnitId("a")].notes == [note]
