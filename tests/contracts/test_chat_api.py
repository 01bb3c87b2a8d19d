"""What every implementation of ``ports.services.ChatApi`` does: the role in this process, and one
behind a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import pytest
from tests.support.gateway import until
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    ANN_EVE,
    RecordingDelivery,
    log_of_friends,
    operation_id,
)
from tests.support.nodes import FAR, FarNode
from tests.support.services import FakeServices

from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, NotFound, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, SessionId
from tinyqq.model.message import Content, Entry, Kind, Recall, Sent
from tinyqq.ports.services import ChatApi, Send
from tinyqq.ports.storage import LogReader
from tinyqq.rpc.client import RemoteChat
from tinyqq.services.chat import ChatService
from tinyqq.services.lane import Lane
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog
from tinyqq.wire.content import encode_content

CALLER = Caller(ANN, DeviceId(b"d" * 16), SessionId(5))


class Reader:
    """The one call of LogReader that chat makes."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def find_entry(self, conversation_id: ConversationId, seq: Seq) -> Entry | None:
        entries = self._log.entries[conversation_id]
        return entries[seq - 1] if 0 < seq <= len(entries) else None


class World:
    """A chat role, and the log behind it."""

    def __init__(self, chat: ChatApi, log: MemoryLog) -> None:
        self.chat = chat
        self.log = log
        self.outcomes: list[tuple[int, Sent | TinyQQError]] = []

    def send(
        self,
        number: int,
        content: bytes | None = None,
        *,
        conversation_id: ConversationId = ANN_BOB,
        key: OperationId | None = None,
    ) -> None:
        """Send; the outcome is written down under the number."""
        self.chat.send(
            Send(
                CALLER,
                conversation_id,
                key or operation_id(),
                Kind.TEXT,
                encode_content(Content(f"message {number}")) if content is None else content,
                lambda outcome: self.outcomes.append((number, outcome)),
            )
        )

    async def answered(self, count: int) -> list[tuple[int, Sent | TinyQQError]]:
        """Wait for so many outcomes."""
        await until(lambda: len(self.outcomes) >= count)
        return self.outcomes


@pytest.fixture(params=["local", "grpc"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    log = log_of_friends()
    async with Lane(log=log, delivery=RecordingDelivery(), clock=FakeClock()) as lane:
        service = ChatService(
            lane=lane,
            reader=cast(LogReader, Reader(log)),
            max_text_chars=200,
            on_sent=lambda *_: None,
        )
        async with _chat(request.param, service) as chat:
            yield World(chat, log)


@asynccontextmanager
async def _chat(kind: str, service: ChatService) -> AsyncIterator[ChatApi]:
    if kind == "local":
        yield service
        return
    far = FarNode(services=replace(FakeServices().services, chat=service))
    async with far.listen(), far.links() as links:
        peer = links.peer(FAR)
        assert peer is not None
        yield RemoteChat(
            call=lambda _, request: peer.call(request, timeout_s=30), send=peer.sends.send
        )


async def test_send_when_there_are_many_then_numbered_in_the_order_of_the_calls(
    world: World,
) -> None:
    for number in range(1, 201):
        world.send(number)
    outcomes = await world.answered(200)
    assert [(number, getattr(one, "seq", one)) for number, one in outcomes] == [
        (number, number) for number in range(1, 201)
    ]
    texts = [entry.body for entry in world.log.entries[ANN_BOB]]
    assert texts == [encode_content(Content(f"message {number}")) for number in range(1, 201)]


async def test_send_when_repeated_then_the_first_outcome_again(world: World) -> None:
    key = operation_id()
    world.send(1, key=key)
    await world.answered(1)
    world.send(2, key=key)
    (_, first), (_, second) = await world.answered(2)
    assert first == second
    assert len(world.log.entries[ANN_BOB]) == 1


@pytest.mark.parametrize(
    ("send", "error", "code"),
    [
        (lambda world: world.send(1, b"\xff"), InvalidRequest, ErrorCode.BAD_CONTENT),
        (
            lambda world: world.send(1, encode_content(Content("x" * 201))),
            InvalidRequest,
            ErrorCode.TEXT_TOO_LONG,
        ),
        (
            lambda world: world.send(1, key=OperationId(b"short")),
            InvalidRequest,
            ErrorCode.INVALID_REQUEST,
        ),
        (
            lambda world: world.send(1, conversation_id=ConversationId(7)),
            InvalidRequest,
            ErrorCode.BAD_CONVERSATION,
        ),
        (lambda world: world.send(1, conversation_id=ANN_EVE), Forbidden, ErrorCode.NOT_FRIENDS),
    ],
)
async def test_send_when_refused_then_the_refusal_is_typed(
    world: World, send: Callable[[World], None], error: type[TinyQQError], code: ErrorCode
) -> None:
    send(world)
    [(_, outcome)] = await world.answered(1)
    assert isinstance(outcome, error)
    assert outcome.code is code


async def test_send_when_some_are_refused_then_every_send_is_answered_once(world: World) -> None:
    for number in range(100):
        world.send(number, b"\xff" if number % 3 else None)
    await world.answered(100)
    await asyncio.sleep(0)
    assert sorted(number for number, _ in world.outcomes) == list(range(100))


async def test_recall_when_allowed_then_done(world: World) -> None:
    world.send(1)
    await world.answered(1)
    await world.chat.recall(CALLER, Recall(operation_id(), ANN_BOB, Seq(1)))
    assert [entry.kind for entry in world.log.entries[ANN_BOB]] == [Kind.RECALLED, Kind.RECALL]


async def test_recall_when_there_is_nothing_then_refused(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        await world.chat.recall(CALLER, Recall(operation_id(), ANN_BOB, Seq(9)))
    assert caught.value.code is ErrorCode.MESSAGE_NOT_FOUND
