"""The index by writer, with the kind."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, inspect
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.migrations.versions import v0003_tail_index as revision
from tinyqq.storage.open import migrate_storage


def test_revision_when_asked_then_after_the_second() -> None:
    assert (revision.revision, revision.down_revision) == ("0003", "0002")


def test_index_when_on_sqlite_then_none(conn: Connection) -> None:
    assert inspect(conn).get_indexes("message") == []


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_index_when_the_first_try_was_interrupted_then_the_next_goes_on(mariadb: MariaDb) -> None:
    url = migrated(mariadb)
    mariadb.ask(
        "UPDATE alembic_version SET version_num = '0002';"
        "CREATE INDEX ix_message_writer ON message (writer, writer_pos)",
        database_of(url),
    )
    asyncio.run(migrate_storage(url))
    shown = mariadb.ask("SHOW INDEX FROM message", database_of(url))
    columns = [(row[2], row[4]) for row in shown if row[2].startswith("ix_")]
    assert columns == [("ix_message_tail", one) for one in ("writer", "writer_pos", "kind")]
