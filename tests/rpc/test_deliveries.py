"""Deliveries over the stream: batches, breaks, bounds."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.support.gateway import ANN, entry_push, until
from tests.support.nodes import CALLER, CHAT, FAR, QUICK, FarNode, open_pair
from tests.support.relay import relay_to

from tinyqq.model.ids import UnitId
from tinyqq.model.message import Mark, Typing
from tinyqq.ports.delivery import Hint, Push
from tinyqq.rpc.buffer import Note
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


async def test_stream_when_the_receiver_hangs_then_bounded_and_counted() -> None:
    limits = replace(QUICK, max_buffer_bytes=100_000, write_timeout_s=0.3, stop_s=0.1)
    far = FarNode(limits=limits)
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links:
            link = links.to(FAR)
            assert link is not None
            link.push([entry_push(CHAT, 1)])
            await until(lambda: seqs(far) == [1])
            relay.loses_answers = True
            for seq in range(2, 1000):
                link.push([entry_push(CHAT, seq, body=b"x" * 10_000)])
                await asyncio.sleep(0)
            figures = links.counters()
            assert figures["deliveries_waiting"] <= 10
            assert figures["deliveries_dropped_full_total"] > 100
            await until(lambda: links.counters()["delivery_breaks_total"] >= 1)
            assert links.counters()["deliveries_lost_total"] >= 1


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
