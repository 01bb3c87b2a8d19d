"""Reading the log: nothing beyond one's rights, pages within their bounds, nothing skipped."""

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
    ZOE,
    entry,
    in_group,
    log_of,
    messages,
    new_operation_id,
    put_group,
    put_member,
)

from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import MAX_PAGE_BYTES
from tinyqq.ports.storage import PageRows, SendKey
from tinyqq.storage.open import Storage

T, JOINED, ASKED = Kind.TEXT, Kind.MEMBER_JOINED, Kind.JOIN_REQUESTED


async def page(
    storage: Storage,
    *,
    viewer: UserId = ANN,
    conversation: ConversationId = ANN_BOB,
    after: int = 0,
    limit: int = 500,
) -> PageRows:
    """A page forward."""
    return await storage.log_reader.read_page(viewer, conversation, Seq(after), limit)


async def history(
    storage: Storage,
    *,
    viewer: UserId = ANN,
    conversation: ConversationId = ANN_BOB,
    before: int = 0,
    limit: int = 50,
) -> PageRows:
    """A page backward."""
    return await storage.log_reader.read_history(viewer, conversation, Seq(before), limit)


def seqs(rows: PageRows) -> list[int]:
    """The numbers on a page."""
    return [one.seq for one in rows.entries]


async def write_group(storage: Storage, kinds: Sequence[int]) -> None:
    """A group in which Ann was from the first, Bob from 3 to 5 and again from 8, and Zoe never."""
    members = (put_member(ANN), put_member(BOB, 3, 5), put_member(BOB, 8))
    effects = in_group(put_group(), *members)
    await storage.log_writer.append(log_of(kinds, GROUP, sender_id=EVE), effects)


# ---- forward -------------------------------------------------------------------------------------


async def test_page_when_it_fits_then_everything_ascending(storage: Storage) -> None:
    written = messages(5)
    await storage.log_writer.append(written, [])
    rows = await page(storage)
    assert rows == PageRows(tuple(written), Seq(5), ((Seq(1), Seq(5)),))


async def test_page_when_longer_than_the_limit_then_the_next_goes_on(storage: Storage) -> None:
    await storage.log_writer.append(messages(5), [])
    first = await page(storage, limit=3)
    assert (seqs(first), first.more) == ([1, 2, 3], True)
    second = await page(storage, after=3, limit=3)
    assert (seqs(second), second.more) == ([4, 5], False)


@pytest.mark.parametrize("number", [256, 300])
async def test_page_when_it_takes_several_fetches_then_every_row_once_both_ways(
    storage: Storage, number: int
) -> None:
    written = messages(number)
    await storage.log_writer.append(written, [])
    assert (await page(storage)).entries == tuple(written)
    assert (await history(storage, limit=number)).entries == tuple(written)


async def test_page_when_exactly_full_then_there_is_no_more(storage: Storage) -> None:
    await storage.log_writer.append(messages(3), [])
    assert not (await page(storage, limit=3)).more


async def test_page_when_bodies_are_large_then_it_ends_within_its_bytes(storage: Storage) -> None:
    body = b"x" * (MAX_PAGE_BYTES // 4)
    await storage.log_writer.append([entry(seq, body=body) for seq in range(1, 6)], [])
    rows = await page(storage)
    assert (seqs(rows), rows.more) == ([1, 2, 3], True)


async def test_page_when_one_entry_exceeds_its_bytes_then_it_is_alone(storage: Storage) -> None:
    large = b"x" * (MAX_PAGE_BYTES + 1)
    await storage.log_writer.append([entry(1, body=large), entry(2)], [])
    assert seqs(await page(storage)) == [1]
    assert seqs(await page(storage, after=1)) == [2]


async def test_page_when_at_the_head_then_empty_with_its_window(storage: Storage) -> None:
    await storage.log_writer.append(messages(2), [])
    assert await page(storage, after=2) == PageRows((), Seq(2), ((Seq(1), Seq(2)),))


async def test_page_when_nothing_was_written_then_the_right_is_there(storage: Storage) -> None:
    assert await page(storage) == PageRows((), Seq(0), ((Seq(1), Seq(0)),))


@pytest.mark.parametrize("conversation", [ANN_BOB, ANN_OWN, GROUP])
async def test_page_when_the_viewer_is_a_stranger_then_no_window(
    storage: Storage, conversation: ConversationId
) -> None:
    await storage.log_writer.append(messages(2, conversation), in_group(put_member(ANN)))
    rows = await page(storage, viewer=ZOE, conversation=conversation)
    assert (rows.entries, rows.windows) == ((), ())


async def test_page_when_a_member_came_and_went_then_only_those_intervals(
    storage: Storage,
) -> None:
    await write_group(storage, [T] * 10)
    rows = await page(storage, viewer=BOB, conversation=GROUP)
    assert seqs(rows) == [3, 4, 5, 8, 9, 10]
    assert rows.windows == ((3, 5), (8, 10))


async def test_page_when_it_begins_in_a_gap_then_it_goes_on_behind(storage: Storage) -> None:
    await write_group(storage, [T] * 10)
    rows = await page(storage, viewer=BOB, conversation=GROUP, after=6, limit=2)
    assert (seqs(rows), rows.more) == ([8, 9], True)


async def test_page_when_it_is_full_before_a_gap_then_there_is_more(storage: Storage) -> None:
    await write_group(storage, [T] * 10)
    rows = await page(storage, viewer=BOB, conversation=GROUP, limit=3)
    assert (seqs(rows), rows.more) == ([3, 4, 5], True)


# ---- backward ------------------------------------------------------------------------------------


async def test_history_when_asked_for_some_then_the_newest_with_notices_between(
    storage: Storage,
) -> None:
    await write_group(storage, [T, T, JOINED, T, JOINED, T, JOINED])
    rows = await history(storage, conversation=GROUP, limit=2)
    assert (seqs(rows), rows.more) == ([4, 5, 6, 7], True)


async def test_history_when_paged_then_every_message_once(storage: Storage) -> None:
    await storage.log_writer.append(log_of([T, JOINED, T, T, JOINED, T, T]), [])
    newest = await history(storage, limit=2)
    middle = await history(storage, before=newest.entries[0].seq, limit=2)
    oldest = await history(storage, before=middle.entries[0].seq, limit=2)
    assert [seqs(rows) for rows in (newest, middle, oldest)] == [[6, 7], [3, 4, 5], [1, 2]]
    assert [rows.more for rows in (newest, middle, oldest)] == [True, True, False]


async def test_history_when_only_notices_are_older_then_no_more(storage: Storage) -> None:
    await storage.log_writer.append(log_of([JOINED, JOINED, T, T]), [])
    rows = await history(storage, limit=2)
    assert (seqs(rows), rows.more) == ([3, 4], False)


async def test_history_when_fewer_than_asked_for_then_down_to_the_first(storage: Storage) -> None:
    await storage.log_writer.append(log_of([JOINED, T]), [])
    rows = await history(storage, limit=2)
    assert (seqs(rows), rows.more) == ([1, 2], False)


async def test_history_when_a_member_came_and_went_then_across_the_gap(storage: Storage) -> None:
    await write_group(storage, [T] * 10)
    rows = await history(storage, viewer=BOB, conversation=GROUP, before=10, limit=4)
    assert (seqs(rows), rows.more) == ([4, 5, 8, 9], True)


async def test_history_when_before_the_entrance_then_empty(storage: Storage) -> None:
    await write_group(storage, [T] * 10)
    rows = await history(storage, viewer=BOB, conversation=GROUP, before=3)
    assert (rows.entries, rows.more) == ((), False)


async def test_history_when_notices_are_for_nobody_then_they_take_no_room(
    storage: Storage,
) -> None:
    await write_group(storage, [T, T, *[ASKED] * 1_500, T])
    rows = await history(storage, conversation=GROUP, limit=2)
    assert (seqs(rows), rows.more) == ([2, 1_503], True)


async def test_history_when_there_are_too_many_notices_then_it_ends_and_goes_on(
    storage: Storage,
) -> None:
    await write_group(storage, [T, *[JOINED] * 1_200])
    rows = await history(storage, conversation=GROUP, limit=1)
    assert (len(rows.entries), rows.more) == (1_000, True)
    rest = await history(storage, conversation=GROUP, before=rows.entries[0].seq, limit=1)
    assert (rest.entries[0].seq, rest.entries[-1].seq, rest.more) == (1, 201, False)


async def test_history_when_bodies_are_large_then_it_ends_within_its_bytes(
    storage: Storage,
) -> None:
    body = b"x" * (MAX_PAGE_BYTES // 4)
    await storage.log_writer.append([entry(seq, body=body) for seq in range(1, 6)], [])
    rows = await history(storage)
    assert (seqs(rows), rows.more) == ([3, 4, 5], True)


async def test_history_when_the_viewer_is_a_stranger_then_no_window(storage: Storage) -> None:
    await storage.log_writer.append(messages(2), [])
    assert await history(storage, viewer=ZOE) == PageRows((), Seq(2), ())


# ---- single entries ------------------------------------------------------------------------------


async def test_find_entry_when_there_then_it_and_else_nothing(storage: Storage) -> None:
    written = messages(2)
    await storage.log_writer.append(written, [])
    assert await storage.log_reader.find_entry(ANN_BOB, Seq(2)) == written[1]
    assert await storage.log_reader.find_entry(ANN_BOB, Seq(3)) is None
    assert await storage.log_reader.find_entry(ANN_OWN, Seq(1)) is None


async def test_find_operation_when_taken_then_its_entry_and_else_nothing(storage: Storage) -> None:
    written: Entry = entry(1)
    await storage.log_writer.append([written], [])
    key = SendKey(ANN_BOB, ANN, written.client_message_id)
    assert await storage.log_reader.find_operation(key) == written
    other = key._replace(client_message_id=new_operation_id())
    assert await storage.log_reader.find_operation(other) is None


async def test_find_visible_when_in_a_group_then_within_the_viewers_windows(
    storage: Storage,
) -> None:
    await write_group(storage, [JOINED, T, T, ASKED, T, T, T, T])
    written = (await page(storage, conversation=GROUP)).entries
    keys = [SendKey(GROUP, EVE, one.client_message_id) for one in written]
    for viewer, expected in ((ANN, [1, 2, 3, 5, 6, 7, 8]), (BOB, [3, 5, 8]), (ZOE, [])):
        found = [await storage.log_reader.find_visible(viewer, key) for key in keys]
        assert [one.seq for one in found if one] == expected


async def test_find_visible_when_of_two_people_then_theirs_alone(storage: Storage) -> None:
    written: Entry = entry(1)
    await storage.log_writer.append([written], [])
    key = SendKey(ANN_BOB, ANN, written.client_message_id)
    found = [await storage.log_reader.find_visible(one, key) for one in (ANN, BOB, EVE)]
    assert found == [written, written, None]
    other = key._replace(client_message_id=new_operation_id())
    assert await storage.log_reader.find_visible(ANN, other) is None


async def test_read_heads_when_some_are_empty_then_they_are_absent(storage: Storage) -> None:
    await storage.log_writer.append([*messages(3), *messages(1, GROUP)], [])
    found = await storage.log_reader.read_heads([ANN_BOB, ANN_OWN, GROUP])
    assert found == {ANN_BOB: 3, GROUP: 1}
