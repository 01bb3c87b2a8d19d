"""The first revision, as it was released: it must never change."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from tinyqq.storage.migrations.versions import v0001_first_tables as revision


def test_revision_when_run_then_the_tables_of_that_day(conn: Connection) -> None:
    assert (revision.revision, revision.down_revision) == ("0001", None)
    assert set(inspect(conn).get_table_names()) >= {
        "account",
        "chat_group",
        "counter",
        "cursor",
        "device",
        "join_request",
        "member",
        "message",
        "relation",
        "secret",
        "user_conversation",
    }


def test_message_when_made_then_a_table_with_row_numbers(conn: Connection) -> None:
    """Without them every index would hold the whole row, and an append cost twice as much."""
    [made] = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'message'").scalars()
    assert "WITHOUT ROWID" not in made
