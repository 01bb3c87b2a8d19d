"""The list costs the same number of statements for two conversations and for hundreds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection
from tests.support.logs import ANN, PHONE, messages, put_group, put_member
from tests.support.statements import recorded, table_scans
from tests.support.storage_rows import put_on_list, store_entries

from tinyqq.model.ids import ConversationId, UserId, direct_conversation, own_conversation
from tinyqq.model.sync import Known, Overview
from tinyqq.storage.effects import write_effects
from tinyqq.storage.overview import read_overview


def fill(conn: Connection, number: int) -> None:
    """As many talks and groups with two messages each."""
    talks = [direct_conversation(ANN, UserId(20_000 + one)) for one in range(number)]
    groups = [ConversationId(20_000 + one) for one in range(number)]
    for key in [*talks, *groups]:
        put_on_list(conn, ANN, key)
        store_entries(conn, messages(2, key))
    effects = [(key, effect) for key in groups for effect in (put_group(), put_member(ANN))]
    write_effects(conn, [], effects)


def overview(conn: Connection, known: Sequence[Known] = ()) -> Overview:
    """Ann's whole list."""
    return read_overview(
        conn,
        user_id=ANN,
        device_id=PHONE,
        known=known,
        with_cursors=bool(known),
        after_conversation_id=ConversationId(0),
        limit=1_000,
    )


@pytest.mark.parametrize("number", [1, 150])
def test_overview_when_there_are_many_then_nine_statements_by_their_keys(
    conn: Connection, number: int
) -> None:
    fill(conn, number)
    with recorded(conn) as statements:
        found = overview(conn)
    assert [one.unread for one in found.conversations].count(2) == 2 * number
    assert len(statements) == 9
    assert table_scans(conn, statements) == []


@pytest.mark.parametrize("number", [1, 150])
def test_overview_when_all_is_known_then_as_few_statements(conn: Connection, number: int) -> None:
    fill(conn, number)
    known = [
        Known(one.conversation_id, one.head_seq, one.read_seq, one.delivered_seq)
        for one in overview(conn).conversations
    ]
    with recorded(conn) as statements:
        found = overview(conn, known)
    assert [one.conversation_id for one in found.conversations] == [own_conversation(ANN)]
    assert len(statements) == 9
    assert table_scans(conn, statements) == []


def test_overview_when_there_is_nothing_then_the_own_conversation(conn: Connection) -> None:
    assert [one.unread for one in overview(conn).conversations] == [0]
