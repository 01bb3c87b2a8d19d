"""MariaDB for tests: one server per session, a database per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.lab.servers.mariadb import MariaDb, make_template, running_mariadb


@pytest.fixture(scope="session")
def mariadb_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once."""
    return make_template(tmp_path_factory.mktemp("mariadb"))


@pytest.fixture(scope="session")
def mariadb(mariadb_template: Path) -> Iterator[MariaDb]:
    """The server that tests share: use :meth:`MariaDb.make_database`, and don't stop it."""
    with running_mariadb(mariadb_template) as server:
        yield server


@pytest.fixture
def own_mariadb(mariadb_template: Path) -> Iterator[MariaDb]:
    """A server for one test alone, to be killed and stopped."""
    with running_mariadb(mariadb_template) as server:
        yield server
