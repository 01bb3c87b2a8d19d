"""What belongs to one user: handing out, positions, marks, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any, cast

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, text

from tinyqq.client.connection import Connection
from tinyqq.client.mailbox import Mailbox
from tinyqq.client.messages import Connected, Desk, Disconnected, Message, SendRefused
from tinyqq.client.outbox import Outgoing
from tinyqq.client.store import MemoryStore
from tinyqq.errors import (
    ErrorCode,
    Forbidden,
    InvalidRequest,
    TinyQQError,
    Unauthenticated,
    Unavailable,
)
from tinyqq.model.account import ProfileChanged
from tinyqq.model.connection import HeadHint
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, OperationId, Seq
from tinyqq.model.message import CursorMoved, Entry, Mark, MarkMany, Sent, Typing
from tinyqq.model.sync import GetOverview, Overview, Page, Position, Summary, Sync
from tinyqq.wire.packets import PacketType


class Line:
    """A connection that keeps what is put on it."""

    unit_id = "unit"
    is_closed = False
    in_flight = 0
    max_in_flight = 10

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.answers: list[Any] = []

    def notify(self, packet_type: PacketType, record: Any) -> None:
        self.told.append(record)

    def send(self, packet_type: PacketType, body: bytes, answer: Any) -> None:
        self.answers.append(answer)


class AnnsDesk:
    user_id = ANN


class Fixture:
    def __init__(self, tasks: asyncio.TaskGroup, random: Random, *, bot: bool = False) -> None:
        self.store = MemoryStore()
        self.store.save_account(ANN, "token")
        self.store.save_positions([Position(ANN_BOB, Seq(0))])
        self.log: list[Entry] = []
        self.summaries: list[Summary] = []
        self.tasks, self.random = tasks, random
        self.mailbox = self.make(bot=bot)

    def make(self, *, bot: bool = False) -> Mailbox:
        return Mailbox(
            user_id=ANN,
            store=self.store,
            random=self.random,
            tasks=self.tasks,
            call=self.call,
            desk=cast(Desk, AnnsDesk()),
            reads_at_once=bot,
        )

    async def call(self, packet_type: PacketType, record: object) -> Any:
        match record:
            case GetOverview():
                return Overview(tuple(self.summaries), more=False)
            case Sync(_, after, _):
                return Page(tuple(self.log[after:]), Seq(len(self.log)))
        raise AssertionError(record)

    def up(self) -> Line:
        line = Line()
        self.mailbox.on_up(cast(Connection, line))
        return line

    async def take(self) -> Any:
        async with asyncio.timeout(30):
            return await self.mailbox.take()

    def end(self) -> None:
        self.mailbox.end(None, refusal=Unavailable(ErrorCode.CONNECTION_LOST))


@pytest.fixture
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
async def made(tasks: asyncio.TaskGroup, hasty: Random) -> AsyncIterator[Fixture]:
    fixture = Fixture(tasks, hasty)
    yield fixture
    fixture.end()


async def test_take_when_an_entry_comes_then_it_counts_from_then_on(made: Fixture) -> None:
    line = made.up()
    made.mailbox.on_push(text(1))
    assert made.store.load().positions == (Position(ANN_BOB, Seq(0)),)
    assert await made.take() == Connected(ANN, "unit")
    message = await made.take()
    assert (message.text, message.sender) == ("text 1", BOB)
    assert made.store.load().positions == (Position(ANN_BOB, Seq(1)),)
    made.mailbox.flush()
    assert line.told == [Mark(ANN_BOB, delivered_seq=Seq(1))]


async def test_take_when_a_bot_then_what_is_handed_out_is_read(
    tasks: asyncio.TaskGroup, hasty: Random
) -> None:
    made = Fixture(tasks, hasty, bot=True)
    line = made.up()
    made.mailbox.on_push(text(1))
    await made.take()
    await made.take()
    made.mailbox.flush()
    assert line.told == [Mark(ANN_BOB, Seq(1), Seq(1))]
    made.end()


async def test_take_when_started_again_then_from_where_it_was(made: Fixture) -> None:
    made.log = [text(1), text(2)]
    for entry in made.log:
        made.mailbox.on_push(entry)
    await made.take()
    made.end()
    made.mailbox = made.make()
    made.mailbox.on_push(HeadHint((Position(ANN_BOB, Seq(2)),)))
    assert (await made.take()).seq == 2


async def test_on_push_when_hint_then_handed_out(made: Fixture) -> None:
    for hint in (
        Typing(ANN_BOB, BOB),
        PresenceChanged(BOB, online=True),
        ProfileChanged(BOB, "Bob"),
    ):
        made.mailbox.on_push(hint)
        assert await made.take() == hint


async def test_on_push_when_of_a_newer_server_then_ignored(made: Fixture) -> None:
    made.mailbox.on_push(object())
    made.mailbox.on_push(text(1))
    assert (await made.take()).seq == 1


async def test_on_down_when_cut_then_told(made: Fixture) -> None:
    made.up()
    error = Unavailable(ErrorCode.CONNECTION_LOST)
    made.mailbox.on_down(error)
    assert [await made.take(), await made.take()] == [Connected(ANN, "unit"), Disconnected(error)]


async def test_marks_when_the_server_has_lost_some_then_told_once_more(made: Fixture) -> None:
    first = made.up()
    for conversation, seq in ((ANN_BOB, 5), (GROUP, 3)):
        made.mailbox.mark_read(conversation, Seq(seq))
    made.mailbox.flush()
    assert first.told == [MarkMany((Mark(ANN_BOB, Seq(0), Seq(5)), Mark(GROUP, Seq(0), Seq(3))))]
    made.mailbox.on_down(Unavailable(ErrorCode.CONNECTION_LOST))
    made.summaries = [Summary(ANN_BOB, Seq(0), Seq(1), Seq(0), 0, Seq(4), Seq(0))]
    second = made.up()
    await made.mailbox.wait_synced()
    made.mailbox.flush()
    assert second.told == [Mark(ANN_BOB, Seq(0), Seq(5))]


async def test_cursors_when_they_moved_while_away_then_handed_out(made: Fixture) -> None:
    made.up()
    await made.mailbox.wait_synced()
    made.mailbox.on_push(CursorMoved(ANN_BOB, BOB, Seq(3), Seq(2)))
    made.mailbox.on_push(text(4, conversation=GROUP, sender=ANN))
    made.mailbox.on_down(Unavailable(ErrorCode.CONNECTION_LOST))
    made.summaries = [Summary(ANN_BOB, Seq(0), Seq(1), Seq(0), 0, Seq(0), Seq(0), Seq(3), Seq(3))]
    made.up()
    await made.mailbox.wait_synced()
    events = [await made.take() for _ in range(5)]
    assert events[-1] == CursorMoved(ANN_BOB, BOB, Seq(3), Seq(3))


async def test_mark_read_when_no_seq_then_what_was_handed_out(made: Fixture) -> None:
    line = made.up()
    made.mailbox.on_push(text(1))
    made.mailbox.on_push(text(2))
    await made.take()
    await made.take()
    made.mailbox.mark_read(ANN_BOB, None)
    made.mailbox.mark_read(GROUP, None)
    made.mailbox.flush()
    assert line.told == [Mark(ANN_BOB, Seq(1), Seq(1))]


async def test_own_entry_when_it_comes_back_then_acknowledges_the_send(made: Fixture) -> None:
    outgoing = Outgoing(ANN_BOB, OperationId(bytes(16)), 1, b"")
    made.up()
    sending = made.tasks.create_task(made.mailbox.sender.send(outgoing, timeout_s=30))
    await asyncio.sleep(0)
    entry = text(1, sender=ANN)._replace(client_message_id=outgoing.client_message_id)
    made.mailbox.on_push(entry)
    assert await sending == Sent(Seq(1), 1, entry.sent_at_ms)
    await made.take()
    message = await made.take()
    assert isinstance(message, Message)
    assert message.is_own


async def test_left_over_when_refused_then_told(made: Fixture) -> None:
    outgoing = Outgoing(ANN_BOB, OperationId(bytes(16)), 1, b"")
    made.store.put_outgoing(outgoing)
    made.end()
    made.mailbox = made.make()
    line = made.up()
    error = Forbidden(ErrorCode.NOT_FRIENDS)
    line.answers[0](error)
    await made.take()
    assert await made.take() == SendRefused(outgoing, error)


async def test_arrived_when_history_is_ahead_of_pushes_then_handed_out_once(
    made: Fixture,
) -> None:
    made.mailbox.on_push(text(1))
    made.mailbox.arrived((text(1), text(2)))
    made.mailbox.on_push(text(2))
    made.mailbox.on_push(text(3))
    assert [(await made.take()).seq for _ in range(3)] == [1, 2, 3]


async def test_end_when_error_then_the_reader_gets_it(made: Fixture) -> None:
    error: TinyQQError = Unauthenticated(ErrorCode.TOKEN_INVALID)
    made.mailbox.on_push(text(1))
    made.mailbox.end(error, refusal=error)
    assert (await made.take()).seq == 1
    with pytest.raises(Unauthenticated):
        await made.take()


async def test_wait_synced_when_nothing_is_missing_then_soon(made: Fixture) -> None:
    made.up()
    async with asyncio.timeout(30):
        await made.mailbox.wait_synced()


async def test_wait_synced_when_it_ends_before_then_why(made: Fixture) -> None:
    waiting = asyncio.gather(made.mailbox.wait_synced(), return_exceptions=True)
    await asyncio.sleep(0)
    error = Unauthenticated(ErrorCode.TOKEN_INVALID)
    made.mailbox.end(error, refusal=error)
    async with asyncio.timeout(10):
        (outcome,) = await waiting
    assert outcome is error


async def test_wait_synced_when_more_was_missed_than_is_held_then_what_is_held(
    made: Fixture,
) -> None:
    made.log = [text(seq, "x" * 60_000) for seq in range(1, 101)]
    made.summaries = [Summary(ANN_BOB, Seq(100), Seq(1), Seq(100), 0, Seq(0), Seq(0))]
    made.up()
    async with asyncio.timeout(10):
        await made.mailbox.wait_synced()
        made.up()  # comes back before anything was taken
        await made.mailbox.wait_synced()
    assert await made.take() == Connected(ANN, "unit")
    assert [(await made.take()).seq for _ in made.log] == [entry.seq for entry in made.log]


@pytest.mark.parametrize(
    ("conversation", "seq"), [(ANN_BOB, -1), (ANN_BOB, 2**63), (-1, 1), (0, 1)]
)
def test_mark_read_when_there_can_be_no_such_entry_then_refused(
    made: Fixture, conversation: int, seq: int
) -> None:
    with pytest.raises(InvalidRequest):
        made.mailbox.mark_read(ConversationId(conversation), Seq(seq))
