"""Which storages the contract suites run on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.storage.open import migrate_storage

KINDS: Final = (
    pytest.param("sqlite"),
    pytest.param("mariadb", marks=[pytest.mark.needs("mariadb"), pytest.mark.slow]),
)


def fresh_url(request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a database that is empty and belongs to one test alone."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'tinyqq.db'}"
    server: MariaDb = request.getfixturevalue("mariadb")
    return migrated(server)


def migrated(server: MariaDb) -> str:
    """A new database of a server, with every table."""
    url = server.make_database()
    asyncio.run(migrate_storage(url))
    return url
