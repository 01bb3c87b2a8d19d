"""Catching up and staying up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, gap, text

from tinyqq.client import receiving
from tinyqq.client.cursors import Cursors
from tinyqq.client.inbox import Inbox
from tinyqq.client.receiving import Receiver
from tinyqq.client.store import MemoryStore
from tinyqq.client.stream import Stream
from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.connection import HeadHint
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import CursorMoved, Entry, Mark
from tinyqq.model.sync import GetOverview, Known, Overview, Page, Position, Summary, Sync
from tinyqq.wire.packets import PacketType

FAR = Seq(2**63 - 1)


class Server:
    """Logs, answers to what a receiver asks, and troubles on demand."""

    def __init__(self) -> None:
        self.logs: dict[ConversationId, list[Entry]] = {}
        self.summaries: dict[ConversationId, Summary] = {}
        self.troubles: list[TinyQQError] = []
        self.asked: list[Any] = []
        self.overview_page = 100
        self.before_answer: Callable[[], None] = lambda: None

    def fill(self, conversation: ConversationId, count: int, **fields: Any) -> None:
        self.logs[conversation] = [text(seq + 1, conversation=conversation) for seq in range(count)]
        known: dict[str, Any] = {"read_seq": Seq(0), "delivered_seq": Seq(0), "until_seq": FAR}
        known |= {"since_seq": Seq(1), "unread": 0, "head_seq": Seq(count)} | fields
        self.summaries[conversation] = Summary(conversation, **known)

    async def call(self, packet_type: PacketType, record: object) -> Any:
        self.asked.append(record)
        if self.troubles:
            raise self.troubles.pop(0)
        self.before_answer()
        match record:
            case GetOverview(after_conversation_id=after):
                rest = [one for key, one in sorted(self.summaries.items()) if key > after]
                page = rest[: self.overview_page]
                return Overview(tuple(page), more=len(rest) > len(page))
            case Sync(conversation, after, limit):
                log = self.logs[conversation]
                return Page(tuple(log[after : after + limit]), Seq(len(log)))
        raise AssertionError(record)

    @property
    def syncs(self) -> list[Sync]:
        return [one for one in self.asked if isinstance(one, Sync)]


class Fixture:
    def __init__(self, positions: tuple[Position, ...] = (), max_weight: int = 10**9) -> None:
        self.server = Server()
        self.store = MemoryStore()
        self.lost: list[Mark] = []
        self.moved: list[CursorMoved] = []
        self.stream: Stream[Entry] = Stream(on_room=self._on_room, max_weight=max_weight)
        self.receiver = Receiver(
            inbox=Inbox(positions),
            cursors=Cursors(ANN, positions),
            stream=self.stream,
            store=self.store,
            call=self.server.call,
            hand_out=lambda entry: self.stream.put(entry, 1),
            on_lost=self.lost.append,
            on_moved=self.moved.append,
        )

    def _on_room(self) -> None:
        self.receiver.room()

    async def take(self, count: int) -> list[int]:
        async with asyncio.timeout(30):
            return [(await self.stream.take()).seq for _ in range(count)]

    async def caught_up(self) -> None:
        async with asyncio.timeout(30):
            await self.receiver.wait_caught_up()


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Fixture]]:
    running: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as tasks:

        def make_one(**settings: Any) -> Fixture:
            fixture = Fixture(**settings)
            running.append(tasks.create_task(fixture.receiver.run()))
            return fixture

        yield make_one
        for task in running:
            task.cancel()


async def test_catch_up_when_new_then_from_where_the_server_says(
    make: Callable[..., Fixture],
) -> None:
    made = make()
    made.server.fill(ANN_BOB, 5, delivered_seq=Seq(3))
    made.server.fill(GROUP, 4, since_seq=Seq(3))
    made.receiver.catch_up()
    await made.caught_up()
    assert sorted(await made.take(4)) == [3, 4, 4, 5]
    assert set(made.store.load().positions) == {
        Position(ANN_BOB, Seq(3)),
        Position(GROUP, Seq(2)),
    }


async def test_catch_up_when_known_then_from_there_and_says_so(
    make: Callable[..., Fixture],
) -> None:
    known = (Position(ANN_BOB, Seq(2)),)
    made = make(positions=known)
    made.server.fill(ANN_BOB, 4, delivered_seq=Seq(4))
    made.receiver.catch_up()
    await made.caught_up()
    assert await made.take(2) == [3, 4]
    at_2 = Known(ANN_BOB, Seq(2), delivered_seq=Seq(2))
    assert made.server.asked[0] == GetOverview((at_2,), with_cursors=True)


async def test_catch_up_when_cursors_moved_while_away_then_told_but_not_at_the_start(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(4)),))
    made.server.fill(ANN_BOB, 4, delivered_seq=Seq(4), peer_read_seq=Seq(2))
    made.receiver.catch_up()
    await made.caught_up()
    assert made.moved == []
    made.server.fill(ANN_BOB, 4, delivered_seq=Seq(4), peer_read_seq=Seq(3))
    made.receiver.catch_up()
    await made.caught_up()
    assert made.moved == [CursorMoved(ANN_BOB, BOB, Seq(0), Seq(3))]
    [_, second] = made.server.asked
    assert second.known == (Known(ANN_BOB, Seq(4), Seq(0), Seq(4), Seq(2), Seq(2)),)


async def test_catch_up_when_the_server_lacks_a_mark_then_it_is_lost(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(4)),))
    made.server.fill(ANN_BOB, 4, delivered_seq=Seq(3))
    made.receiver.catch_up()
    await made.caught_up()
    assert made.lost == [Mark(ANN_BOB, Seq(4))]


async def test_catch_up_when_the_overview_has_pages_then_all_of_them(
    make: Callable[..., Fixture],
) -> None:
    made = make()
    made.server.overview_page = 1
    made.server.fill(ANN_BOB, 1)
    made.server.fill(GROUP, 1)
    made.receiver.catch_up()
    await made.caught_up()
    assert await made.take(2) == [1, 1]


async def test_catch_up_when_there_are_many_then_page_by_page(
    make: Callable[..., Fixture],
) -> None:
    made = make()
    made.server.fill(ANN_BOB, 1_200)
    made.receiver.catch_up()
    await made.caught_up()
    assert await made.take(1_200) == list(range(1, 1_201))
    assert [one.after_seq for one in made.server.syncs] == [0, 500, 1_000]


async def test_catch_up_when_out_of_a_conversation_then_only_to_its_end(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(GROUP, Seq(2)),))
    made.server.fill(GROUP, 9, until_seq=Seq(2))
    made.receiver.catch_up()
    await made.caught_up()
    assert made.server.syncs == []


async def test_catch_up_when_pushes_come_first_then_each_once(
    make: Callable[..., Fixture],
) -> None:
    made = make()
    made.server.fill(ANN_BOB, 3, delivered_seq=Seq(1))
    made.receiver.take(text(3))
    made.receiver.catch_up()
    await made.caught_up()
    made.receiver.take(text(4))
    assert await made.take(3) == [2, 3, 4]


async def test_take_when_there_is_a_gap_then_synced(make: Callable[..., Fixture]) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(1)),))
    made.server.fill(ANN_BOB, 4)
    made.receiver.take(text(4))
    assert await made.take(3) == [2, 3, 4]


async def test_take_when_the_gap_closes_by_itself_then_not_synced(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(1)),))
    made.receiver.take(text(3))
    made.receiver.take(text(2))
    assert await made.take(2) == [2, 3]
    await asyncio.wait_for(wait_for_timers(), 30)
    assert made.server.asked == []


async def wait_for_timers() -> None:
    """Until a gap would have been asked for."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(receiving.GAP_GRACE_S * 2, done.set_result, None)
    await done


async def test_hint_when_in_pull_mode_then_synced(make: Callable[..., Fixture]) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(1)),))
    made.server.fill(ANN_BOB, 2)
    made.receiver.hint(HeadHint((Position(ANN_BOB, Seq(2)),)))
    assert await made.take(1) == [2]


async def test_sync_when_refused_for_good_then_the_others_go_on(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(0)), Position(GROUP, Seq(0))))
    made.server.fill(ANN_BOB, 1)
    made.server.troubles = [Forbidden(ErrorCode.NOT_A_MEMBER)]
    made.receiver.hint(HeadHint((Position(GROUP, Seq(1)), Position(ANN_BOB, Seq(1)))))
    assert await made.take(1) == [1]
    assert len(made.server.syncs) == 2


@pytest.mark.parametrize("troubles", [1, 3])
async def test_catch_up_when_the_server_is_busy_then_later(
    make: Callable[..., Fixture], troubles: int
) -> None:
    made = make()
    made.server.fill(ANN_BOB, 1)
    made.server.troubles = [Unavailable(ErrorCode.BUSY) for _ in range(troubles)]
    made.receiver.catch_up()
    await made.caught_up()
    assert await made.take(1) == [1]


async def test_sync_when_the_server_is_busy_then_later(make: Callable[..., Fixture]) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(0)),))
    made.server.fill(ANN_BOB, 1)
    made.server.troubles = [Unavailable(ErrorCode.BUSY)]
    made.receiver.hint(HeadHint((Position(ANN_BOB, Seq(1)),)))
    assert await made.take(1) == [1]


async def test_catch_up_when_not_allowed_then_waits_for_the_next_time(
    make: Callable[..., Fixture],
) -> None:
    made = make()
    made.server.fill(ANN_BOB, 1)
    made.server.troubles = [Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)]
    made.receiver.catch_up()
    await wait_for_timers()
    assert len(made.server.asked) == 1
    made.receiver.catch_up()
    await made.caught_up()


async def test_take_when_nobody_reads_then_fetched_when_somebody_does(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(0)),), max_weight=2)
    made.server.fill(ANN_BOB, 9)
    for seq in range(1, 10):
        made.receiver.take(text(seq))
    await wait_for_timers()
    assert made.server.asked == []
    assert await made.take(9) == list(range(1, 10))


async def test_sync_when_nobody_reads_then_no_further_page(make: Callable[..., Fixture]) -> None:
    made = make(max_weight=600)
    made.server.fill(ANN_BOB, 1_500)
    made.receiver.catch_up()
    await wait_for_timers()
    assert [one.after_seq for one in made.server.syncs] == [0, 500]
    assert await made.take(1_500) == list(range(1, 1_501))


async def test_position_when_asked_then_up_to_where_it_is_complete(
    make: Callable[..., Fixture],
) -> None:
    made = make(positions=(Position(ANN_BOB, Seq(2)),))
    made.receiver.take(gap(3, 8))
    assert made.receiver.position(ANN_BOB) == 8
    assert made.receiver.position(GROUP) == 0
