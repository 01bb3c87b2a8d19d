"""Rows become records, and heads come from the key."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    BOB,
    EVE,
    GROUP,
    account,
    entry,
    in_group,
    log_of,
    messages,
    put_group,
    put_member,
)
from tests.support.statements import recorded, table_scans
from tests.support.storage_rows import store_accounts, store_entries

from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.message import Kind
from tinyqq.storage import schema
from tinyqq.storage.effects import write_effects
from tinyqq.storage.rows import (
    ENTRY_COLUMNS,
    entry_of,
    find_heads,
    find_nicknames,
    group_of,
    member_of,
)


def test_entry_when_read_back_then_the_same(conn: Connection) -> None:
    written = entry(1, sender_id=BOB, body=b"\x00\xff")
    store_entries(conn, [written])
    assert entry_of(conn.execute(select(*ENTRY_COLUMNS)).one()) == written


def test_member_and_group_when_read_back_then_the_same(conn: Connection) -> None:
    group, ann = put_group(), put_member(ANN, 3, 9, role=Role.ADMIN)
    write_effects(conn, [], in_group(group, ann))
    assert group_of(conn.execute(select(schema.chat_group)).one()) == group
    read = member_of(conn.execute(select(schema.member)).one())
    assert read == ann
    assert (type(read.role), type(group.join_policy)) == (Role, JoinPolicy)


def test_heads_when_some_have_entries_then_the_last_of_each(conn: Connection) -> None:
    store_entries(conn, [*log_of([Kind.TEXT, Kind.TEXT, Kind.RECALL]), *messages(1, GROUP)])
    assert find_heads(conn, [ANN_OWN, GROUP, ANN_BOB]) == {ANN_BOB: (3, 2), GROUP: (1, 1)}
    assert find_heads(conn, []) == {}


@pytest.mark.parametrize("number", [1, 300])
def test_heads_when_many_are_asked_for_then_one_statement_by_the_key(
    conn: Connection, number: int
) -> None:
    with recorded(conn) as statements:
        find_heads(conn, [ANN_BOB] * number)
    assert len(statements) == 1
    assert table_scans(conn, statements) == []


def test_nicknames_when_some_exist_then_theirs(conn: Connection) -> None:
    store_accounts(conn, account(ANN, "Ann"), account(EVE))
    assert find_nicknames(conn, [ANN, BOB]) == {ANN: "Ann"}
