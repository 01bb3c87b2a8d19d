"""Addresses of databases, and the end of a process whose disk failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinyqq.errors import InvalidRequest
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.storage.open import database_path, is_server, migrate_storage, open_storage

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/tinyqq.db", Path("data/tinyqq.db")),
        ("sqlite:////var/lib/tinyqq.db", Path("/var/lib/tinyqq.db")),
    ],
)
def test_address_when_of_a_file_then_its_path(url: str, path: Path) -> None:
    assert database_path(url) == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data/tinyqq.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://h/db",
        "sqlite+x:///a",
    ],
)
def test_address_when_nothing_we_have_then_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        database_path(url)


@pytest.mark.parametrize("url", ["mysql+asyncmy://h/db", "mysql+asyncmy://u:p@h/"])
async def test_storage_when_the_address_of_a_server_is_none_then_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        await migrate_storage(url)
    with pytest.raises(InvalidRequest):
        async with open_storage(url):
            pass


def test_address_when_of_a_server_then_told_from_a_file() -> None:
    assert is_server("mysql+asyncmy://u@h/db")
    assert not is_server("sqlite:///a")


def test_server_when_the_extra_is_not_installed_then_it_says_so() -> None:
    program = (
        "import asyncio, sys; sys.modules['asyncmy'] = None; "
        "from tinyqq.storage.open import migrate_storage; "
        "asyncio.run(migrate_storage('mysql+asyncmy://u@127.0.0.1/db'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert "InvalidRequest" in ended.stderr
    assert "extra=database_url" in ended.stderr


@pytest.mark.slow
@pytest.mark.needs("mariadb")
async def test_storage_when_on_a_server_then_it_answers_and_counts(mariadb: MariaDb) -> None:
    url = mariadb.make_database()
    await migrate_storage(url)
    async with open_storage(url) as storage:
        await storage.ping()
        assert storage.counters()["storage_reads_total"] == 2
        assert storage.max_batch_bytes == 2 * 2**20


async def test_migrate_when_of_a_file_then_it_is_made(tmp_path: Path) -> None:
    await migrate_storage(f"sqlite:///{tmp_path}/a/tinyqq.db")
    assert (tmp_path / "a" / "tinyqq.db").exists()


async def test_storage_when_open_then_it_answers_and_counts(tmp_path: Path) -> None:
    async with open_storage(f"sqlite:///{tmp_path}/a/tinyqq.db") as storage:
        await storage.ping()
        assert storage.counters()["storage_reads_total"] == 1


async def test_storage_when_opened_again_then_everything_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tinyqq.db"
    async with open_storage(url) as storage:
        kept = await storage.accounts.get_secret("key", b"first")
    async with open_storage(url) as storage:
        assert await storage.accounts.get_secret("key", b"second") == kept


def test_exit_when_called_then_at_once_and_not_zero() -> None:
    program = (
        "import atexit; from tinyqq.storage.open import exit_at_once; "
        "atexit.register(print, 'flushed'); exit_at_once(OSError())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout) == (74, b"")
