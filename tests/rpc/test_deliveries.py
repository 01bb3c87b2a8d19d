"""Deliveries over the stream: batches, breaks, bounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, cast

import grpc.aio
import pytest
from tests.support.gateway import ANN, entry_push, until
from tests.support.nodes import CALLER, CHAT, CREDENTIALS, FAR, QUICK, FarNode, open_pair
from tests.support.relay import relay_to

from tinyqq._pb import node_pb2 as pb
from tinyqq.clock import SystemClock
from tinyqq.model.account import KickReason
from tinyqq.model.ids import SessionId, UnitId
from tinyqq.model.message import Mark, Typing
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.registry import Node
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.deliveries import DeliveryCall, DeliveryStream
from tinyqq.rpc.stream import Line
from tinyqq.wire.packets import PacketType


def seqs(far: FarNode) -> list[int]:
    return [one.seq for one in far.unit.got if isinstance(one, Push)]


async def test_push_when_many_come_at_once_then_few_writes() -> None:
    async with open_pair() as (far, peer):
        for seq in range(1, 1001):
            peer.deliveries.push([entry_push(CHAT, seq)])
        await until(lambda: len(far.unit.got) == 1000)
        assert seqs(far) == list(range(1, 1001))
        await until(lambda: peer.counters()["deliveries_total"] == 1000)
        assert peer.deliveries.batches <= 3
        assert peer.deliveries.opened == 1


async def test_stop_when_something_waits_then_it_is_written_first() -> None:
    async with open_pair() as (far, peer):
        peer.deliveries.push([entry_push(CHAT, seq) for seq in range(1, 501)])
        peer.deliveries.hint([Hint((ANN,), Typing(CHAT, ANN), CALLER.session_id)])
    assert len(far.unit.got) == 501


async def test_note_when_sent_then_the_role_gets_it() -> None:
    async with open_pair() as (far, peer):
        mark = Mark(CHAT, read_seq=3)  # type: ignore[arg-type]  # a plain number
        peer.deliveries.note(Note(PacketType.MARK, CALLER, mark))
        await until(lambda: bool(far.fakes.offline.calls))
    assert far.fakes.offline.calls == [("mark", CALLER, mark)]


async def test_stream_when_cut_then_told_and_opened_again() -> None:
    far, broken = FarNode(), list[UnitId]()
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links(on_break=broken.append) as links:
            link = links.to(FAR)
            assert link is not None
            link.push([entry_push(CHAT, 1)])
            await until(lambda: seqs(far) == [1])
            relay.cut()
            await until(lambda: broken == [FAR])
            link.push([entry_push(CHAT, 2)])
            await until(lambda: seqs(far) == [1, 2])
            assert links.counters()["delivery_breaks_total"] == 1


async def test_stream_when_cut_then_kicks_go_once_more() -> None:
    far = FarNode()
    kick = Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "")
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links:
            link = links.to(FAR)
            assert link is not None
            link.kick([kick])
            link.push([entry_push(CHAT, 1)])
            await until(lambda: kick in far.unit.got and seqs(far) == [1])
            relay.cut()
            await until(lambda: far.unit.got.count(kick) == 2)
            assert seqs(far) == [1]


async def test_stream_when_the_receiver_hangs_then_bounded_and_counted() -> None:
    limits = replace(QUICK, max_buffer_bytes=100_000, write_timeout_s=1.0, stop_s=0.1)
    far = FarNode(limits=limits)
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links:
            link = links.to(FAR)
            assert link is not None
            link.push([entry_push(CHAT, 1)])
            await until(lambda: seqs(far) == [1])
            relay.loses_answers = True
            figures = links.counters()
            for seq in count(2):
                link.push([entry_push(CHAT, seq, body=b"x" * 10_000)])
                await asyncio.sleep(0)
                figures = links.counters()
                assert figures["deliveries_waiting"] <= 10
                if figures["delivery_breaks_total"] >= 1:
                    break
            assert figures["deliveries_dropped_full_total"] > 100
            assert figures["deliveries_lost_total"] >= 1


async def test_stream_when_another_node_answers_then_nothing_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    far = FarNode()
    async with far.listen("second") as server:
        await far.show(f"127.0.0.1:{server.port}", "first")
        async with far.links() as links:
            link = links.to(FAR)
            assert link is not None
            with caplog.at_level(logging.WARNING):
                link.push([entry_push(CHAT, 1)])
                await until(lambda: bool(links.counters()["delivery_breaks_total"]))
    assert far.unit.got == []


async def test_stream_when_nobody_listens_then_dropped_by_age() -> None:
    limits = replace(QUICK, max_buffer_age_s=0.2, first_wait_s=0.05, last_wait_s=0.05, stop_s=0.1)
    far = FarNode(limits=limits)
    await far.show("127.0.0.1:1")
    async with far.links() as links:
        link = links.to(FAR)
        assert link is not None
        link.push([entry_push(CHAT, 1)])
        await until(lambda: bool(links.counters()["deliveries_waiting"] == 0))
        assert links.counters()["deliveries_dropped_old_total"] == 1


class EndingCall:
    """A call that ends while a batch is written, which gRPC takes all the same."""

    def __init__(self) -> None:
        self.is_done = False
        self._on_done: Callable[[Any], None] = lambda _: None

    def add_done_callback(self, on_done: Callable[[Any], None]) -> None:
        self._on_done = on_done

    def done(self) -> bool:
        return self.is_done

    def cancel(self) -> None:
        self.is_done = True

    async def read(self) -> pb.Identity | None:
        return None if self.is_done else pb.Identity(unit_id=FAR, incarnation="1")

    async def write(self, _: pb.Deliveries) -> None:
        self.is_done = True
        self._on_done(self)

    async def code(self) -> None:
        """Nothing more to wait for."""


class EndingStream(DeliveryStream):
    """Opens such calls."""

    def _open(self) -> DeliveryCall:
        return cast(DeliveryCall, EndingCall())


async def test_stream_when_it_ends_while_a_batch_is_written_then_told_at_once() -> None:
    broken = asyncio.Event()
    node = Node(FAR, "1", frozenset(), "", "", "1", internal="127.0.0.1:9")
    async with grpc.aio.insecure_channel(node.internal) as channel:
        line = Line(node, channel, CREDENTIALS, SystemClock(), QUICK)
        stream = EndingStream(line, on_break=lambda _: broken.set())
        async with asyncio.TaskGroup() as group:
            group.create_task(stream.run())
            stream.push([entry_push(CHAT, 1)])
            try:
                async with asyncio.timeout(30):
                    await broken.wait()
            finally:
                stream.stop()
