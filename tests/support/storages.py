"""Which storages the contract suites run on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Table

from tinyqq.lab.servers.galera import GaleraNode, cluster_url
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.spider import DATABASE, SpiderServers
from tinyqq.storage.open import migrate_storage
from tinyqq.storage.schema import metadata
from tinyqq.storage.spider import BY_CONVERSATION


def _kind(name: str) -> object:
    return pytest.param(name, marks=[pytest.mark.needs(name), pytest.mark.slow])


KINDS: Final = (pytest.param("sqlite"), _kind("mariadb"), _kind("galera"), _kind("spider"))
_BY_USER: Final = [table for table in metadata.sorted_tables if table not in BY_CONVERSATION]
_turns = count()


def fresh_url(request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a database that is empty and belongs to one test alone.

    A new one costs half a second on several servers: there all tests have the same, one after the
    other.
    """
    match request.param:
        case "sqlite":
            return f"sqlite:///{folder / 'tinyqq.db'}"
        case "mariadb":
            return migrated(request.getfixturevalue("mariadb"))
        case "galera":
            nodes: tuple[GaleraNode, ...] = request.getfixturevalue("shared_galera")
            first = next(_turns) % len(nodes)
            _empty(nodes[first], DATABASE, metadata.sorted_tables)
            # The next one is used first: it has to see at once what was done on this one.
            return cluster_url([*nodes[first + 1 :], *nodes[: first + 1]], DATABASE)
        case _:
            servers: SpiderServers = request.getfixturevalue("spider")
            for shard in servers.shards:
                _empty(shard, DATABASE, BY_CONVERSATION)
            _empty(servers.front, DATABASE, _BY_USER)
            return servers.url


def migrated(server: MariaDb) -> str:
    """A new database of a server, with every table."""
    url = server.make_database()
    asyncio.run(migrate_storage(url))
    return url


def _empty(server: MariaDb, database: str, tables: Iterable[Table]) -> None:
    server.ask("; ".join(f"DELETE FROM `{table.name}`" for table in tables), database)
