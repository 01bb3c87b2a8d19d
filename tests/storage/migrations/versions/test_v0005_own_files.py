"""What owners call their files."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, inspect, text
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.migrations.versions import v0005_own_files as revision
from tinyqq.storage.open import migrate_storage


def test_revision_when_asked_then_after_the_fourth() -> None:
    assert (revision.revision, revision.down_revision) == ("0005", "0004")


def test_columns_when_upgraded_then_there(conn: Connection) -> None:
    assert "media_account" in inspect(conn).get_table_names()
    for table, expected in (("upload", {"name"}), ("blob_owner", {"name", "added_at_ms"})):
        assert {one["name"] for one in inspect(conn).get_columns(table)} >= expected
    conn.execute(text("INSERT INTO blob_owner (user_id, sha256) VALUES (1, x'00')"))
    assert conn.execute(text("SELECT name, added_at_ms FROM blob_owner")).all() == [("", 0)]


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_columns_when_the_first_try_was_interrupted_then_the_next_goes_on(
    mariadb: MariaDb,
) -> None:
    url = migrated(mariadb)
    mariadb.ask(
        "UPDATE alembic_version SET version_num = '0004';"
        "DROP TABLE media_account; ALTER TABLE blob_owner DROP COLUMN added_at_ms;"
        "INSERT INTO `blob` (sha256, size_bytes, media_type, object_id, width, height,"
        " has_thumbnail, is_referred, touched_at_ms)"
        " VALUES (REPEAT('a', 32), 1, 'text/plain', REPEAT('b', 16), 0, 0, 0, 0, 77);"
        "INSERT INTO blob_owner (user_id, sha256) VALUES (10001, REPEAT('a', 32))",
        database_of(url),
    )
    asyncio.run(migrate_storage(url))
    found = mariadb.ask("SELECT name, added_at_ms FROM blob_owner", database_of(url))
    assert found == [["", "77"]]
    assert mariadb.ask("SELECT COUNT(*) FROM media_account", database_of(url)) == [["0"]]
