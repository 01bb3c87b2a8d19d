"""Sending: order, repeats, refusals, whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, cast

import pytest
from tests.support.entries import ANN, ANN_BOB, GROUP

from tinyqq.client.connection import Connection
from tinyqq.client.outbox import Outbox, Outgoing
from tinyqq.client.sending import Sender
from tinyqq.client.store import MemoryStore
from tinyqq.errors import ErrorCode, Forbidden, RateLimited, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId, OperationId, Seq
from tinyqq.model.message import Entry, Sent
from tinyqq.wire.packets import PacketType, decode_send


def outgoing(number: int, conversation: ConversationId = ANN_BOB) -> Outgoing:
    return Outgoing(conversation, OperationId(number.to_bytes(16, "big")), 1, b"x%d" % number)


class Line:
    """A connection whose other end the test plays."""

    def __init__(self, *, max_in_flight: int = 100) -> None:
        self.max_in_flight = max_in_flight
        self.is_closed = False
        self.waiting: dict[int, Any] = {}
        self.sent: list[tuple[int, int]] = []
        self.on_room: Callable[[], None] = lambda: None
        self.changed = asyncio.Event()

    @property
    def in_flight(self) -> int:
        return len(self.waiting)

    def send(self, packet_type: PacketType, body: bytes, answer: Any) -> None:
        fields = decode_send(body)
        number = int.from_bytes(fields.client_message_id, "big")
        self.sent.append((number, fields.flight))
        self.waiting[number] = answer
        self.changed.set()

    async def wait_for(self, count: int) -> None:
        """Wait until so many have been sent."""
        async with asyncio.timeout(30):
            while len(self.sent) < count:
                self.changed.clear()
                await self.changed.wait()

    def answer(self, number: int, outcome: Sent | TinyQQError) -> None:
        self.waiting.pop(number)(outcome)
        self.on_room()

    def accept(self, number: int) -> None:
        self.answer(number, Sent(Seq(number), number, 7))

    def lose(self) -> None:
        self.is_closed = True
        waiting, self.waiting = self.waiting, {}
        for answer in waiting.values():
            answer(Unavailable(ErrorCode.CONNECTION_LOST))


class Fixture:
    def __init__(self, random: Random, left_over: tuple[Outgoing, ...] = ()) -> None:
        self.store = MemoryStore()
        self.entries: list[Entry] = []
        self.refused: list[tuple[Outgoing, TinyQQError]] = []
        self.line = Line()
        self.sender = Sender(
            outbox=Outbox(left_over, max_messages=10),
            store=self.store,
            random=random,
            user_id=ANN,
            on_sent=self.entries.append,
            on_refused=lambda one, error: self.refused.append((one, error)),
        )

    def use(self, line: Line | None) -> None:
        if line is not None:
            self.line = line
        self.sender.use(cast(Connection, line))

    async def send(
        self, *numbers: int, conversation: ConversationId = ANN_BOB
    ) -> asyncio.Future[list[Any]]:
        """Send one after the other; the future has the outcomes."""
        waiting = asyncio.gather(
            *(self.sender.send(outgoing(number, conversation), timeout_s=30) for number in numbers),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
        return waiting


@pytest.fixture
def made(hasty: Random) -> Fixture:
    return Fixture(hasty)


async def test_send_when_accepted_then_where_it_went(made: Fixture) -> None:
    made.use(made.line)
    outcome = await made.send(1)
    assert made.store.load().outgoing == (outgoing(1),)
    made.line.accept(1)
    assert await outcome == [Sent(Seq(1), 1, 7)]
    assert made.store.load().outgoing == ()
    (entry,) = made.entries
    assert (entry.seq, entry.sender_id, entry.body) == (1, ANN, b"x1")


async def test_send_when_not_connected_then_goes_with_the_next_connection(made: Fixture) -> None:
    outcome = await made.send(1, 2)
    made.use(Line())
    assert made.line.sent == [(1, 1), (2, 1)]
    made.line.accept(1)
    made.line.accept(2)
    assert [one.seq for one in await outcome] == [1, 2]


async def test_send_when_the_connection_breaks_then_again_in_order_with_the_same_ids(
    made: Fixture,
) -> None:
    made.use(made.line)
    outcome = await made.send(1, 2, 3)
    made.line.accept(2)
    made.line.lose()
    made.use(Line())
    assert [number for number, _ in made.line.sent] == [1, 3]
    made.line.accept(1)
    made.line.accept(3)
    assert [one.seq for one in await outcome] == [1, 2, 3]


async def test_send_when_refused_for_good_then_raises_and_the_rest_goes_on(made: Fixture) -> None:
    made.use(made.line)
    outcome = await made.send(1, 2)
    made.line.answer(1, Forbidden(ErrorCode.NOT_FRIENDS))
    made.line.accept(2)
    first, second = await outcome
    assert isinstance(first, Forbidden)
    assert second.seq == 2
    assert made.store.load().outgoing == ()
    assert made.refused == []


@pytest.mark.parametrize("code", [ErrorCode.BUSY, ErrorCode.RATE_LIMITED])
async def test_send_when_refused_for_now_then_all_again_in_the_next_flight(
    made: Fixture, code: ErrorCode
) -> None:
    made.use(made.line)
    outcome = await made.send(1, 2)
    refusal = Unavailable(code) if code is ErrorCode.BUSY else RateLimited(code)
    made.line.answer(1, refusal)
    made.line.answer(2, Unavailable(ErrorCode.FLIGHT_BROKEN))
    await made.line.wait_for(4)
    assert made.line.sent == [(1, 1), (2, 1), (1, 2), (2, 2)]
    made.line.accept(1)
    made.line.accept(2)
    assert [one.seq for one in await outcome] == [1, 2]


async def test_send_when_the_line_breaks_during_the_pause_then_not_twice(made: Fixture) -> None:
    made.use(made.line)
    outcome = await made.send(1)
    made.line.answer(1, Unavailable(ErrorCode.BUSY, retry_after_s=60))
    made.line.lose()
    made.use(None)
    made.use(Line())
    assert made.line.sent == [(1, 2)]
    made.line.accept(1)
    await outcome


async def test_pump_when_the_window_is_full_then_the_rest_waits(made: Fixture) -> None:
    made.use(Line(max_in_flight=4))
    outcome = await made.send(1, 2, 3, 4, 5)
    assert [number for number, _ in made.line.sent] == [1, 2, 3]
    made.line.accept(1)
    assert [number for number, _ in made.line.sent] == [1, 2, 3, 4]
    for number in (2, 3, 4, 5):
        made.line.accept(number)
    await outcome


async def test_seen_when_it_came_by_push_then_acknowledged(made: Fixture) -> None:
    made.use(made.line)
    outcome = await made.send(1)
    entry = Entry(ANN_BOB, Seq(8), 6, ANN, outgoing(1).client_message_id, 9, 1, outgoing(1).content)
    made.sender.seen(entry)
    assert await outcome == [Sent(Seq(8), 6, 9)]
    assert made.store.load().outgoing == ()
    made.sender.seen(entry)
    made.line.answer(1, Forbidden(ErrorCode.BLOCKED))
    assert made.refused == []


async def test_send_when_nobody_answers_then_timed_out_and_still_in_the_outbox(
    made: Fixture,
) -> None:
    made.use(made.line)
    with pytest.raises(Unavailable) as caught:
        await made.sender.send(outgoing(1), timeout_s=0.01)
    assert caught.value.code is ErrorCode.TIMED_OUT
    assert made.store.load().outgoing == (outgoing(1),)
    made.line.accept(1)
    assert made.store.load().outgoing == ()


async def test_send_when_it_cannot_be_stored_then_it_is_not_sent(made: Fixture) -> None:
    class FullStore(MemoryStore):
        def put_outgoing(self, outgoing: Outgoing) -> None:
            raise OSError("the disk is full")

    made.sender._store = FullStore()
    with pytest.raises(OSError, match="full"):
        await made.sender.send(outgoing(1), timeout_s=30)
    made.use(made.line)
    assert made.line.sent == []


async def test_send_when_the_outbox_is_full_then_refused(made: Fixture) -> None:
    waiting = await made.send(*range(1, 11))
    with pytest.raises(Unavailable) as caught:
        await made.sender.send(outgoing(11), timeout_s=30)
    assert caught.value.code is ErrorCode.BUSY
    made.sender.end(Unavailable(ErrorCode.CONNECTION_LOST))
    await waiting


async def test_sender_when_left_over_is_refused_then_told(hasty: Random) -> None:
    made = Fixture(hasty, left_over=(outgoing(1),))
    made.use(made.line)
    error = Forbidden(ErrorCode.NOT_FRIENDS)
    made.line.answer(1, error)
    assert made.refused == [(outgoing(1), error)]


async def test_end_when_somebody_waits_then_gets_the_error(made: Fixture) -> None:
    made.use(made.line)
    outcome = await made.send(1)
    await made.send(2, conversation=GROUP)
    made.line.answer(2, Unavailable(ErrorCode.BUSY, retry_after_s=60))
    made.sender.end(Unavailable(ErrorCode.CONNECTION_LOST))
    assert isinstance((await outcome)[0], Unavailable)
    assert len(made.store.load().outgoing) == 2
    with pytest.raises(Unavailable):
        await made.sender.send(outgoing(3), timeout_s=30)
    assert len(made.store.load().outgoing) == 2
