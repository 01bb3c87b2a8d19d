"""Revisions lead to the schema, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from tinyqq.errors import Unavailable
from tinyqq.storage.migrate import current, differences, head, upgrade, upgrade_connection
from tinyqq.storage.schema import metadata


def url(path: Path) -> str:
    """The address of the file."""
    return f"sqlite:///{path}"


def test_schema_when_compared_with_a_migrated_database_then_no_difference(
    conn: Connection,
) -> None:
    assert differences(conn) == []


def test_schema_when_a_column_is_missing_then_the_difference_is_told(conn: Connection) -> None:
    conn.execute(text("ALTER TABLE device DROP COLUMN name"))
    assert "add_column" in str(differences(conn))


def test_upgrade_when_empty_then_at_the_head_with_every_table(path: Path) -> None:
    assert current(url(path)) is None
    upgrade(url(path))
    assert current(url(path)) == head() == "0005"
    engine = create_engine(url(path))
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_upgrade_when_at_the_head_already_then_nothing_happens(path: Path) -> None:
    upgrade(url(path))
    upgrade(url(path))
    assert current(url(path)) == head()


def test_upgrade_when_the_database_is_newer_then_refused(conn: Connection) -> None:
    conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable) as caught:
        upgrade_connection(conn)
    assert caught.value.fields == {"reason": "the database belongs to a newer version"}
