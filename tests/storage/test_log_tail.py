"""What writers have added, on the database that has the index for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

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
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.model.ids import Seq
from tinyqq.model.message import Kind
from tinyqq.ports.storage import LogKey, LogTail
from tinyqq.storage.open import Storage, open_storage

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]


@pytest.fixture
def url(mariadb: MariaDb) -> str:
    return migrated(mariadb)


@pytest.fixture
async def one(url: str) -> AsyncIterator[Storage]:
    """Writes under number 1."""
    async with open_storage(url) as storage:
        yield storage


@pytest.fixture
async def other(one: Storage, url: str) -> AsyncIterator[Storage]:
    """Writes under number 2."""
    async with open_storage(url) as storage:
        yield storage


def tail_of(storage: Storage) -> LogTail:
    assert storage.log_tail is not None
    return storage.log_tail


async def test_read_keys_when_two_write_then_each_ones_rows_in_their_order(
    one: Storage, other: Storage
) -> None:
    await one.log_writer.append(messages(2), ())
    await other.log_writer.append([entry(1, ANN_OWN, kind=Kind.BLOCKED)], ())
    await one.log_writer.append([entry(3)], ())
    tail = await tail_of(other).read_keys({1: 0, 2: 0}, 100)
    assert tail.next_writer == 3
    assert [key for key in tail.keys if key.writer == 1] == [
        LogKey(1, seq, ANN_BOB, Seq(seq), Kind.TEXT) for seq in (1, 2, 3)
    ]
    assert [key for key in tail.keys if key.writer == 2] == [
        LogKey(2, 1, ANN_OWN, Seq(1), Kind.BLOCKED)
    ]


async def test_read_keys_when_some_are_known_then_the_next_and_no_more_than_asked(
    one: Storage,
) -> None:
    await one.log_writer.append(messages(9), ())
    tail = await tail_of(one).read_keys({1: 4}, 3)
    assert [key.writer_pos for key in tail.keys] == [5, 6, 7]


async def test_read_keys_when_nobody_is_followed_then_the_next_number_alone(one: Storage) -> None:
    tail = await tail_of(one).read_keys({}, 3)
    assert tail == (2, ())


async def test_read_ends_when_asked_then_of_the_named_and_the_newest(
    one: Storage, other: Storage
) -> None:
    await one.log_writer.append(messages(4), ())
    await other.log_writer.append(messages(2, ANN_OWN), ())
    tail = tail_of(one)
    ends = {key.writer: key.writer_pos for key in (await tail.read_ends({1}, 1)).keys}
    assert ends == {1: 4, 2: 2}
    newest = await tail.read_ends((), 1)
    assert [key.writer for key in newest.keys] == [2]
    assert newest.next_writer == 3


async def test_read_from_when_asked_then_what_follows_in_the_conversation(one: Storage) -> None:
    await one.log_writer.append([*messages(4), *messages(4, ANN_OWN)], ())
    keys = await tail_of(one).read_from(ANN_BOB, Seq(1), 2)
    assert [(key.conversation_id, key.seq) for key in keys] == [(ANN_BOB, 2), (ANN_BOB, 3)]


async def test_read_entries_when_asked_then_they_and_where_their_groups_stand(
    one: Storage,
) -> None:
    chat, made = messages(3), entry(1, GROUP, kind=Kind.GROUP_CREATED)
    effects = in_group(put_group(), put_member(ANN))
    await one.log_writer.append([*chat, made, entry(2, GROUP)], effects)
    wanted = [(GROUP, Seq(1)), (ANN_BOB, Seq(2)), (ANN_BOB, Seq(9))]
    entries, groups = await tail_of(one).read_entries(wanted)
    assert entries == (made, chat[1])
    assert groups == {GROUP: 1}


async def test_read_entries_when_none_is_of_a_group_then_no_groups(one: Storage) -> None:
    await one.log_writer.append(messages(1), ())
    entries, groups = await tail_of(one).read_entries([(ANN_BOB, Seq(1))])
    assert (len(entries), groups) == (1, {})


async def test_statement_when_explained_then_it_reads_the_index_alone(
    one: Storage, mariadb: MariaDb, url: str
) -> None:
    await one.log_writer.append(messages(500), ())
    explained = mariadb.ask(
        "EXPLAIN (SELECT writer, writer_pos, conversation_id, seq, kind FROM message"
        " WHERE writer = 1 AND writer_pos > 490 ORDER BY writer_pos LIMIT 100)",
        url.rpartition("/")[2],
    )
    [row] = explained
    assert "ix_message_tail" in row
    assert "Using index" in row[-1]
    assert "filesort" not in row[-1]
