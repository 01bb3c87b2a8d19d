"""The index by writer."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, inspect
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.migrate import head
from tinyqq.storage.migrations.versions import v0002_writer_index as revision
from tinyqq.storage.open import migrate_storage


def test_revision_when_asked_then_after_the_first() -> None:
    assert (revision.revision, revision.down_revision) == ("0002", "0001")


def test_index_when_on_sqlite_then_none(conn: Connection) -> None:
    assert inspect(conn).get_indexes("message") == []


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_index_when_the_first_try_was_interrupted_then_the_next_goes_on(mariadb: MariaDb) -> None:
    url = migrated(mariadb)
    mariadb.ask(
        "UPDATE alembic_version SET version_num = '0001';"
        "CREATE INDEX ix_message_writer ON message (writer, writer_pos)",
        database_of(url),
    )
    asyncio.run(migrate_storage(url))
    assert mariadb.ask("SELECT version_num FROM alembic_version", database_of(url)) == [[head()]]
