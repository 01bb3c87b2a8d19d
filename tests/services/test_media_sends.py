"""Messages that refer to files, on their way."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

import pytest
from tests.support.logs import ANN_BOB, ANN_OWN, new_operation_id
from tests.support.media import caller

from tinyqq.errors import ErrorCode, NotFound, TinyQQError, Unavailable
from tinyqq.model.account import Caller
from tinyqq.model.ids import ConversationId
from tinyqq.model.media import Blob, BlobId, UploadId
from tinyqq.model.message import Kind, Sent
from tinyqq.ports.media import MediaApi, MediaStore
from tinyqq.ports.services import Send
from tinyqq.ports.storage import SendKey
from tinyqq.services.media_sends import MediaSends
from tinyqq.testing.clock import FakeClock

FILE, PICTURE = BlobId("a" * 64), BlobId("b" * 64)


class Files:
    """Both ports, as far as they are asked. ``gate``: set by a test that wants looks to wait."""

    def __init__(self) -> None:
        self.blobs = {
            FILE: Blob(FILE, 1, "text/plain", UploadId(b"1" * 16)),
            PICTURE: Blob(PICTURE, 1, "image/png", UploadId(b"2" * 16), 4, 2),
        }
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.references: list[tuple[str, SendKey]] = []

    async def find(self, caller: Caller, blob_id: str) -> Blob:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if blob_id not in self.blobs:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return self.blobs[BlobId(blob_id)]

    async def add_reference(self, blob_id: BlobId, key: SendKey, now_ms: int) -> bool:
        self.references.append((blob_id, key))
        return True


class World:
    def __init__(self, **limits: Any) -> None:
        self.files = Files()
        self.gone: list[int] = []
        self.refused: list[tuple[int, ErrorCode]] = []
        self.sends = MediaSends(
            files=cast(MediaApi, self.files),
            media=cast(MediaStore, self.files),
            clock=FakeClock(),
            **limits,
        )

    def send(
        self,
        number: int,
        *blob_ids: str,
        kind: int = Kind.FILE,
        conversation_id: ConversationId = ANN_BOB,
    ) -> Send:
        def answer(outcome: Sent | TinyQQError) -> None:
            assert isinstance(outcome, TinyQQError)
            self.refused.append((number, outcome.code))

        send = Send(caller(), conversation_id, new_operation_id(), kind, b"", answer)
        self.sends.take(send, blob_ids, partial(self.gone.append, number))
        return send


async def test_take_when_the_file_may_be_used_then_noted_first_and_let_through() -> None:
    world = World()
    async with world.sends:
        send = world.send(1, FILE, PICTURE)
        assert (world.gone, world.sends.is_holding) == ([], True)
    key = SendKey(send.conversation_id, send.caller.user_id, send.client_message_id)
    assert world.files.references == [(FILE, key), (PICTURE, key)]
    assert (world.gone, world.sends.is_holding) == ([1], False)


async def test_take_when_it_may_not_then_refused_and_what_is_behind_goes_on() -> None:
    world = World()
    async with world.sends:
        world.send(1, "c" * 64)
        world.send(2)
    assert world.refused == [(1, ErrorCode.MEDIA_NOT_FOUND)]
    assert (world.gone, world.files.references) == ([2], [])


async def test_take_when_behind_one_that_waits_then_in_order_and_others_at_once() -> None:
    world = World()
    world.files.gate.clear()
    async with world.sends:
        world.send(1, FILE)
        world.send(2)
        world.send(3, PICTURE)
        world.send(4, conversation_id=ANN_OWN)
        assert world.gone == [4]
        world.files.gate.set()
    assert world.gone == [4, 1, 2, 3]


async def test_take_when_it_cannot_be_told_then_what_is_behind_is_refused_too() -> None:
    world = World()
    world.files.error = Unavailable(ErrorCode.UNAVAILABLE)
    async with world.sends:
        world.send(1, FILE)
        world.send(2)
    assert world.refused == [(1, ErrorCode.UNAVAILABLE), (2, ErrorCode.UNAVAILABLE)]
    assert world.sends.counters()["sends_waiting"] == 0


async def test_take_when_a_bug_comes_up_then_answered(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.files.error = ZeroDivisionError()
    async with world.sends:
        world.send(1, FILE)
    assert world.refused == [(1, ErrorCode.INTERNAL)]
    assert "media.check_failed" in caplog.text


async def test_take_when_an_image_is_none_then_refused() -> None:
    world = World()
    async with world.sends:
        world.send(1, FILE, kind=Kind.IMAGE)
        world.send(2, PICTURE, kind=Kind.IMAGE)
    assert world.refused == [(1, ErrorCode.BAD_MEDIA)]
    assert world.gone == [2]


async def test_take_when_too_many_wait_then_busy() -> None:
    world = World(max_held=20)
    world.files.gate.clear()
    async with world.sends:
        for number in range(4):
            world.send(number, FILE)
        assert world.refused == [(2, ErrorCode.BUSY), (3, ErrorCode.BUSY)]
        world.files.gate.set()
    assert world.gone == [0, 1]
