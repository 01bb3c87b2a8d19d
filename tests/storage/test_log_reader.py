"""Pages lose nothing and repeat nothing, and cost what they show, not what the log holds."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from tests.support.logs import ANN, ANN_BOB, EVE, GROUP, LAPTOP, log_of, messages, put_member
from tests.support.statements import recorded, table_scans
from tests.support.storage_rows import store_entries

from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Entry, Kind, is_countable, is_visible
from tinyqq.ports.storage import SendKey
from tinyqq.storage.effects import write_effects
from tinyqq.storage.log_reader import SqlLogReader, read_history, read_page
from tinyqq.storage.sqlite import SqliteDatabase

KINDS = (Kind.TEXT, Kind.RECALLED, Kind.MEMBER_JOINED, Kind.JOIN_REQUESTED, Kind.BLOCKED)
_fresh = count(30_000)

logs = st.lists(st.sampled_from(KINDS), max_size=25)
stays = st.lists(st.integers(1, 30), max_size=6, unique=True).map(sorted)
"""Seqs at which somebody comes and goes in turn."""

property_test = settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write_group(conn: Connection, kinds: list[Kind], turns: list[int]) -> list[Entry]:
    """A new group of Eve's in which Ann came and went; returns what Ann may see of it."""
    key = ConversationId(next(_fresh))
    entries = log_of(kinds, key, sender_id=EVE)
    store_entries(conn, entries)
    windows = [*zip(turns[::2], turns[1::2], strict=False)]
    if len(turns) % 2:
        windows.append((turns[-1], 2**63 - 1))
    write_effects(conn, [], [(key, put_member(ANN, since, until)) for since, until in windows])
    return [one for one in entries if any(since <= one.seq <= until for since, until in windows)]


@property_test
@given(kinds=logs, turns=stays, limit=st.integers(1, 4))
def test_pages_when_followed_to_the_end_then_every_row_of_the_windows_once(
    conn: Connection, kinds: list[Kind], turns: list[int], limit: int
) -> None:
    readable = write_group(conn, kinds, turns)
    key = ConversationId(next(_fresh) - 1)
    found: list[Entry] = []
    more = True
    while more:
        after = found[-1].seq if found else Seq(0)
        rows = read_page(conn, ANN, key, after, limit)
        assert len(rows.entries) <= limit
        found += rows.entries
        more = rows.more
    assert found == readable


@property_test
@given(kinds=logs, turns=stays, limit=st.integers(1, 4))
def test_history_when_followed_to_the_first_then_every_visible_row_once(
    conn: Connection, kinds: list[Kind], turns: list[int], limit: int
) -> None:
    readable = write_group(conn, kinds, turns)
    key = ConversationId(next(_fresh) - 1)
    found: list[Entry] = []
    more = True
    while more:
        before = found[0].seq if found else Seq(0)
        rows = read_history(conn, ANN, key, before, limit)
        assert sum(is_countable(one.kind) for one in rows.entries) <= limit
        found[:0] = rows.entries
        more = rows.more
    visible = [one for one in readable if is_visible(one.kind, EVE, ANN)]
    first = next((one.seq for one in visible if is_countable(one.kind)), None)
    # Notices before the first message may be left out: there is no message to page to.
    assert [one for one in found if first is None or one.seq >= first] == [
        one for one in visible if first is None or one.seq >= first
    ]


@pytest.mark.parametrize("read", [read_page, read_history])
def test_page_when_the_log_is_long_then_few_statements_by_the_key(
    conn: Connection, read: object
) -> None:
    write_effects(conn, [], [(GROUP, put_member(ANN))])
    store_entries(conn, messages(2_000, GROUP))
    assert callable(read)
    with recorded(conn) as statements:
        rows = read(conn, ANN, GROUP, Seq(0), 5)
    assert len(rows.entries) == 5
    assert len(statements) == 3
    assert table_scans(conn, statements) == []


async def test_reader_when_used_then_everything_goes_through_the_database(
    database: SqliteDatabase,
) -> None:
    reader = SqlLogReader(database=database)
    written = messages(3)
    await database.append(written, None)
    page = await reader.read_page(ANN, ANN_BOB, Seq(1), 500)
    history = await reader.read_history(ANN, ANN_BOB, Seq(3), 500)
    assert (list(page.entries), list(history.entries)) == (written[1:], written[:2])
    overview = await reader.read_overview(
        ANN, LAPTOP, known=(), with_cursors=False, after_conversation_id=ConversationId(0), limit=9
    )
    assert len(overview.conversations) == 1
    assert await reader.find_entry(ANN_BOB, Seq(3)) == written[2]
    assert await reader.read_heads([ANN_BOB]) == {ANN_BOB: 3}
    key = SendKey(ANN_BOB, ANN, written[0].client_message_id)
    assert await reader.find_operation(key) == written[0]
