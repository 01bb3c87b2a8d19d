"""Role chat: what is refused before the lane, what comes back after it, recalls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    GROUP,
    FakeHome,
    RecordingDelivery,
    log_of_friends,
    operation_id,
)

from tinyqq.errors import ErrorCode, NotFound, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, SessionId, UserId
from tinyqq.model.message import Card, Content, Entry, Kind, Media, Recall, Sent
from tinyqq.ports.services import Send
from tinyqq.services.chat import ChatService
from tinyqq.services.lane import Lane
from tinyqq.services.rivals import GATHER_AFTER
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog
from tinyqq.wire.content import encode_content

CALLER = Caller(ANN, DeviceId(b"d" * 16), SessionId(5))


class Reader:
    """The one call of LogReader that chat makes."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log

    async def find_entry(self, conversation_id: ConversationId, seq: Seq) -> Entry | None:
        entries = self.log.entries[conversation_id]
        return entries[seq - 1] if 0 < seq <= len(entries) else None


class Chat:
    """A chat service, its log, and the sends it reported."""

    def __init__(self, lane: Lane, log: MemoryLog) -> None:
        self.log = log
        self.sent: list[tuple[UserId, ConversationId, Seq]] = []
        self.service = ChatService(
            lane=lane,
            reader=Reader(log),  # type: ignore[arg-type] # only find_entry is called
            max_text_chars=20,
            on_sent=lambda *sent: self.sent.append(sent),
        )

    async def send(
        self,
        content: Content | bytes,
        *,
        conversation_id: int = ANN_BOB,
        kind: int = Kind.TEXT,
        key: bytes | None = None,
        flight: int = 0,
        may_leave: bool = True,
    ) -> Sent | TinyQQError:
        answer: asyncio.Future[Sent | TinyQQError] = asyncio.get_running_loop().create_future()
        body = content if isinstance(content, bytes) else encode_content(content)
        operation = OperationId(operation_id() if key is None else key)
        self.service.send(
            Send(
                CALLER,
                ConversationId(conversation_id),
                operation,
                kind,
                body,
                answer.set_result,
                flight,
                may_leave,
            )
        )
        return await answer

    async def refusal(self, content: Content | bytes, **how: int | bytes) -> ErrorCode:
        outcome = await self.send(content, **how)  # type: ignore[arg-type] # named as above
        assert isinstance(outcome, TinyQQError)
        return outcome.code


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    log = log_of_friends()
    async with Lane(log=log, delivery=RecordingDelivery(), clock=FakeClock()) as lane:
        yield Chat(lane, log)


async def test_send_then_answered_after_the_commit_and_reported(chat: Chat) -> None:
    outcome = await chat.send(Content("hi"))
    assert outcome == Sent(Seq(1), 1, chat.log.entries[ANN_BOB][0].sent_at_ms)
    assert chat.sent == [(ANN, ANN_BOB, 1)]


@pytest.mark.parametrize("may_leave", [True, False])
async def test_send_when_others_write_there_too_then_handed_over_unless_it_came_from_there(
    may_leave: bool,
) -> None:
    log, home, clock = log_of_friends(), FakeHome(), FakeClock()
    log.faults = ["taken"] * GATHER_AFTER
    async with (
        asyncio.timeout(10),
        Lane(log=log, delivery=RecordingDelivery(), clock=clock, find_home=home.find) as lane,
    ):
        sending = asyncio.create_task(Chat(lane, log).send(Content("hi"), may_leave=may_leave))
        if may_leave:
            await home.came.wait()
            home.answer(Sent(Seq(7), 7, 1))
        assert (await sending) == (
            Sent(Seq(7), 7, 1) if may_leave else Sent(Seq(1), 1, clock.now_ms())
        )
    assert home.sends == []


async def test_send_behind_one_of_its_flight_that_cannot_be_stored_then_refused_too(
    chat: Chat,
) -> None:
    chat.log.poison = {encode_content(Content("poison"))}
    texts = ("poison", "b")
    outcomes = await asyncio.gather(*(chat.send(Content(text), flight=1) for text in texts))
    codes = [one.code for one in outcomes if isinstance(one, TinyQQError)]
    assert codes == [ErrorCode.INTERNAL, ErrorCode.FLIGHT_BROKEN]


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.CUSTOM, 42])
async def test_send_kind_of_any_time_then_stored_as_it_came(chat: Chat, kind: int) -> None:
    body = encode_content(Content("shown instead")) + b"\xf8\x07\x01"  # an unknown field
    await chat.send(body, kind=kind)
    assert chat.log.entries[ANN_BOB][0][6:8] == (kind, body)


async def test_send_bad_input_then_refused_before_the_lane(chat: Chat) -> None:
    assert await chat.refusal(Content("x" * 21)) is ErrorCode.TEXT_TOO_LONG
    assert await chat.refusal(Content("")) is ErrorCode.BAD_CONTENT
    assert await chat.refusal(b"\xff") is ErrorCode.BAD_CONTENT
    assert await chat.refusal(Content("x"), kind=Kind.RECALL) is ErrorCode.UNSUPPORTED_KIND
    assert await chat.refusal(Content("x"), kind=0) is ErrorCode.UNSUPPORTED_KIND
    assert await chat.refusal(Content("x"), conversation_id=7) is ErrorCode.BAD_CONVERSATION
    assert await chat.refusal(Content("x"), key=b"short") is ErrorCode.INVALID_REQUEST
    assert not chat.log.batches


async def test_send_text_of_the_longest_allowed_then_taken(chat: Chat) -> None:
    assert isinstance(await chat.send(Content("字" * 20)), Sent)


async def test_mention_all_then_the_right_is_checked(chat: Chat) -> None:
    assert isinstance(
        await chat.send(Content("@all", mentions_all=True), conversation_id=GROUP), Sent
    )


async def test_refused_send_then_nothing_is_reported(chat: Chat) -> None:
    await chat.send(Content("hi"), conversation_id=20_002)
    assert chat.sent == []


async def test_recall_then_content_is_erased(chat: Chat) -> None:
    await chat.send(Content("oops"))
    await chat.service.recall(CALLER, Recall(operation_id(), ANN_BOB, Seq(1)))
    erased, recall = chat.log.entries[ANN_BOB]
    assert (erased.kind, erased.body) == (Kind.RECALLED, b"")
    assert recall.kind == Kind.RECALL


async def test_recall_repeated_then_done_again(chat: Chat) -> None:
    await chat.send(Content("oops"))
    key = operation_id()
    for _ in range(2):
        await chat.service.recall(CALLER, Recall(key, ANN_BOB, Seq(1)))
    assert len(chat.log.entries[ANN_BOB]) == 2


async def test_recall_of_nothing_then_not_found(chat: Chat) -> None:
    with pytest.raises(NotFound):
        await chat.service.recall(CALLER, Recall(operation_id(), ANN_BOB, Seq(9)))


class RecordingMedia:
    """Takes everything, and lets it through when the test says so."""

    def __init__(self) -> None:
        self.is_holding = False
        self.taken: list[tuple[tuple[str, ...], Callable[[], None]]] = []

    def take(self, send: Send, blob_ids: tuple[str, ...], go: Callable[[], None]) -> None:
        self.taken.append((blob_ids, go))
        go()


async def test_send_when_it_refers_to_files_then_they_are_checked_first(chat: Chat) -> None:
    media = RecordingMedia()
    chat.service._media = media  # type: ignore[assignment] # only take and is_holding are asked
    content = Content("look", media=Media("m"), card=Card("t", image_blob_id="c"))
    assert isinstance(await chat.send(content, kind=Kind.FILE), Sent)
    assert isinstance(await chat.send(Content("plain", media=Media("m"))), Sent)
    assert isinstance(await chat.send(Content("card"), kind=Kind.CARD), Sent)
    assert [blob_ids for blob_ids, _ in media.taken] == [("m", "c")]
    media.is_holding = True
    assert isinstance(await chat.send(Content("behind")), Sent)
    assert [blob_ids for blob_ids, _ in media.taken] == [("m", "c"), ()]
