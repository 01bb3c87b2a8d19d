"""Sends over the stream: order, exactly one answer, whatever happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.support.gateway import until
from tests.support.nodes import CALLER, CHAT, FAR, QUICK, FarNode, Outcomes, open_pair
from tests.support.relay import relay_to

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.message import Sent
from tinyqq.testing.clock import FakeClock


async def test_send_when_handed_over_then_the_caller_comes_along() -> None:
    outcomes = Outcomes()
    async with open_pair() as (far, peer):
        peer.sends.send(outcomes.send(1, b"hello"))
        await until(lambda: bool(outcomes.by_number))
    [send] = far.fakes.chat.sends
    assert (send.caller, send.conversation_id, send.content) == (CALLER, CHAT, b"hello")
    assert outcomes.by_number == [(1, Sent(1, 1, 1_700_000_000_000))]  # type: ignore[arg-type]  # a plain number


async def test_send_when_many_come_at_once_then_in_order_with_few_writes() -> None:
    outcomes = Outcomes()
    async with open_pair() as (_, peer):
        for number in range(1, 1001):
            peer.sends.send(outcomes.send(number))
        await until(lambda: len(outcomes.by_number) == 1000)
        assert outcomes.numbers() == list(range(1, 1001))
        assert peer.sends.batches <= 3
        assert len(peer.sends) == 0


async def test_send_when_too_many_are_unanswered_then_refused_at_once() -> None:
    outcomes = Outcomes()
    async with open_pair(limits=replace(QUICK, max_sends=3, stop_s=0.1)) as (far, peer):
        far.fakes.chat.answers_at_once = False
        for number in range(5):
            peer.sends.send(outcomes.send(number))
        assert outcomes.numbers() == [3, 4]
        assert {error.code for error in outcomes.refusals()} == {ErrorCode.BUSY}
        await until(lambda: len(far.fakes.chat.sends) == 3)
        far.fakes.chat.answer_one(far.fakes.chat.sends[0])
        await until(lambda: 0 in outcomes.numbers())
        peer.sends.send(outcomes.send(5))
        await until(lambda: len(far.fakes.chat.sends) == 4)


async def test_send_when_too_many_bytes_wait_then_refused_at_once() -> None:
    outcomes = Outcomes()
    async with open_pair(limits=replace(QUICK, max_send_bytes=2500)) as (_, peer):
        for number in range(4):
            peer.sends.send(outcomes.send(number, b"x" * 1000))
        assert outcomes.numbers() == [2, 3]
        await until(lambda: len(outcomes.by_number) == 4)


async def test_send_when_its_time_is_up_then_answered_once_and_the_late_answer_dropped() -> None:
    far, outcomes = FarNode(limits=replace(QUICK, send_timeout_s=0.2)), Outcomes()
    far.fakes.chat.answers_at_once = False
    clock = FakeClock()
    async with far.listen(), far.links(clock) as links:
        peer = links.peer(FAR)
        assert peer is not None
        peer.sends.send(outcomes.send(1))
        await until(lambda: bool(far.fakes.chat.sends))
        clock.advance(1)
        await until(lambda: bool(outcomes.by_number))
        far.fakes.chat.answers_at_once = True
        far.fakes.chat.answer_one(far.fakes.chat.sends[0])
        peer.sends.send(outcomes.send(2))
        await until(lambda: len(outcomes.by_number) >= 2)
    assert outcomes.numbers() == [1, 2]
    [error] = outcomes.refusals()
    assert error.code is ErrorCode.TIMED_OUT


async def test_stream_when_cut_then_every_unanswered_send_is_answered_and_it_opens_again() -> None:
    far, outcomes = FarNode(), Outcomes()
    far.fakes.chat.answers_at_once = False
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links:
            peer = links.peer(FAR)
            assert peer is not None
            for number in range(50):
                peer.sends.send(outcomes.send(number))
            await until(lambda: len(far.fakes.chat.sends) == 50)
            relay.cut()
            await until(lambda: len(outcomes.by_number) == 50)
            assert outcomes.numbers() == list(range(50))
            assert all(isinstance(error, Unavailable) for error in outcomes.refusals())
            assert not peer.sends.is_usable
            peer.sends.send(outcomes.send(50))
            assert outcomes.refusals()[-1].retry_after_s > 0
            far.fakes.chat.answers_at_once = True
            await until(lambda: peer.sends.is_usable)
            assert not peer.sends.is_well
            peer.sends.send(outcomes.send(51))
            await until(lambda: len(outcomes.by_number) == 52)
            await until(lambda: peer.sends.is_well)
    assert isinstance(outcomes.by_number[-1][1], Sent)


async def test_stream_when_the_server_is_killed_then_every_unanswered_send_is_answered() -> None:
    far, outcomes = FarNode(limits=replace(QUICK, stop_s=0.1)), Outcomes()
    far.fakes.chat.answers_at_once = False
    async with far.links() as links:
        async with far.listen():
            peer = links.peer(FAR)
            assert peer is not None
            for number in range(20):
                peer.sends.send(outcomes.send(number))
            await until(lambda: len(far.fakes.chat.sends) == 20)
        await until(lambda: len(outcomes.by_number) == 20)
    assert len(outcomes.refusals()) == 20


@pytest.mark.slow
async def test_stream_when_the_peer_hangs_then_found_out_long_before_the_send_expires() -> None:
    far, outcomes = FarNode(limits=replace(QUICK, send_timeout_s=60.0)), Outcomes()
    far.fakes.chat.answers_at_once = False
    async with far.listen() as server, relay_to("127.0.0.1", server.port) as relay:
        await far.show(relay.url.removeprefix("tinyqq://"))
        async with far.links() as links:
            peer = links.peer(FAR)
            assert peer is not None
            peer.sends.send(outcomes.send(1))
            await until(lambda: bool(far.fakes.chat.sends))
            relay.loses_answers = True
            async with asyncio.timeout(30):
                while not outcomes.by_number:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.05)
    assert [error.code for error in outcomes.refusals()] == [ErrorCode.UNAVAILABLE]


async def test_stop_when_sends_are_unanswered_then_answered_in_the_end() -> None:
    outcomes = Outcomes()
    async with open_pair(limits=replace(QUICK, stop_s=0.1)) as (far, peer):
        far.fakes.chat.answers_at_once = False
        for number in range(3):
            peer.sends.send(outcomes.send(number))
        await until(lambda: len(far.fakes.chat.sends) == 3)
    assert [error.code for error in outcomes.refusals()] == [ErrorCode.UNAVAILABLE] * 3
    peer.sends.send(outcomes.send(3))
    assert outcomes.numbers() == [0, 1, 2, 3]


async def test_answer_when_the_sender_fails_over_it_then_the_others_still_get_theirs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes = Outcomes()

    def fail(_: object) -> None:
        raise ValueError

    async with open_pair() as (_, peer):
        bad = outcomes.send(1)
        bad.answer = fail
        peer.sends.send(bad)
        peer.sends.send(outcomes.send(2))
        await until(lambda: outcomes.numbers() == [2])
    assert [record.message for record in caplog.records if record.exc_info] == [
        "send.answer_failed"
    ]
