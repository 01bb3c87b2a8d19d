"""The statements for a front and its shards, and that a real server understands them as we do."""

from __future__ import annotations

import pytest
from tests.support.logs import ANN_BOB, ANN_OWN, GROUP

from tinyqq.lab.servers.spider import DATABASE, SpiderServers
from tinyqq.model.ids import ConversationId
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.shards import BUCKETS, shards_of, spread
from tinyqq.storage.spider import BY_CONVERSATION, front_statements, shard_statements

ADDRESSES = [
    MysqlAddress((("10.0.0.1", 3306),), "tiny", "it's a \\ secret", "tinyqq"),
    MysqlAddress((("10.0.0.2", 3307),), "tiny", "s", "other"),
]


def test_front_when_described_then_servers_first_and_every_table_in_partitions() -> None:
    statements = list(front_statements(ADDRESSES))
    assert statements[0] == (
        "CREATE SERVER tinyqq_1 FOREIGN DATA WRAPPER mysql OPTIONS (HOST '10.0.0.1', PORT 3306,"
        " DATABASE 'tinyqq', USER 'tiny', PASSWORD 'it''s a \\\\ secret')"
    )
    assert "PORT 3307, DATABASE 'other'" in statements[1]
    tables = [text for text in statements if text.startswith("CREATE TABLE")]
    assert len(tables) == len(BY_CONVERSATION)
    for text in tables:
        assert "ENGINE=SPIDER" in text
        assert "InnoDB" not in text
        assert "PARTITION BY LIST (conversation_id MOD 1021)" in text
        assert """COMMENT = 'srv "tinyqq_2"'""" in text


def test_shard_when_described_then_the_same_tables_on_its_own_engine() -> None:
    text = "\n".join(shard_statements())
    assert text.count("CREATE TABLE") == text.count("ENGINE=InnoDB") == len(BY_CONVERSATION)
    assert "CREATE INDEX ix_message_tail" in text


@pytest.mark.slow
@pytest.mark.needs("spider")
async def test_shards_when_read_from_the_server_then_it_puts_rows_where_we_think(
    spider: SpiderServers,
) -> None:
    async with MysqlDatabase.open(MysqlAddress.from_url(spider.url)) as database:
        assert database.shards == shards_of(spread(2))
    keys = [*range(50_000, 50_000 + BUCKETS), ANN_BOB, ANN_OWN, GROUP]
    rows = ", ".join(f"({key}, 1, 0, 0, 0, '')" for key in keys)
    spider.front.ask(f"DELETE FROM relation; INSERT INTO relation VALUES {rows}", DATABASE)
    for number, shard in enumerate(spider.shards):
        found = shard.ask("SELECT conversation_id FROM relation ORDER BY 1", DATABASE)
        ours = [key for key in keys if database.shards.of(ConversationId(key)) == number]
        assert [int(row[0]) for row in found] == sorted(ours)
