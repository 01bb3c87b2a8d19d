"""Overview, pages and history on a real database, and the service's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from tests.support.accounts import LAPTOP, PHONE, caller_of
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    BOB,
    EVE,
    GROUP,
    RecordingDelivery,
    operation_id,
)

from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, TinyQQError
from tinyqq.model.account import Account, Caller
from tinyqq.model.conversation import STILL_IN, Effect, PutGroup, PutMember, PutRelation
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId, own_conversation
from tinyqq.model.message import CursorMoved, Entry, Kind, Mark, MarkMany, Typing, is_countable
from tinyqq.model.sync import (
    MAX_OVERVIEW_ENTRIES,
    MAX_PAGE_ENTRIES,
    GetHistory,
    GetOverview,
    Known,
    Summary,
    Sync,
)
from tinyqq.ports.delivery import Hint
from tinyqq.ports.services import OfflineApi
from tinyqq.services.offline import DEFAULT_HISTORY_ENTRIES, OfflineService
from tinyqq.storage.open import Storage, open_storage
from tinyqq.testing.clock import FakeClock


def refuse_to_die(error: Exception) -> None:
    raise AssertionError(error)


class TellingDelivery(RecordingDelivery):
    """Delivery that also says when it was asked for a hint."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        super().hint(hint)
        self.told.set()


class Bench:
    """A service on a database that tests fill by hand."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.delivery = TellingDelivery()
        self.service = OfflineService(
            reader=storage.log_reader,
            conversations=storage.conversations,
            delivery=self.delivery,
            clock=FakeClock(),
            flush_interval_s=3600,
        )

    async def fill(
        self,
        conversation_id: ConversationId,
        kinds: Sequence[int],
        *effects: Effect,
        sender: UserId = BOB,
        listed: tuple[UserId, ...] = (ANN, BOB),
    ) -> None:
        """A conversation of such entries."""
        entries: list[Entry] = []
        for seq, kind in enumerate(kinds, start=1):
            ordinal = sum(is_countable(one) for one in kinds[:seq])
            entries.append(
                Entry(conversation_id, Seq(seq), ordinal, sender, operation_id(), seq, kind, b"x")
            )
        await self.storage.log_writer.ensure_listed([(one, conversation_id) for one in listed])
        await self.storage.log_writer.append(
            entries, [(conversation_id, effect) for effect in effects]
        )

    async def fill_direct(self, count: int = 5) -> None:
        friends = PutRelation(ANN, is_friend=True), PutRelation(BOB, is_friend=True)
        await self.fill(ANN_BOB, [Kind.TEXT] * count, *friends)

    async def fill_group(self, kinds: Sequence[int], since: int = 1, until: int = STILL_IN) -> None:
        await self.fill(
            GROUP,
            kinds,
            PutGroup("G", JoinPolicy.OPEN, "", 5000, 1),
            PutMember(BOB, Seq(1), STILL_IN, Role.OWNER, "", 1),
            PutMember(ANN, Seq(since), Seq(until), Role.MEMBER, "", 1),
        )

    async def line(self, caller: Caller, conversation_id: ConversationId = ANN_BOB) -> Summary:
        overview = await self.service.get_overview(caller, GetOverview())
        return next(one for one in overview.conversations if one.conversation_id == conversation_id)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_storage(f"sqlite:///{tmp_path}/db", on_fatal=refuse_to_die) as storage:
        people = [Account(user_id, f"user{user_id}", "h") for user_id in (ANN, BOB, EVE)]
        await storage.accounts.create_accounts(people, [])
        bench = Bench(storage)
        async with bench.service:
            yield bench


async def code_of(call: object) -> ErrorCode:
    with pytest.raises(TinyQQError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def test_mark_many_when_it_comes_then_each_is_a_mark(bench: Bench) -> None:
    await bench.fill_direct(5)
    await bench.fill_group([Kind.TEXT] * 4)
    marks = MarkMany((Mark(ANN_BOB, Seq(5), Seq(3)), Mark(GROUP, Seq(2))))
    bench.service.mark_many(caller_of(ANN), marks)
    direct, group = [await bench.line(caller_of(ANN), key) for key in (ANN_BOB, GROUP)]
    assert (direct.delivered_seq, direct.read_seq) == (5, 3)
    assert (group.delivered_seq, group.read_seq) == (2, 0)


async def test_get_overview_when_the_peer_has_read_then_listed_for_who_compares(
    bench: Bench,
) -> None:
    await bench.fill_direct(5)
    known = Known(ANN_BOB, Seq(5))
    bench.service.mark(caller_of(BOB), Mark(ANN_BOB, Seq(5), Seq(4)))
    await bench.line(caller_of(BOB))
    for with_cursors, expected in ((False, []), (True, [(4, 5)])):
        request = GetOverview((known,), with_cursors=with_cursors)
        overview = await bench.service.get_overview(caller_of(ANN), request)
        assert [
            (one.peer_read_seq, one.peer_delivered_seq)
            for one in overview.conversations
            if one.conversation_id == ANN_BOB
        ] == expected


async def test_offline_service_when_built_then_an_offline_api(bench: Bench) -> None:
    api: OfflineApi = bench.service
    assert api is bench.service


async def test_get_page_when_there_is_more_than_asked_for_then_page_by_page_to_the_head(
    bench: Bench,
) -> None:
    await bench.fill_direct(5)
    seen: list[Seq] = []
    while True:
        after = seen[-1] if seen else Seq(0)
        page = await bench.service.get_page(caller_of(ANN), Sync(ANN_BOB, after, 2))
        assert page.head_seq == 5
        if not page.entries:
            break
        seen += [entry.seq for entry in page.entries]
    assert seen == [1, 2, 3, 4, 5]
    assert bench.service.counters()["offline_page_entries_total"] == 5


async def test_get_page_when_joined_late_and_left_then_only_that_time(bench: Bench) -> None:
    kinds = [Kind.TEXT, Kind.TEXT, Kind.MEMBER_JOINED, Kind.JOIN_REQUESTED, Kind.TEXT, Kind.TEXT]
    await bench.fill_group(kinds, since=3, until=5)
    page = await bench.service.get_page(caller_of(ANN), Sync(GROUP, Seq(0)))
    assert [(entry.kind, entry.seq, entry.through_seq) for entry in page.entries] == [
        (Kind.HIDDEN, 1, 2),
        (Kind.MEMBER_JOINED, 3, 0),
        (Kind.HIDDEN, 4, 4),
        (Kind.TEXT, 5, 0),
    ]
    assert page.head_seq == 5


async def test_get_page_when_the_limit_is_0_then_as_many_as_may_be(bench: Bench) -> None:
    await bench.fill_direct(MAX_PAGE_ENTRIES + 10)
    page = await bench.service.get_page(caller_of(ANN), Sync(ANN_BOB, Seq(0), 0))
    assert len(page.entries) == MAX_PAGE_ENTRIES


async def test_get_page_when_nothing_was_said_yet_then_empty(bench: Bench) -> None:
    page = await bench.service.get_page(caller_of(ANN), Sync(own_conversation(ANN), Seq(0)))
    assert (page.entries, page.head_seq) == ((), 0)


async def test_reading_when_it_is_not_ones_own_then_refused(bench: Bench) -> None:
    await bench.fill_direct()
    await bench.fill_group([Kind.TEXT])
    eve = caller_of(EVE)
    for conversation_id in (ANN_BOB, own_conversation(ANN), GROUP, ConversationId(99_999)):
        page = bench.service.get_page(eve, Sync(conversation_id, Seq(0)))
        assert await code_of(page) is ErrorCode.NOT_A_MEMBER
        history = bench.service.get_history(eve, GetHistory(conversation_id))
        assert await code_of(history) is ErrorCode.NOT_A_MEMBER


async def test_reading_when_no_conversation_has_the_id_then_refused(bench: Bench) -> None:
    bad = ConversationId(7)
    page = bench.service.get_page(caller_of(ANN), Sync(bad, Seq(0)))
    assert await code_of(page) is ErrorCode.BAD_CONVERSATION
    history = bench.service.get_history(caller_of(ANN), GetHistory(bad))
    assert await code_of(history) is ErrorCode.BAD_CONVERSATION


async def test_reading_when_too_much_is_asked_for_then_refused_with_the_limit(
    bench: Bench,
) -> None:
    ann = caller_of(ANN)
    for call, limit in [
        (bench.service.get_page(ann, Sync(ANN_BOB, Seq(0), 501)), MAX_PAGE_ENTRIES),
        (bench.service.get_history(ann, GetHistory(ANN_BOB, Seq(0), 501)), MAX_PAGE_ENTRIES),
        (bench.service.get_overview(ann, GetOverview(limit=1001)), MAX_OVERVIEW_ENTRIES),
    ]:
        with pytest.raises(InvalidRequest) as caught:
            await call
        assert caught.value.code is ErrorCode.PAGE_TOO_LARGE
        assert caught.value.fields == {"limit": limit}


async def test_get_history_when_going_back_then_the_unseen_is_left_out(bench: Bench) -> None:
    kinds = [Kind.TEXT, Kind.TEXT, Kind.MEMBER_JOINED, Kind.JOIN_REQUESTED, Kind.TEXT, Kind.TEXT]
    await bench.fill_group(kinds, since=2)
    newest = await bench.service.get_history(caller_of(ANN), GetHistory(GROUP, Seq(0), 2))
    assert [entry.seq for entry in newest.entries] == [5, 6]
    assert newest.more
    older = await bench.service.get_history(caller_of(ANN), GetHistory(GROUP, Seq(5), 2))
    assert [entry.seq for entry in older.entries] == [2, 3]
    assert not older.more


async def test_get_history_when_the_limit_is_0_then_the_default(bench: Bench) -> None:
    await bench.fill_direct(DEFAULT_HISTORY_ENTRIES + 5)
    history = await bench.service.get_history(caller_of(ANN), GetHistory(ANN_BOB, Seq(0), 0))
    assert len(history.entries) == DEFAULT_HISTORY_ENTRIES


async def test_get_overview_when_a_cursor_is_still_in_memory_then_it_counts(bench: Bench) -> None:
    await bench.fill_direct(5)
    assert (await bench.line(caller_of(ANN))).unread == 5
    bench.service.mark(caller_of(ANN, PHONE), Mark(ANN_BOB, Seq(4), Seq(3)))
    line = await bench.line(caller_of(ANN, PHONE))
    assert (line.unread, line.read_seq, line.delivered_seq) == (2, 3, 4)


async def test_get_overview_when_another_device_read_then_read_here_too(bench: Bench) -> None:
    await bench.fill_direct(5)
    bench.service.mark(caller_of(ANN, LAPTOP), Mark(ANN_BOB, Seq(5), Seq(4)))
    line = await bench.line(caller_of(ANN, PHONE))
    assert (line.unread, line.read_seq) == (1, 4)


async def test_get_overview_when_the_peer_read_then_the_peers_cursors_show_it(
    bench: Bench,
) -> None:
    await bench.fill_direct(5)
    bench.service.mark(caller_of(BOB), Mark(ANN_BOB, Seq(4), Seq(3)))
    await bench.line(caller_of(BOB))
    line = await bench.line(caller_of(ANN))
    assert (line.peer_delivered_seq, line.peer_read_seq) == (4, 3)


async def test_note_sent_when_writing_then_what_stands_above_is_read(bench: Bench) -> None:
    await bench.fill_direct(5)
    bench.service.note_sent(ANN, ANN_BOB, Seq(5))
    assert (await bench.line(caller_of(ANN))).unread == 0


async def test_mark_when_moved_then_the_others_are_told(bench: Bench) -> None:
    await bench.fill_direct(5)
    bench.service.mark(caller_of(ANN), Mark(ANN_BOB, Seq(9), Seq(9)))
    await bench.line(caller_of(ANN))
    record = CursorMoved(ANN_BOB, ANN, Seq(5), Seq(5))
    assert [(hint.user_ids, hint.record) for hint in bench.delivery.hints] == [((ANN, BOB), record)]


async def test_typing_when_they_are_friends_then_the_other_is_told(bench: Bench) -> None:
    await bench.fill_direct(1)
    bench.service.typing(caller_of(ANN), Typing(ANN_BOB))
    await asyncio.wait_for(bench.delivery.told.wait(), 30)
    assert bench.delivery.hints[0].record == Typing(ANN_BOB, ANN)


async def test_service_when_left_by_an_error_then_pending_cursors_are_stored_all_the_same(
    bench: Bench,
) -> None:
    await bench.fill_direct(5)
    other = Bench(bench.storage)

    async def fail() -> None:
        async with other.service:
            other.service.mark(caller_of(ANN), Mark(ANN_BOB, Seq(3), Seq(3)))
            raise Forbidden(ErrorCode.FORBIDDEN)

    with pytest.raises(Forbidden):
        await fail()
    row = await bench.storage.conversations.read_cursor(ANN, PHONE, ANN_BOB)
    assert row is not None
    assert row.read_seq == 3
