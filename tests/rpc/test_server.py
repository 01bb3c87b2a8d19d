"""The port of a node: opening, health, closing."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.support.gateway import entry_push, until
from tests.support.nodes import (
    CHAT,
    CREDENTIALS,
    FAR,
    QUICK,
    ROLES,
    FarNode,
    Outcomes,
    RecordingUnit,
    open_channel,
    open_pair,
    own_tasks,
)
from tests.support.services import PASSWORD, FakeServices

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.errors import Unavailable
from tinyqq.model.account import DeviceKind, LogIn
from tinyqq.model.ids import DeviceId, UnitId, UserId
from tinyqq.model.message import Sent
from tinyqq.rpc.server import NodeServer
from tinyqq.wire.packets import PacketType, encode


async def test_quiet_when_nobody_ever_asked_then_at_once() -> None:
    async with FarNode().listen() as server, asyncio.timeout(0.1):
        await server.wait_quiet()


async def test_quiet_when_a_call_is_being_answered_then_after_it() -> None:
    services = FakeServices()
    services.user.gate = asyncio.Event()
    far = FarNode(services=services.services)
    async with far.listen() as server, far.links() as links, asyncio.timeout(30):
        peer = links.peer(FAR)
        assert peer is not None
        request = pb.CallRequest(
            type=PacketType.LOG_IN,
            body=encode(LogIn(UserId(10_001), PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)),
            entrance=pb.Entrance(address="here"),
        )
        async with asyncio.TaskGroup() as group:
            call = group.create_task(peer.call(request, timeout_s=30))
            await until(lambda: server.counters()["calls_received_total"] == 1)
            quiet = group.create_task(server.wait_quiet())
            done, _ = await asyncio.wait([quiet], timeout=0.7)
            assert not done
            services.user.gate.set()
            await call
            await quiet


async def test_health_when_asked_by_a_friend_then_serving() -> None:
    async with FarNode().listen() as server, open_channel(server.port) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = await stub.Check(
            health_pb2.HealthCheckRequest(), metadata=CREDENTIALS.metadata, timeout=30
        )
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_when_the_node_leaves_then_not_serving_though_calls_are_answered() -> None:
    async with FarNode().listen() as server, open_channel(server.port) as channel:
        await server.leave()
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = await stub.Check(
            health_pb2.HealthCheckRequest(), metadata=CREDENTIALS.metadata, timeout=30
        )
        assert reply.status == health_pb2.HealthCheckResponse.NOT_SERVING


def node_server(host: str, port: int) -> NodeServer:
    return NodeServer(
        unit_id=UnitId("second"),
        incarnation="1",
        host=host,
        port=port,
        credentials=CREDENTIALS,
        unit=RecordingUnit(),
        services=FakeServices().services,
        roles=ROLES,
        on_drain=lambda: None,
        limits=QUICK,
    )


async def test_port_when_it_is_taken_then_unavailable() -> None:
    async with FarNode().listen() as server:
        with pytest.raises(Unavailable):
            await node_server("127.0.0.1", server.port).__aenter__()


async def test_port_when_the_host_is_every_network_of_both_kinds_then_it_listens() -> None:
    async with node_server("::", 0) as server, open_channel(server.port) as channel:
        link = NodeStub(channel).Link(metadata=CREDENTIALS.metadata, timeout=30)
        assert await link.read() == pb.Identity(unit_id="second", incarnation="1")
        await link.done_writing()


async def test_streams_when_opened_then_the_node_says_who_it_is() -> None:
    async with FarNode().listen("second") as server, open_channel(server.port) as channel:
        link = NodeStub(channel).Link(metadata=CREDENTIALS.metadata, timeout=30)
        chat = NodeStub(channel).Chat(metadata=CREDENTIALS.metadata, timeout=30)
        who = pb.Identity(unit_id="far", incarnation="second")
        assert await link.read() == who
        assert await chat.read() == pb.Answers(identity=who)
        await link.done_writing()
        await chat.done_writing()
        assert await link.code() is await chat.code() is grpc.StatusCode.OK


async def test_close_when_sends_are_unanswered_then_they_are_answered_first() -> None:
    far, outcomes = FarNode(), Outcomes()
    far.fakes.chat.answers_at_once = False
    async with far.links() as links:
        async with far.listen():
            peer = links.peer(far.node.unit_id)
            assert peer is not None
            peer.sends.send(outcomes.send(1))
            await until(lambda: bool(far.fakes.chat.sends))
            far.fakes.chat.answer_one(far.fakes.chat.sends[0])
        await until(lambda: bool(outcomes.by_number))
    assert isinstance(outcomes.by_number[0][1], Sent)


async def test_close_when_streams_are_open_then_nothing_is_left() -> None:
    before = own_tasks()
    async with open_pair() as (far, peer):
        peer.deliveries.push([entry_push(CHAT, 1)])
        peer.sends.send(Outcomes().send(1))
        await until(lambda: bool(far.unit.got and far.fakes.chat.sends))
        assert own_tasks() - before
    await until(lambda: own_tasks() <= before)


async def test_counters_when_things_came_then_counted() -> None:
    far = FarNode()
    async with far.listen() as server, far.links() as links:
        peer = links.peer(far.node.unit_id)
        assert peer is not None
        peer.deliveries.push([entry_push(CHAT, 1), entry_push(CHAT, 2)])
        peer.sends.send(Outcomes().send(1))
        await until(lambda: bool(len(far.unit.got) == 2 and far.fakes.chat.sends))
        assert server.counters() == {
            "strangers_total": 0,
            "deliveries_received_total": 2,
            "sends_received_total": 1,
            "calls_received_total": 0,
        }
