"""The tables of files."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, inspect
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.migrations.versions import v0004_media as revision
from tinyqq.storage.open import migrate_storage

TABLES = {"blob", "blob_owner", "blob_reference", "upload", "upload_part"}


def test_revision_when_asked_then_after_the_third() -> None:
    assert (revision.revision, revision.down_revision) == ("0004", "0003")


def test_tables_when_upgraded_then_there(conn: Connection) -> None:
    assert set(inspect(conn).get_table_names()) >= TABLES


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_tables_when_the_first_try_was_interrupted_then_the_next_goes_on(mariadb: MariaDb) -> None:
    url = migrated(mariadb)
    mariadb.ask(
        "UPDATE alembic_version SET version_num = '0003';"
        "DROP TABLE upload_part; DROP INDEX ix_upload_user ON upload",
        database_of(url),
    )
    asyncio.run(migrate_storage(url))
    shown = mariadb.ask("SHOW INDEX FROM upload", database_of(url))
    assert {row[2] for row in shown} == {"PRIMARY", "ix_upload_touched", "ix_upload_user"}
    assert mariadb.ask("SELECT COUNT(*) FROM upload_part", database_of(url)) == [["0"]]
