"""The map of connections: opened on first use, kept, closed when the node goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.support.gateway import entry_push, until
from tests.support.nodes import (
    CALLER,
    CHAT,
    FAR,
    NEAR,
    QUICK,
    FarNode,
    Outcomes,
    open_pair,
    own_tasks,
)
from tests.support.relay import relay_to

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import ErrorCode, Forbidden
from tinyqq.model.figures import LinkFigures
from tinyqq.model.friend import ListContacts
from tinyqq.model.ids import UnitId
from tinyqq.rpc.mapping import SEEN, caller_to
from tinyqq.rpc.status import NodeFailed
from tinyqq.wire.packets import PacketType, encode

SEEN_CALL = pb.CallRequest(type=SEEN, caller=caller_to(CALLER))
CONTACTS_CALL = pb.CallRequest(
    type=PacketType.LIST_CONTACTS, caller=caller_to(CALLER), body=encode(ListContacts())
)


async def test_to_when_there_is_no_such_unit_then_none() -> None:
    far = FarNode()
    async with far.links() as links:
        assert links.to(UnitId("nowhere")) is None
        assert links.to(NEAR) is None
        with pytest.raises(NodeFailed):
            await links.call(FAR, SEEN_CALL, timeout_s=1)


async def test_to_when_the_unit_has_no_address_for_peers_then_none() -> None:
    far = FarNode()
    await far.registry.register(far.node)
    async with far.links() as links:
        assert links.to(FAR) is None


async def test_to_when_it_is_this_node_then_none() -> None:
    far = FarNode()
    await far.registry.register(replace(far.node, unit_id=NEAR, internal="127.0.0.1:1"))
    async with far.links() as links:
        assert links.to(NEAR) is None


async def test_peer_when_asked_for_twice_then_the_same() -> None:
    far = FarNode()
    async with far.listen(), far.links() as links:
        assert links.peer(FAR) is links.peer(FAR)
        assert links.counters()["open"] == 1


async def test_peer_when_the_node_goes_then_closed_and_its_figures_kept() -> None:
    far = FarNode()
    async with far.listen(), far.links() as links:
        link = links.to(FAR)
        assert link is not None
        link.push([entry_push(CHAT, 1)])
        await until(lambda: bool(far.unit.got))
        await far.registry.unregister()
        assert links.to(FAR) is None
        figures = links.counters()
        assert (figures["open"], figures["delivery_batches_total"]) == (0, 1)
        assert "deliveries_waiting" not in figures


async def test_peer_when_the_node_starts_again_then_another_link() -> None:
    far = FarNode()
    async with far.links() as links:
        async with far.listen("first"):
            first = links.peer(FAR)
        async with far.listen("second"):
            second = links.peer(FAR)
            assert second is not None
            assert second is not first
            second.deliveries.push([entry_push(CHAT, 1)])
            await until(lambda: bool(far.unit.got))


async def test_peer_when_only_the_load_changes_then_the_same() -> None:
    far = FarNode()
    async with far.listen(), far.links() as links:
        first = links.peer(FAR)
        await far.registry.register(replace(far.node, load=0.7, draining=True))
        assert links.peer(FAR) is first


async def test_call_when_answered_then_the_caller_came_along() -> None:
    async with open_pair() as (far, peer):
        await peer.call(SEEN_CALL, timeout_s=30)
        assert far.fakes.user.calls == [("seen", CALLER, None)]
        assert peer.counters()["calls_total"] == 1


async def test_call_when_refused_then_the_refusal_is_typed() -> None:
    async with open_pair() as (far, peer):
        far.fakes.friend.replies["list_contacts"] = Forbidden(ErrorCode.BLOCKED, user_id=5)
        with pytest.raises(Forbidden) as caught:
            await peer.call(CONTACTS_CALL, timeout_s=30)
    assert (caught.value.code, caught.value.fields) == (ErrorCode.BLOCKED, {"user_id": "5"})


async def test_call_when_its_time_is_up_then_the_far_side_gives_up_too() -> None:
    given_up = asyncio.Event()

    async def never(*_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    async with open_pair() as (far, peer):
        await peer.call(SEEN_CALL, timeout_s=30)
        far.fakes.friend.replies["list_contacts"] = never
        while not far.fakes.friend.calls:  # a machine that is held up may not even get there
            with pytest.raises(NodeFailed) as caught:
                await peer.call(CONTACTS_CALL, timeout_s=0.2)
            assert caught.value.code is ErrorCode.TIMED_OUT
        await until(given_up.is_set)


async def test_call_when_nobody_listens_then_a_failed_node() -> None:
    far = FarNode()
    await far.show("127.0.0.1:1")
    async with far.links() as links:
        with pytest.raises(NodeFailed) as caught:
            await links.call(FAR, SEEN_CALL, timeout_s=30)
    assert caught.value.code is ErrorCode.UNAVAILABLE


async def test_call_when_the_connection_breaks_then_a_failed_node_at_once() -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    far = FarNode()
    far.fakes.friend.replies["list_contacts"] = never
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links, asyncio.TaskGroup() as group:
            call = group.create_task(_outcome(links.call(FAR, CONTACTS_CALL, timeout_s=60)))
            await until(lambda: bool(far.fakes.friend.calls))
            relay.cut()
            async with asyncio.timeout(30):
                assert isinstance(await call, NodeFailed)


async def test_call_when_the_links_close_then_a_failed_node() -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    far = FarNode(limits=replace(QUICK, stop_s=0.1))
    far.fakes.friend.replies["list_contacts"] = never
    async with far.listen(), asyncio.TaskGroup() as group:
        async with far.links() as links:
            call = group.create_task(_outcome(links.call(FAR, CONTACTS_CALL, timeout_s=60)))
            await until(lambda: bool(far.fakes.friend.calls))
        async with asyncio.timeout(30):
            assert isinstance(await call, NodeFailed)


async def test_links_when_opened_and_closed_many_times_then_no_task_is_left() -> None:
    before = own_tasks()
    far, outcomes = FarNode(), Outcomes()
    async with far.listen():
        for number in range(10):
            async with far.links() as links:
                peer = links.peer(FAR)
                assert peer is not None
                peer.sends.send(outcomes.send(number))
                peer.deliveries.push([entry_push(CHAT, number + 1)])
                await until(lambda number=number: len(outcomes.by_number) > number)  # type: ignore[misc]  # bound now
    assert len(far.unit.got) == 10
    await until(lambda: own_tasks() <= before)


async def test_peer_when_another_process_has_the_address_then_another_link() -> None:
    far = FarNode()
    async with far.listen(), far.links() as links:
        first = links.peer(FAR)
        await far.registry.register(replace(far.node, incarnation="second"))
        assert links.peer(FAR) is not first


async def _outcome(call: object) -> object:
    try:
        return await call  # type: ignore[misc]  # a coroutine
    except NodeFailed as error:
        return error


async def test_figures_when_something_went_over_a_link_then_told_by_node() -> None:
    async with open_pair() as (far, peer):
        peer.deliveries.push([entry_push(CHAT, 1), entry_push(CHAT, 2)])
        peer.sends.send(Outcomes().send(1))
        await until(lambda: bool(len(far.unit.got) == 2 and far.fakes.chat.sends))
        await peer.call(SEEN_CALL, timeout_s=30)
        assert peer.figures() == LinkFigures(
            to=FAR, deliveries=2, sends=1, calls=1, breaks=0, waiting=0
        )
