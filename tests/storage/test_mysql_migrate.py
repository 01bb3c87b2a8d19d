"""A server is brought to the schema, however often it is tried."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from tests.support.storages import migrated

from tinyqq.errors import Unavailable
from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.storage.migrate import differences
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_engine import dispose, pooled_engine
from tinyqq.storage.mysql_migrate import upgrade, upgrade_over
from tinyqq.storage.open import open_storage

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]


async def upgrade_url(url: str) -> None:
    """Bring it up."""
    await upgrade(MysqlAddress.from_url(url), timeouts=MysqlTimeouts())


@pytest.fixture
def url(mariadb: MariaDb) -> str:
    return migrated(mariadb)


async def test_schema_when_compared_with_a_migrated_server_then_no_difference(url: str) -> None:
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as database:
        assert await database.read(differences) == []


async def test_tables_when_made_then_innodb_and_compared_by_code_points(
    mariadb: MariaDb, url: str
) -> None:
    asked = (
        "SELECT DISTINCT engine, table_collation FROM information_schema.tables"
        f" WHERE table_schema = '{database_of(url)}' AND table_name <> 'alembic_version'"
    )
    assert mariadb.ask(asked) == [["InnoDB", "utf8mb4_bin"]]


async def test_upgrade_when_interrupted_between_tables_then_it_goes_on(
    mariadb: MariaDb, url: str
) -> None:
    mariadb.ask("DROP TABLE secret, counter; DELETE FROM alembic_version", database_of(url))
    await upgrade_url(url)
    async with open_storage(url) as storage:
        assert await storage.accounts.get_secret("key", b"value") == b"value"


async def test_upgrade_when_done_then_nothing_is_logged(
    mariadb: MariaDb, caplog: pytest.LogCaptureFixture
) -> None:
    await upgrade_url(mariadb.make_database())
    assert [one.message for one in caplog.records if one.levelname == "WARNING"] == []


async def test_upgrade_when_the_machine_pauses_between_statements_then_the_server_waits(
    url: str,
) -> None:
    connector = MysqlConnector(address=MysqlAddress.from_url(url), timeouts=MysqlTimeouts())
    engine = pooled_engine(connector, "READ COMMITTED", pool_size=1)
    asked = text("SELECT @@idle_write_transaction_timeout")
    async with engine.connect() as connection:
        assert (await connection.execute(asked)).scalar_one() == 2
        await connection.run_sync(upgrade_over)
        assert (await connection.execute(asked)).scalar_one() == 0
    await dispose(engine, 1)


async def test_upgrade_when_two_are_at_it_then_both_are_right(mariadb: MariaDb) -> None:
    url = mariadb.make_database()
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(upgrade_url(url))
    async with open_storage(url):
        pass


async def test_open_when_not_migrated_then_it_says_what_to_do(mariadb: MariaDb) -> None:
    with pytest.raises(Unavailable, match="tinyqq migrate"):
        async with open_storage(mariadb.make_database()):
            pass


async def test_upgrade_when_the_database_is_newer_then_refused(mariadb: MariaDb, url: str) -> None:
    mariadb.ask("UPDATE alembic_version SET version_num = '9999'", database_of(url))
    with pytest.raises(Unavailable, match="newer version"):
        await upgrade_url(url)
