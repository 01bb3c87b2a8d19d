"""Upserts and values handed in as a table."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import mysql
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, PHONE

from tinyqq.storage.dialect import (
    SHARDED,
    by_key,
    given_ids,
    given_rows,
    ids_argument,
    is_sharded,
    put,
    put_larger,
    put_missing,
    rows_argument,
)
from tinyqq.storage.schema import chat_group, cursor, user_conversation

LINE = {"user_id": ANN, "conversation_id": ANN_BOB, "remark": ""}


def group(name: str) -> dict[str, object]:
    """A group row as ``put`` gets it."""
    return {
        "conversation_id": 20_001,
        "name": name,
        "join_policy": 1,
        "announcement": "",
        "member_limit": 9,
        "created_at_ms": 5,
        "dismissed_seq": 0,
    }


def test_put_when_the_key_is_taken_then_named_columns_change_and_others_stay(
    conn: Connection,
) -> None:
    put(conn, chat_group, [{**group("old"), "members_seq": 7}])
    put(conn, chat_group, [group("new")])
    row = conn.execute(select(chat_group)).one()
    assert (row.name, row.members_seq) == ("new", 7)


def test_put_when_the_same_key_comes_twice_then_the_later_row_wins(conn: Connection) -> None:
    put(conn, chat_group, [group("first"), group("second")])
    assert conn.scalars(select(chat_group.c.name)).all() == ["second"]


def test_put_larger_when_the_key_is_taken_then_each_value_keeps_its_maximum(
    conn: Connection,
) -> None:
    key = {"user_id": ANN, "device_id": PHONE, "conversation_id": ANN_BOB}
    put_larger(conn, cursor, [{**key, "delivered_seq": 5, "read_seq": 3}])
    put_larger(conn, cursor, [{**key, "delivered_seq": 4, "read_seq": 4}])
    assert conn.execute(select(cursor.c.delivered_seq, cursor.c.read_seq)).all() == [(5, 4)]


def test_put_missing_when_the_key_is_taken_then_the_row_stays(conn: Connection) -> None:
    put_missing(conn, user_conversation, [{**LINE, "remark": "kept"}])
    lost = {**LINE, "remark": "lost"}
    put_missing(conn, user_conversation, [lost, {**LINE, "user_id": BOB}])
    rows = conn.execute(select(user_conversation.c.user_id, user_conversation.c.remark))
    assert sorted(rows.all()) == [(ANN, "kept"), (BOB, "")]


def test_given_rows_when_asked_for_then_the_numbers_come_back(conn: Connection) -> None:
    given = given_rows("one", "other")
    numbers = [(1, 2**63 - 1), (ANN_BOB, ANN_OWN)]
    assert conn.execute(select(given), rows_argument(numbers)).all() == numbers


def test_given_rows_when_there_are_very_many_then_still_one_bound_value(conn: Connection) -> None:
    given = given_rows("one")
    rows = conn.execute(select(given), rows_argument((number,) for number in range(50_000)))
    assert len(rows.all()) == 50_000


def test_given_ids_when_used_with_in_then_those_rows(conn: Connection) -> None:
    put_missing(conn, user_conversation, [LINE, {**LINE, "user_id": BOB}])
    chosen = select(user_conversation.c.user_id).where(user_conversation.c.user_id.in_(given_ids()))
    assert conn.scalars(chosen, ids_argument([BOB, 7])).all() == [BOB]
    assert conn.scalars(chosen, ids_argument([])).all() == []


def test_by_key_when_said_to_a_server_then_the_order_and_the_key_are_told(conn: Connection) -> None:
    statement = by_key(select(cursor.c.read_seq), cursor)
    assert str(statement.compile(dialect=mysql.dialect())).split() == [
        "SELECT", "STRAIGHT_JOIN", "`cursor`.read_seq",
        "FROM", "`cursor`", "FORCE", "INDEX", "(PRIMARY)",
    ]  # fmt: skip
    assert conn.execute(statement).all() == []


def test_is_sharded_when_its_engine_says_so_then_true(conn: Connection) -> None:
    assert not is_sharded(conn)
    assert is_sharded(conn.execution_options(**{SHARDED: True}))
