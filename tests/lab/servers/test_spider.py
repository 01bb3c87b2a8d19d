"""A front and shards that answer as one database."""

from __future__ import annotations

import pytest

from tinyqq.lab.servers.spider import DATABASE, SpiderServers


@pytest.mark.slow
@pytest.mark.needs("spider")
def test_front_when_written_to_then_the_row_lies_on_its_shard_alone(spider: SpiderServers) -> None:
    rows = ", ".join(f"({key}, 1, 0, 0, 0, '')" for key in (1021 * 60, 1021 * 60 + 1020))
    spider.front.ask(f"INSERT INTO relation VALUES {rows}", DATABASE)
    asked = "SELECT conversation_id FROM relation WHERE conversation_id BETWEEN 61260 AND 62280"
    found = [shard.ask(asked, DATABASE) for shard in spider.shards]
    assert found == [[["61260"]], [["62280"]]]
    assert sorted(spider.front.ask(asked, DATABASE)) == [["61260"], ["62280"]]
    spider.front.ask("DELETE FROM relation", DATABASE)
