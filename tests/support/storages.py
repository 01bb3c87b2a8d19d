"""Which storages the contract suites run on."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from tests.support.spider import emptied, empty

from tinyqq.lab.servers.galera import GaleraNode, cluster_url
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.spider import DATABASE
from tinyqq.storage.open import migrate_storage
from tinyqq.storage.schema import metadata


def _kind(name: str) -> object:
    return pytest.param(name, marks=[pytest.mark.needs(name), pytest.mark.slow])


KINDS: Final = (pytest.param("sqlite"), _kind("mariadb"), _kind("galera"), _kind("spider"))
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
            empty(nodes[first], DATABASE, metadata.sorted_tables)
            # The next one is used first: it has to see at once what was done on this one.
            return cluster_url([*nodes[first + 1 :], *nodes[: first + 1]], DATABASE)
        case _:
            return emptied(request.getfixturevalue("spider"))


def migrated(server: MariaDb) -> str:
    """A new database of a server, with every table."""
    url = server.make_database()
    asyncio.run(migrate_storage(url))
    return url
