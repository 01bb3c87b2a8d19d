"""The conversation list: what is on it, in which order, and how much of it is unread."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    BOB,
    EVE,
    GROUP,
    LAPTOP,
    PHONE,
    account,
    entry,
    in_group,
    log_of,
    messages,
    put_group,
    put_member,
)

from tinyqq.model.conversation import PutRelation
from tinyqq.model.ids import ConversationId, Seq, UserId, direct_conversation
from tinyqq.model.message import Kind
from tinyqq.model.sync import Known, Overview, Summary
from tinyqq.ports.storage import ACCOUNT_DEVICE, CursorRow
from tinyqq.storage.open import Storage

T, JOINED = Kind.TEXT, Kind.MEMBER_JOINED


async def overview(
    storage: Storage,
    user: UserId = ANN,
    *,
    known: Sequence[Known] = (),
    with_cursors: bool = False,
    after: int = 0,
    limit: int = 1_000,
) -> Overview:
    """The list of Ann's phone."""
    return await storage.log_reader.read_overview(
        user,
        PHONE,
        known=known,
        with_cursors=with_cursors,
        after_conversation_id=ConversationId(after),
        limit=limit,
    )


async def line(storage: Storage, conversation: ConversationId, user: UserId = ANN) -> Summary:
    """One line of the list."""
    lines = (await overview(storage, user)).conversations
    [found] = [one for one in lines if one.conversation_id == conversation]
    return found


async def ids(storage: Storage, user: UserId = ANN, **options: object) -> list[int]:
    """What is on the list."""
    lines = (await overview(storage, user, **options)).conversations  # type: ignore[arg-type]  # handed on as they are
    return [one.conversation_id for one in lines]


async def read(storage: Storage, user: UserId, conversation: ConversationId, seq: int) -> None:
    """The user has read up to *seq*."""
    row = CursorRow(user, ACCOUNT_DEVICE, conversation, Seq(seq), Seq(seq))
    await storage.conversations.merge_cursors([row])


@pytest.fixture
async def talk(storage: Storage) -> Storage:
    """Ann and Bob have exchanged five messages, became friends, and then Ann blocked Bob."""
    await storage.accounts.create_accounts([account(ANN, "Ann"), account(BOB, "Bob")], [])
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB), (BOB, ANN_BOB)])
    kinds = [T, T, Kind.FRIEND_ADDED, T, T, T, Kind.BLOCKED]
    await storage.log_writer.append(log_of(kinds), [])
    return storage


async def join_group(storage: Storage, kinds: Sequence[int], *members: tuple[int, int]) -> None:
    """A group that Ann was in during these intervals."""
    rows = [put_member(ANN, since, until) for since, until in members]
    await storage.log_writer.ensure_listed([(ANN, GROUP)])
    await storage.log_writer.append(
        log_of(kinds, GROUP, sender_id=EVE), in_group(put_group(name="Friends"), *rows)
    )


# ---- what is on it -------------------------------------------------------------------------------


async def test_overview_when_nothing_happened_then_only_the_own_conversation(
    storage: Storage,
) -> None:
    [only] = (await overview(storage)).conversations
    assert only == Summary(ANN_OWN, Seq(0), Seq(1), Seq(0), 0, Seq(0), Seq(0))


async def test_overview_when_there_is_more_than_one_then_by_conversation_id(talk: Storage) -> None:
    await join_group(talk, [T], (1, 9))
    assert await ids(talk) == [GROUP, ANN_OWN, ANN_BOB]


async def test_overview_when_paged_then_every_line_once(talk: Storage) -> None:
    await join_group(talk, [T], (1, 9))
    first = await overview(talk, limit=2)
    assert ([one.conversation_id for one in first.conversations], first.more) == (
        [GROUP, ANN_OWN],
        True,
    )
    second = await overview(talk, after=ANN_OWN, limit=2)
    assert ([one.conversation_id for one in second.conversations], second.more) == (
        [ANN_BOB],
        False,
    )


async def test_overview_when_the_head_is_known_then_left_out(talk: Storage) -> None:
    await talk.log_writer.append([entry(1, ANN_OWN)], [])
    known = [Known(ANN_BOB, Seq(7)), Known(ANN_OWN, Seq(1))]
    assert await ids(talk, known=known) == [ANN_OWN]


async def test_overview_when_something_is_new_beyond_known_then_listed(talk: Storage) -> None:
    assert ANN_BOB in await ids(talk, known=[Known(ANN_BOB, Seq(6))])


async def test_overview_when_listed_but_nothing_was_said_then_left_out(storage: Storage) -> None:
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB)])
    assert await ids(storage) == [ANN_OWN]


async def test_overview_when_listed_but_never_a_member_then_left_out(storage: Storage) -> None:
    await join_group(storage, [T, T])
    assert await ids(storage) == [ANN_OWN]


async def test_overview_when_dropped_from_the_list_then_left_out(talk: Storage) -> None:
    await talk.conversations.drop_listed(ANN, ANN_BOB)
    assert await ids(talk) == [ANN_OWN]


@pytest.mark.parametrize(
    ("cursors", "is_listed"),
    [
        ((4, 5, 2, 6), False),
        ((3, 5, 2, 6), True),
        ((5, 5, 2, 6), True),
        ((4, 4, 2, 6), True),
        ((4, 6, 2, 6), True),
        ((4, 5, 1, 6), True),
        ((4, 5, 2, 5), True),
        ((4, 5, 3, 7), False),
    ],
)
async def test_overview_when_cursors_are_compared_then_those_that_differ_are_listed(
    talk: Storage, cursors: tuple[int, int, int, int], is_listed: bool
) -> None:
    await read(talk, ANN, ANN_BOB, 4)
    theirs = CursorRow(BOB, ACCOUNT_DEVICE, ANN_BOB, Seq(6), Seq(2))
    mine = CursorRow(ANN, PHONE, ANN_BOB, Seq(5), Seq(0))
    await talk.conversations.merge_cursors([theirs, mine])
    known = [Known(ANN_BOB, Seq(7), *map(Seq, cursors))]
    listed = await ids(talk, known=known, with_cursors=True)
    assert listed == ([ANN_OWN, ANN_BOB] if is_listed else [ANN_OWN])
    assert await ids(talk, known=known) == [ANN_OWN]


async def test_overview_when_cursors_are_compared_and_a_page_is_full_then_none_is_left_out(
    talk: Storage,
) -> None:
    await join_group(talk, [T], (1, 9))
    await read(talk, ANN, ANN_BOB, 4)
    known = [Known(GROUP, Seq(1)), Known(ANN_BOB, Seq(7))]
    first = await overview(talk, known=known, with_cursors=True, limit=1)
    assert ([one.conversation_id for one in first.conversations], first.more) == ([ANN_OWN], True)
    assert await ids(talk, known=known, with_cursors=True, after=ANN_OWN) == [ANN_BOB]


# ---- what a line says ----------------------------------------------------------------------------


async def test_line_when_direct_then_names_and_the_last_message(talk: Storage) -> None:
    await talk.conversations.set_remark(ANN, ANN_BOB, "Bobby")
    found = await line(talk, ANN_BOB)
    assert (found.name, found.remark, found.head_seq, found.since_seq) == ("Bob", "Bobby", 7, 1)
    assert found.last is not None
    assert (found.last.seq, found.last.kind) == (6, T)


async def test_line_when_a_group_then_its_name_and_no_peer(talk: Storage) -> None:
    await join_group(talk, [T], (1, 9))
    found = await line(talk, GROUP)
    assert (found.name, found.peer_read_seq) == ("Friends", 0)


async def test_last_when_only_notices_then_the_last_one_of_the_group(storage: Storage) -> None:
    kinds = [Kind.GROUP_CREATED, JOINED, Kind.JOIN_REQUESTED, Kind.MEMBER_INVITED]
    await join_group(storage, kinds, (1, 9))
    found = await line(storage, GROUP)
    assert found.last is not None
    assert (found.last.seq, found.last.kind, found.unread) == (2, JOINED, 0)


async def test_last_when_a_notice_after_a_message_then_the_notice(storage: Storage) -> None:
    await join_group(storage, [Kind.GROUP_CREATED, T, JOINED, Kind.RECALL], (1, 9))
    found = await line(storage, GROUP)
    assert found.last is not None
    assert (found.last.seq, found.last.ordinal, found.unread) == (3, 1, 1)


async def test_last_when_only_asked_for_friendship_then_none(storage: Storage) -> None:
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB)])
    await storage.log_writer.append(log_of([Kind.FRIEND_REQUESTED, Kind.REQUEST_DECLINED]), [])
    assert (await line(storage, ANN_BOB)).last is None


async def test_last_when_the_friendship_has_ended_then_told_to_who_ended_it(
    storage: Storage,
) -> None:
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB), (BOB, ANN_BOB)])
    await storage.log_writer.append(log_of([Kind.FRIEND_ADDED, Kind.FRIEND_REMOVED]), [])
    lines = await line(storage, ANN_BOB, ANN), await line(storage, ANN_BOB, BOB)
    assert [one.last and one.last.seq for one in lines] == [2, 1]


async def test_last_when_the_own_conversation_has_only_notices_then_none(storage: Storage) -> None:
    await storage.log_writer.append(log_of([Kind.FRIEND_ADDED, JOINED], ANN_OWN), [])
    assert (await line(storage, ANN_OWN)).last is None


async def test_last_when_nothing_is_shown_since_a_member_came_then_nothing_from_before(
    storage: Storage,
) -> None:
    await join_group(storage, [T, T, JOINED, T, Kind.RECALL], (1, 2), (5, 99))
    assert (await line(storage, GROUP)).last is None


@pytest.mark.parametrize(("seq", "unread"), [(0, 5), (2, 3), (3, 3), (5, 1), (6, 0), (7, 0)])
async def test_unread_when_read_up_to_somewhere_then_messages_after_it(
    talk: Storage, seq: int, unread: int
) -> None:
    await read(talk, ANN, ANN_BOB, seq)
    found = await line(talk, ANN_BOB)
    assert (found.unread, found.read_seq) == (unread, seq)


async def test_unread_when_the_cursor_is_beyond_the_head_then_none(talk: Storage) -> None:
    await read(talk, ANN, ANN_BOB, 99)
    assert (await line(talk, ANN_BOB)).unread == 0


async def test_unread_when_a_member_came_late_then_only_from_there(storage: Storage) -> None:
    await join_group(storage, [T, T, T, JOINED, T, T], (4, 99))
    found = await line(storage, GROUP)
    assert (found.unread, found.since_seq, found.until_seq) == (2, 4, 6)


async def test_unread_when_a_member_has_left_then_up_to_there(storage: Storage) -> None:
    await join_group(storage, [T, T, T, T, T], (1, 3))
    found = await line(storage, GROUP)
    assert (found.unread, found.head_seq, found.until_seq) == (3, 3, 3)
    assert found.last is not None
    assert found.last.seq == 3
    assert GROUP not in await ids(storage, known=[Known(GROUP, Seq(3))])


async def test_unread_when_a_member_came_back_then_only_since_then(storage: Storage) -> None:
    await join_group(storage, [T] * 9, (1, 3), (7, 99))
    found = await line(storage, GROUP)
    assert (found.unread, found.since_seq, found.until_seq) == (3, 1, 9)


# ---- cursors -------------------------------------------------------------------------------------


async def test_delivered_when_the_device_is_new_then_where_the_account_has_read(
    talk: Storage,
) -> None:
    await read(talk, ANN, ANN_BOB, 4)
    other = CursorRow(ANN, LAPTOP, ANN_BOB, Seq(7), Seq(4))
    await talk.conversations.merge_cursors([other])
    assert (await line(talk, ANN_BOB)).delivered_seq == 4


async def test_delivered_when_the_device_was_here_then_its_own(talk: Storage) -> None:
    await read(talk, ANN, ANN_BOB, 4)
    await talk.conversations.merge_cursors([CursorRow(ANN, PHONE, ANN_BOB, Seq(6), Seq(2))])
    found = await line(talk, ANN_BOB)
    assert (found.delivered_seq, found.read_seq) == (6, 4)


async def test_peer_when_it_has_read_then_both_see_the_other(talk: Storage) -> None:
    await talk.conversations.merge_cursors(
        [CursorRow(BOB, ACCOUNT_DEVICE, ANN_BOB, Seq(6), Seq(5))]
    )
    mine, theirs = await line(talk, ANN_BOB), await line(talk, ANN_BOB, BOB)
    assert (mine.peer_delivered_seq, mine.peer_read_seq, mine.read_seq) == (6, 5, 0)
    assert (theirs.peer_read_seq, theirs.read_seq, theirs.name) == (0, 5, "Ann")


async def test_own_when_notes_were_written_then_counted_like_messages(storage: Storage) -> None:
    notes = messages(2, ANN_OWN)
    await storage.log_writer.append(notes, [(ANN_BOB, PutRelation(ANN))])
    found = await line(storage, ANN_OWN)
    assert (found.unread, found.last) == (2, notes[1])


async def test_overview_when_the_list_is_long_then_every_line_has_its_own(
    storage: Storage,
) -> None:
    peers = [UserId(20_000 + number) for number in range(300)]
    talks = [direct_conversation(ANN, peer) for peer in peers]
    await storage.accounts.create_accounts([account(peer) for peer in peers], [])
    await storage.log_writer.ensure_listed([(ANN, talk) for talk in talks])
    for number, talk in enumerate(talks):
        await storage.log_writer.append(messages(1 + number % 3, talk), [])
    found = {one.conversation_id: one for one in (await overview(storage)).conversations}
    assert [found[talk].unread for talk in talks] == [1 + number % 3 for number in range(300)]
    assert [found[talk].name for talk in talks] == [f"user {peer}" for peer in peers]
