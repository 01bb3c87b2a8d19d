"""How the tail of the log is read; what it tells is in the contract suites."""

from __future__ import annotations

import pytest
from tests.support.logs import messages
from tests.support.storages import migrated

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.open import open_storage

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]


@pytest.fixture
def url(mariadb: MariaDb) -> str:
    return migrated(mariadb)


async def test_statement_when_explained_then_it_reads_the_index_alone(
    mariadb: MariaDb, url: str
) -> None:
    async with open_storage(url) as storage:
        await storage.log_writer.append(messages(500), ())
    [row] = mariadb.ask(
        "EXPLAIN (SELECT writer, writer_pos, conversation_id, seq, kind FROM message"
        " WHERE writer = 1 AND writer_pos > 490 ORDER BY writer_pos LIMIT 100)",
        database_of(url),
    )
    assert "ix_message_tail" in row
    assert "Using index" in row[-1]
    assert "filesort" not in row[-1]
