"""A MariaDB of the tests' own: one server per session, a database per test.

Its settings are quick rather than safe against a power cut; what was acknowledged survives a killed
server all the same (flush-log-at-trx-commit=2).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from tests.support.servers import PROBE_TIMEOUT_S, ServerProcess, free_port, program

_INSTALL_TIMEOUT_S: Final = 60
_ASK_TIMEOUT_S: Final = 30
_numbers = count(1)

_CONFIG: Final = """\
[mariadbd]
{user}
datadir={folder}/data
socket={folder}/my.sock
pid-file={folder}/my.pid
tmpdir={folder}/tmp
bind-address=127.0.0.1
port={port}
skip-name-resolve
character-set-server=utf8mb4
collation-server=utf8mb4_unicode_ci
innodb-buffer-pool-size=64M
innodb-log-file-size=8M
innodb-flush-log-at-trx-commit={flush}
innodb-flush-method={method}
innodb-doublewrite=0
performance-schema=OFF
key-buffer-size=1M
aria-pagecache-buffer-size=8M
"""


class MariaDb(ServerProcess):
    """One server; root logs in without a password, as in no other place.

    Args:
        folder: the server's own; keep its path short (unix sockets).
        template: a data folder made by :func:`make_template`.
        durable: with a real fsync per commit, for measuring.
    """

    def __init__(self, *, folder: Path, template: Path, durable: bool = False) -> None:
        self.port = free_port()
        shutil.copytree(template, folder / "data")
        (folder / "tmp").mkdir()
        config = folder / "my.cnf"
        config.write_text(
            _CONFIG.format(
                user="user=root" if _is_root() else "",
                folder=folder,
                port=self.port,
                flush=1 if durable else 2,
                method="fsync" if durable else "nosync",
            )
        )
        super().__init__(
            name="mariadbd",
            command=[program("mariadbd"), f"--defaults-file={config}"],
            folder=folder,
            is_ready=self._greets,
        )

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"mysql+asyncmy://root@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """A new, empty database; returns its address."""
        name = f"t{next(_numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, statements: str, database: str = "") -> list[list[str]]:
        """Rows of statements of the test's own, as texts; MariaDB's own client asks."""
        answered = subprocess.run(
            [
                program("mariadb"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                f"--port={self.port}", "--user=root", "--batch", "--skip-column-names",
                f"--execute={statements}", *([database] if database else []),
            ],
            check=True, capture_output=True, text=True, timeout=_ASK_TIMEOUT_S,
        )  # fmt: skip
        return [line.split("\t") for line in answered.stdout.splitlines()]

    def connection_ids(self, database: str) -> list[str]:
        """Who is connected to a database."""
        asked = f"SELECT id FROM information_schema.processlist WHERE db = '{database}'"
        return [row[0] for row in self.ask(asked)]

    def _greets(self) -> bool:
        """Whether it says hello, as it does when it can be asked."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PROBE_TIMEOUT_S) as link:
            return bool(link.recv(1))


def database_of(url: str) -> str:
    """The name of the database that an address ends with."""
    return url.rpartition("/")[2]


def make_template(folder: Path) -> Path:
    """A data folder as a new server has it; takes a second or more."""
    template = folder / "template"
    subprocess.run(
        [
            program("mariadb-install-db"), "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db", "--skip-name-resolve", f"--datadir={template}",
            "--innodb-log-file-size=8M", *(["--user=root"] if _is_root() else []),
        ],
        check=True, capture_output=True, timeout=_INSTALL_TIMEOUT_S,
    )  # fmt: skip
    return template


@contextlib.contextmanager
def running_mariadb(
    template: Path, *, durable: bool = False, directory: str | None = None
) -> Iterator[MariaDb]:
    """A server in a folder of its own (in *directory*), until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tq-db-", dir=directory) as folder:
        with MariaDb(folder=Path(folder), template=template, durable=durable) as server:
            yield server


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


def _is_root() -> bool:
    return os.getuid() == 0
