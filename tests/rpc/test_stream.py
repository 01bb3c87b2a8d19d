"""What both streams have in common, shown on the simpler of the two."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.support.gateway import entry_push, until
from tests.support.nodes import (
    CHAT,
    CREDENTIALS,
    FAR,
    QUICK,
    FarNode,
    open_channel,
    open_pair,
    own_tasks,
)
from tests.support.relay import relay_to

from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.errors import ErrorCode
from tinyqq.rpc.stream import end


async def test_stream_when_nothing_is_to_be_written_then_not_opened() -> None:
    async with open_pair() as (_, peer):
        await asyncio.sleep(0)
        assert (peer.deliveries.opened, peer.sends.opened) == (0, 0)


async def test_stream_when_used_again_and_again_then_opened_once() -> None:
    async with open_pair() as (far, peer):
        for seq in range(1, 6):
            peer.deliveries.push([entry_push(CHAT, seq)])
            await until(lambda seq=seq: len(far.unit.got) == seq)  # type: ignore[misc]  # bound now
        assert (peer.deliveries.opened, peer.deliveries.batches) == (1, 5)


async def test_stop_when_the_peer_hangs_then_it_ends_in_time() -> None:
    far = FarNode(limits=replace(QUICK, stop_s=0.2))
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with asyncio.timeout(30), far.links() as links:
            link = links.to(FAR)
            assert link is not None
            link.push([entry_push(CHAT, 1)])
            await until(lambda: bool(far.unit.got))
            relay.loses_answers = True


async def test_stop_when_it_is_waiting_to_try_again_then_it_ends_at_once() -> None:
    far = FarNode(limits=replace(QUICK, first_wait_s=60.0, last_wait_s=60.0))
    await far.show("127.0.0.1:1")
    async with asyncio.timeout(30), far.links() as links:
        link = links.to(FAR)
        assert link is not None
        link.push([entry_push(CHAT, 1)])
        await until(lambda: bool(links.counters()["delivery_breaks_total"]))


async def test_stream_when_it_cannot_be_opened_for_long_then_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    far = FarNode(limits=replace(QUICK, first_wait_s=0.01, last_wait_s=0.01))
    await far.show("127.0.0.1:1")
    async with far.links() as links:
        link = links.to(FAR)
        assert link is not None
        link.push([entry_push(CHAT, 1)])
        await until(lambda: links.counters()["delivery_breaks_total"] >= 3)
    broken = [one for one in caplog.records if one.message == "link.broken"]
    assert len(broken) == 1
    assert ErrorCode.UNAVAILABLE.name in vars(broken[0])["reason"]


async def test_end_when_the_call_is_open_then_nothing_of_it_is_left() -> None:
    before = own_tasks()
    async with FarNode().listen() as server, open_channel(server.port) as channel:
        call = NodeStub(channel).Link(metadata=CREDENTIALS.metadata)
        await call.read()
        await end(call)
        assert call.done()
    await until(lambda: own_tasks() <= before)


async def test_stream_when_an_item_cannot_be_written_then_only_that_one_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_pair() as (far, peer):
        peer.deliveries.push([entry_push(CHAT, 1)._replace(kind=-1)])
        await until(lambda: peer.deliveries.breaks == 1)
        peer.deliveries.push([entry_push(CHAT, 2)])
        await until(lambda: bool(far.unit.got))
    assert [one.message for one in caplog.records if one.exc_info] == ["link.failed"]
