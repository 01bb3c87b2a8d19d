"""The work of one statement."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from tinyqq.storage.database import only
from tinyqq.storage.schema import secret


def test_only_when_run_then_the_statement_was_executed(conn: Connection) -> None:
    only(insert(secret).values(name="key", value=b"1"))(conn)
    assert conn.scalars(select(secret.c.value)).all() == [b"1"]
