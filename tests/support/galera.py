"""Galera for tests: made ready once per session, so that a cluster starts in two seconds."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.lab.servers.galera import GaleraNode, galera_cluster, make_galera_template
from tinyqq.lab.servers.spider import DATABASE
from tinyqq.storage.open import migrate_storage


@pytest.fixture(scope="session")
def galera_template(mariadb_template: Path) -> Iterator[Path]:
    """A data folder for nodes of one cluster."""
    # Not below pytest's own folder: as root it is closed to the user whom the nodes run as.
    with tempfile.TemporaryDirectory(prefix="tq-galera-") as folder:
        yield make_galera_template(Path(folder), mariadb_template)


@pytest.fixture(scope="session")
def shared_galera(galera_template: Path) -> Iterator[tuple[GaleraNode, ...]]:
    """Three nodes that tests share, with every table in one database: don't stop them."""
    with galera_cluster(galera_template) as nodes:
        nodes[0].ask(f"CREATE DATABASE {DATABASE}")
        asyncio.run(migrate_storage(nodes[0].url(DATABASE)))
        yield nodes


@pytest.fixture
def galera(galera_template: Path) -> Iterator[tuple[GaleraNode, ...]]:
    """Three nodes of one test alone, all synced; to be killed, paused and started again."""
    with galera_cluster(galera_template) as nodes:
        yield nodes
