"""The SQL as an administrator gets it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app
from tinyqq.lab.servers.spider import SpiderServers

TWO = "mysql+asyncmy://u:p@10.0.0.1/one, mysql+asyncmy://u:p@10.0.0.2:3307/two"


def printed(*words: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, ["schema", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_schema_when_for_a_front_then_servers_and_tables() -> None:
    text = printed("--spider", TWO)
    assert "HOST '10.0.0.2', PORT 3307, DATABASE 'two'" in text
    assert text.count("ENGINE=SPIDER") == 5
    assert "tinyqq migrate" in text


def test_schema_when_for_a_shard_then_plain_tables() -> None:
    text = printed("--shard")
    assert text.count("ENGINE=InnoDB") == 5
    assert "SPIDER" not in text


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--shard", "--spider", TWO],
        ["--spider", "mysql+asyncmy://u:p@10.0.0.1/one"],
        ["--spider", "sqlite:///file,sqlite:///other"],
    ],
)
def test_schema_when_asked_wrongly_then_a_hint(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["schema", *words])
    assert result.exit_code == ExitCode.USAGE
    assert "Usage" in result.output


@pytest.mark.slow
@pytest.mark.needs("spider")
def test_schema_when_run_as_printed_then_it_can_be_migrated(own_spider: SpiderServers) -> None:
    for number, shard in enumerate(own_spider.shards):
        shard.ask(f"CREATE DATABASE by_hand_{number}")
        shard.ask(printed("--shard"), f"by_hand_{number}")
    urls = [shard.url(f"by_hand_{n}") for n, shard in enumerate(own_spider.shards)]
    own_spider.front.ask("DROP SERVER tinyqq_1; DROP SERVER tinyqq_2; CREATE DATABASE by_hand")
    own_spider.front.ask(printed("--spider", ",".join(urls)), "by_hand")
    for url in (own_spider.front.url("by_hand"), *urls):
        migrated = CliRunner().invoke(app, ["migrate", "--set", f"database_url={url}"])
        assert migrated.exit_code == 0, migrated.output
