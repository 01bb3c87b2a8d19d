"""What a peer asks, as the roles of this node see it; and what goes wrong there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from tests.support.gateway import until
from tests.support.nodes import (
    CALLER,
    CREDENTIALS,
    QUICK,
    FarNode,
    Outcomes,
    open_channel,
    open_pair,
)
from tests.support.services import FakeApi, FakeServices

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError, TinyQQError, Unavailable
from tinyqq.model.friend import ListContacts, SetBlocked
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Sent, Typing
from tinyqq.ports.services import ChatApi, Send
from tinyqq.rpc.inbound import AnswerLine
from tinyqq.rpc.links import Peer
from tinyqq.rpc.mapping import SEEN, caller_to
from tinyqq.wire.packets import PacketType, encode

CONTACTS = encode(ListContacts())


async def refusal(peer: Peer, number: int, body: bytes = b"") -> TinyQQError:
    request = pb.CallRequest(type=number, body=body, caller=caller_to(CALLER))
    with pytest.raises(TinyQQError) as caught:
        await peer.call(request, timeout_s=30)
    return caught.value


@pytest.mark.parametrize("number", [0, 0x3FFF, PacketType.SEND, PacketType.MARK, 70_000])
async def test_call_when_its_number_is_no_call_then_unknown_type(number: int) -> None:
    async with open_pair() as (_, peer):
        error = await refusal(peer, number)
    assert isinstance(error, ProtocolError)
    assert error.code is ErrorCode.UNKNOWN_TYPE


async def test_call_when_its_body_is_malformed_then_refused() -> None:
    async with open_pair() as (far, peer):
        assert (await refusal(peer, PacketType.SET_BLOCKED, b"\xff")).code is ErrorCode.MALFORMED
        body = encode(SetBlocked(b"short", 1, blocked=True))  # type: ignore[arg-type]  # that is it
        assert isinstance(await refusal(peer, PacketType.SET_BLOCKED, body), InvalidRequest)
    assert not far.fakes.friend.calls


@pytest.mark.parametrize("number", [PacketType.LIST_CONTACTS, PacketType.LOG_IN, SEEN])
async def test_call_when_the_role_is_not_here_then_unavailable_and_not_handed_on(
    number: int,
) -> None:
    async with open_pair(roles=frozenset({"chat"})) as (far, peer):
        error = await refusal(peer, number)
    assert isinstance(error, Unavailable)
    assert error.fields["role"] in {"user", "friend"}
    assert (far.fakes.friend.calls, far.fakes.user.calls) == ([], [])


async def test_call_when_the_role_has_a_fault_then_internal_and_logged_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_pair() as (far, peer):
        far.fakes.friend.replies["list_contacts"] = ValueError("secret detail")
        error = await refusal(peer, PacketType.LIST_CONTACTS, CONTACTS)
    assert (error.code, error.fields) == (ErrorCode.INTERNAL, {})
    assert [one.message for one in caplog.records if one.exc_info] == ["call.failed"]


async def test_call_when_its_deadline_is_over_then_the_role_is_cancelled() -> None:
    ended = asyncio.Event()

    async def slow(*_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with open_pair() as (far, peer):
        far.fakes.friend.replies["list_contacts"] = slow
        request = pb.CallRequest(type=PacketType.LIST_CONTACTS, caller=caller_to(CALLER))
        while not far.fakes.friend.calls:  # a machine that is held up may not even get there
            with pytest.raises(Unavailable):
                await peer.call(request, timeout_s=0.1)
        await until(ended.is_set)


async def test_send_when_the_role_has_a_fault_then_internal_and_the_stream_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes = Outcomes()

    class Faulty(FakeApi):
        def send(self, send: Send) -> None:
            if send.client_message_id == bytes(16):
                raise ValueError
            send.answer(Sent(1, 1, 1))  # type: ignore[arg-type]  # plain numbers

    services = replace(FakeServices().services, chat=cast(ChatApi, Faulty()))
    far = FarNode(services=services)
    async with far.listen(), far.links() as links:
        peer = links.peer(far.node.unit_id)
        assert peer is not None
        for number in (0, 1):
            peer.sends.send(outcomes.send(number))
        await until(lambda: len(outcomes.by_number) == 2)
    assert [error.code for error in outcomes.refusals()] == [ErrorCode.INTERNAL]
    assert [one.message for one in caplog.records if one.exc_info] == ["send.failed"]


async def test_send_when_one_before_it_was_refused_then_refused_until_the_next_flight() -> None:
    outcomes = Outcomes()
    async with open_pair() as (far, peer):
        far.fakes.chat.outcomes = [Unavailable(ErrorCode.BUSY)]
        for number in (1, 2):
            peer.sends.send(replace(outcomes.send(number), flight=1))
        peer.sends.send(outcomes.send(3, conversation_id=1))
        peer.sends.send(replace(outcomes.send(1), flight=2))
        await until(lambda: len(outcomes.by_number) == 4)
    assert [one.code for one in outcomes.refusals()] == [ErrorCode.BUSY, ErrorCode.FLIGHT_BROKEN]
    assert outcomes.numbers() == [1, 2, 3, 1]


async def test_send_when_chat_is_not_here_then_unavailable() -> None:
    outcomes = Outcomes()
    async with open_pair(roles=frozenset({"user"})) as (far, peer):
        peer.sends.send(outcomes.send(1))
        await until(lambda: bool(outcomes.by_number))
    assert [error.fields for error in outcomes.refusals()] == [{"role": "chat"}]
    assert not far.fakes.chat.sends


@pytest.mark.parametrize(
    "batch",
    [
        pb.Deliveries(hints=[pb.Hint(type=PacketType.TYPING_NOTICE, body=b"\xff")]),
        pb.Deliveries(hints=[pb.Hint(type=1)]),
        pb.Deliveries(notes=[pb.Note(type=PacketType.MARK, body=b"\xff")]),
    ],
)
async def test_deliveries_when_one_is_bad_then_those_behind_it_are_taken(
    batch: pb.Deliveries, caplog: pytest.LogCaptureFixture
) -> None:
    far = FarNode()
    async with far.listen() as server, open_channel(server.port) as channel:
        call = NodeStub(channel).Link(metadata=CREDENTIALS.metadata, timeout=30)
        note = pb.Note(
            type=PacketType.TYPING, body=encode(Typing(ConversationId(7))), caller=caller_to(CALLER)
        )
        whole = pb.Deliveries(kicks=[pb.Kick(user_id=5)])
        whole.MergeFrom(batch)
        whole.notes.append(note)
        await call.write(whole)
        await until(lambda: bool(far.unit.got and far.fakes.offline.calls))
        await call.write(pb.Deliveries(kicks=[pb.Kick(user_id=6)]))
        await until(lambda: len(far.unit.got) == 2)
        assert isinstance(await call.read(), pb.Identity)
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.OK
    assert [one.message for one in caplog.records if one.exc_info] == ["deliveries.failed"]


async def test_note_when_it_is_none_then_refused() -> None:
    far = FarNode()
    async with far.listen() as server, open_channel(server.port) as channel:
        call = NodeStub(channel).Link(metadata=CREDENTIALS.metadata, timeout=30)
        await call.write(pb.Deliveries(notes=[pb.Note(type=PacketType.LOG_OUT)]))
        await call.write(pb.Deliveries(kicks=[pb.Kick(user_id=5)]))
        await until(lambda: bool(far.unit.got))
    assert not far.fakes.offline.calls


async def test_send_when_no_place_is_free_then_no_more_are_read() -> None:
    outcomes, far = Outcomes(), FarNode(limits=replace(QUICK, max_sends=2))
    far.fakes.chat.answers_at_once = False
    async with far.listen(), far.links(limits=QUICK) as links:
        peer = links.peer(far.node.unit_id)
        assert peer is not None
        for number in range(5):
            peer.sends.send(outcomes.send(number))
        taken = far.fakes.chat.sends
        await until(lambda: len(taken) == 2)
        await peer.call(pb.CallRequest(type=SEEN), timeout_s=30)
        assert len(taken) == 2
        for number in range(5):
            await until(lambda number=number: len(taken) > number)  # type: ignore[misc]  # bound now
            far.fakes.chat.answer_one(taken[number])
        await until(lambda: outcomes.numbers() == [0, 1, 2, 3, 4])


# ---- the line of answers -------------------------------------------------------------------------


class Wire:
    """Takes one write at a time, when the test lets it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def write(self, answers: pb.Answers) -> None:
        await self.gate.wait()
        self.batches.append([one.id for one in answers.answers])


def sent(number: int) -> Any:
    return Sent(number, number, 1)  # type: ignore[arg-type]  # plain numbers


async def test_line_when_a_write_is_out_then_the_rest_is_one_batch() -> None:
    wire = Wire()
    line = AnswerLine(wire.write, places=10)
    answers = [line.begin(pb.Send(id=number)) for number in range(1, 6)]
    async with asyncio.TaskGroup() as group:
        group.create_task(line.write())
        answers[0](sent(1))
        await asyncio.sleep(0)
        for number in range(1, 5):
            answers[number](sent(number))
        line.close()
        wire.gate.set()
    assert wire.batches == [[1], [2, 3, 4, 5]]


async def test_line_when_no_place_is_free_then_it_waits_until_an_answer_is_written() -> None:
    wire = Wire()
    line = AnswerLine(wire.write, places=1)
    await line.room()
    answer = line.begin(pb.Send(id=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(line.write())
        waiting = group.create_task(line.room())
        answer(sent(1))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        wire.gate.set()
        await waiting
        line.close()


async def test_line_when_closed_then_it_ends_after_the_last_answer() -> None:
    wire = Wire()
    wire.gate.set()
    line = AnswerLine(wire.write, places=10)
    answer = line.begin(pb.Send(id=1))
    line.close()
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(line.write())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not writing.done()
        answer(sent(1))
    assert wire.batches == [[1]]
