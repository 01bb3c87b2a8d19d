"""What every server whose log can be tailed tells of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    GROUP,
    entry,
    in_group,
    messages,
    put_group,
    put_member,
)
from tests.support.storages import KINDS, fresh_url

from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Kind
from tinyqq.ports.storage import LogKey, LogTail, Tail
from tinyqq.storage.open import Storage, open_storage


@pytest.fixture(params=KINDS[1:])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of every kind but the embedded one, which nobody else writes."""
    return fresh_url(request, tmp_path)


@pytest.fixture
async def other(storage: Storage, storage_url: str) -> AsyncIterator[Storage]:
    """Another process; its numbers follow those of the first."""
    async with open_storage(storage_url) as opened:
        yield opened


def tail_of(storage: Storage) -> LogTail:
    assert storage.log_tail is not None
    return storage.log_tail


async def written(reader: Storage, *writers: Storage) -> list[LogKey]:
    """All that these have written, in the order of their positions."""
    after = {number: 0 for one in writers for number in one.writers}
    keys = (await tail_of(reader).read_keys(after, 100)).keys
    return sorted(keys, key=lambda key: key.writer_pos)


def places(keys: list[LogKey]) -> list[tuple[int, ConversationId, int]]:
    return [(key.writer_pos, key.conversation_id, key.seq) for key in keys]


async def test_read_keys_when_two_write_then_each_ones_rows_in_their_order(
    storage: Storage, other: Storage
) -> None:
    await storage.log_writer.append(messages(2), ())
    await other.log_writer.append([entry(1, ANN_OWN, kind=Kind.BLOCKED)], ())
    await storage.log_writer.append([entry(3)], ())
    mine = await written(other, storage)
    assert places(mine) == [(pos, ANN_BOB, pos) for pos in (1, 2, 3)]
    assert len({key.writer for key in mine}) == 1
    [theirs] = await written(storage, other)
    assert theirs[1:] == (1, ANN_OWN, 1, Kind.BLOCKED)


async def test_writers_when_rows_are_written_then_up_to_where(storage: Storage) -> None:
    assert set(storage.writers.values()) == {0}
    await storage.log_writer.append(messages(3), ())
    [key] = [key for key in await written(storage, storage) if key.writer_pos == 3]
    assert storage.writers[key.writer] == 3


async def test_read_keys_when_some_are_known_then_the_next_and_no_more_than_asked(
    storage: Storage,
) -> None:
    await storage.log_writer.append(messages(9), ())
    after = dict.fromkeys(storage.writers, 4)
    keys = (await tail_of(storage).read_keys(after, 3)).keys
    assert [key.writer_pos for key in keys] == [5, 6, 7]


async def test_read_keys_when_nobody_is_followed_then_the_next_number_alone(
    storage: Storage,
) -> None:
    tail = await tail_of(storage).read_keys({}, 3)
    assert tail == Tail(max(storage.writers) + 1, ())


async def test_read_ends_when_asked_then_of_the_named_and_the_newest(
    storage: Storage, other: Storage
) -> None:
    await storage.log_writer.append(messages(4), ())
    await other.log_writer.append(messages(2, ANN_OWN), ())
    tail = tail_of(storage)
    ends = (await tail.read_ends(storage.writers, len(other.writers))).keys
    assert sorted(key.writer_pos for key in ends) == [2, 4]
    newest = await tail.read_ends((), len(other.writers))
    assert [key.writer_pos for key in newest.keys] == [2]
    assert newest.next_writer == max(other.writers) + 1


async def test_read_from_when_asked_then_what_follows_in_the_conversation(
    storage: Storage,
) -> None:
    await storage.log_writer.append(messages(4), ())
    await storage.log_writer.append(messages(4, ANN_OWN), ())
    keys = await tail_of(storage).read_from(ANN_BOB, Seq(1), 2)
    assert [(key.conversation_id, key.seq) for key in keys] == [(ANN_BOB, 2), (ANN_BOB, 3)]


async def test_read_entries_when_asked_then_they_and_where_their_groups_stand(
    storage: Storage,
) -> None:
    chat, made = messages(3), entry(1, GROUP, kind=Kind.GROUP_CREATED)
    await storage.log_writer.append(chat, ())
    effects = in_group(put_group(), put_member(ANN))
    await storage.log_writer.append([made, entry(2, GROUP)], effects)
    wanted = [(GROUP, Seq(1)), (ANN_BOB, Seq(2)), (ANN_BOB, Seq(9))]
    entries, groups, _ = await tail_of(storage).read_entries(wanted)
    assert entries == (made, chat[1])
    assert groups == {GROUP: 1}


async def test_read_entries_when_none_is_of_a_group_then_no_groups(storage: Storage) -> None:
    await storage.log_writer.append(messages(1), ())
    entries, groups, _ = await tail_of(storage).read_entries([(ANN_BOB, Seq(1))])
    assert (len(entries), groups) == (1, {})
