"""Spider: a front that nodes connect to, and servers behind it that share the log."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.spider import front_statements, shard_statements

DATABASE: Final = "tinyqq"
FRONT_OPTIONS: Final = ("plugin-load-add=ha_spider.so",)
SHARD_OPTIONS: Final = (
    # Sessions that the front opens are not set up by nodes: what a front that hangs has locked is
    # free again soon.
    "innodb-lock-wait-timeout=2",
    "idle-write-transaction-timeout=2",
)


@dataclass(frozen=True, slots=True)
class SpiderServers:
    """A front and its shards, with the tables that `tinyqq schema` prints."""

    front: MariaDb
    shards: tuple[MariaDb, ...]

    @property
    def url(self) -> str:
        """What nodes connect to, once it is migrated."""
        return self.front.url(DATABASE)


@contextlib.contextmanager
def spider_servers(template: Path, *, shards: int = 2) -> Iterator[SpiderServers]:
    """A front and so many shards in folders of their own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tq-sp-") as name, contextlib.ExitStack() as stack:

        def server(role: str, options: tuple[str, ...]) -> MariaDb:
            (folder := Path(name) / role).mkdir()
            made = MariaDb(folder=folder, template=template, name=role, options=options)
            return stack.enter_context(made)

        behind = tuple(server(f"shard-{one + 1}", SHARD_OPTIONS) for one in range(shards))
        front = server("front", FRONT_OPTIONS)
        for one in behind:
            _run(one, shard_statements())
        addresses = [MysqlAddress.from_url(one.url(DATABASE)) for one in behind]
        _run(front, front_statements(addresses))
        yield SpiderServers(front, behind)


def _run(server: MariaDb, statements: Iterator[str]) -> None:
    server.ask(f"CREATE DATABASE {DATABASE}")
    server.ask("; ".join(statements), DATABASE)
