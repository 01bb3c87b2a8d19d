"""MariaDB: a single server. Nodes of a Galera cluster are in :mod:`tinyqq.lab.servers.galera`.

By default its settings are quick rather than safe against a power cut; what was acknowledged
survives a killed server all the same (flush-log-at-trx-commit=2).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.packages import program
from tinyqq.lab.servers.process import PROBE_TIMEOUT_S, ServerProcess, free_port

_INSTALL_TIMEOUT_S: Final = 60
_ASK_TIMEOUT_S: Final = 30
_numbers = count(1)

_CONFIG: Final = """\
[mariadbd]
datadir={folder}/data
socket=mariadb.sock
pid-file={folder}/mariadb.pid
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
        folder: the server's own; what is in its ``data`` from an earlier time is kept.
        template: a data folder made by :func:`make_template`; None: one is made now.
        durable: with a real fsync per commit.
        options: further lines of its configuration; of two that name the same, the later counts.
        user: run as this system user (None: as who starts it); needs root.
    """

    def __init__(
        self,
        *,
        folder: Path,
        template: Path | None = None,
        durable: bool = False,
        name: str = "mariadbd",
        port: int | None = None,
        options: Sequence[str] = (),
        user: str | None = None,
    ) -> None:
        self.port = port or free_port()
        self.data = folder / "data"
        if not self.data.exists():
            _fill(self.data, template)
        (folder / "tmp").mkdir(exist_ok=True)
        self.config = folder / "my.cnf"
        text = _CONFIG.format(
            folder=folder,
            port=self.port,
            flush=1 if durable else 2,
            method="fsync" if durable else "nosync",
        )
        as_root = ["user=root"] if is_root() and user is None else []
        self.config.write_text("\n".join([text, *as_root, *options, ""]), encoding="utf-8")
        super().__init__(
            name=name,
            command=[program("mariadbd"), f"--defaults-file={self.config}"],
            folder=folder,
            is_ready=self._greets,
            user=user,
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
        """Rows of statements of one's own, as texts; MariaDB's own client asks.

        Raises:
            subprocess.SubprocessError: it refused, or did not answer in time.
        """
        answered = _run(
            [
                program("mariadb"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                f"--port={self.port}", "--user=root", "--batch", "--skip-column-names",
                f"--execute={statements}", *([database] if database else []),
            ],
            timeout_s=_ASK_TIMEOUT_S,
        )  # fmt: skip
        return [line.split("\t") for line in answered.splitlines()]

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
    # A server that starts deletes whatever tables are in its folder for temporary ones, as its own
    # of an earlier time: two at once in the system's folder take each other's away.
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=folder) as own:
        _run(
            [
                program("mariadb-install-db"), "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db", "--skip-name-resolve", f"--datadir={template}",
                f"--tmpdir={own}", "--innodb-log-file-size=8M",
                *(["--user=root"] if is_root() else []),
            ],
            timeout_s=_INSTALL_TIMEOUT_S,
        )  # fmt: skip
    return template


@contextlib.contextmanager
def running_mariadb(
    template: Path,
    *,
    durable: bool = False,
    directory: str | None = None,
    options: Sequence[str] = (),
) -> Iterator[MariaDb]:
    """A server in a folder of its own (in *directory*), until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tq-db-", dir=directory) as folder:
        with MariaDb(
            folder=Path(folder), template=template, durable=durable, options=options
        ) as server:
            yield server


def _run(command: Sequence[str], *, timeout_s: float) -> str:
    """What a command says; if it fails, that is noted at the error."""
    try:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=timeout_s
        ).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(f"{error.stdout}{error.stderr}")
        raise


def is_root() -> bool:
    """Whether MariaDB must be told that it really may run as who it is, or as somebody else."""
    return os.getuid() == 0


def _fill(data: Path, template: Path | None) -> None:
    """Whole or not at all: a folder that is half filled would be taken for a database."""
    with tempfile.TemporaryDirectory(prefix="new-", dir=data.parent) as made:
        if template is None:
            new = make_template(Path(made))
        else:
            new = Path(shutil.copytree(template, Path(made) / "template"))
        new.rename(data)
