"""MariaDB as a process."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyqq.lab.servers.mariadb import MariaDb, database_of, make_template, running_mariadb

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb")]


def test_database_when_made_then_new_and_empty(mariadb: MariaDb) -> None:
    url = mariadb.make_database()
    assert url != mariadb.make_database()
    assert mariadb.ask("SHOW TABLES", database_of(url)) == []


def test_ask_when_refused_then_an_error(mariadb: MariaDb) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        mariadb.ask("SELECT nonsense")


def test_template_when_made_then_not_with_the_temporary_folder_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "where nothing can be put"))
    assert (make_template(tmp_path) / "mysql").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["template"]


def test_server_when_killed_then_its_data_is_there_at_the_next_start(
    own_mariadb: MariaDb,
) -> None:
    own_mariadb.ask("CREATE DATABASE kept")
    own_mariadb.kill()
    own_mariadb.start()
    assert ["kept"] in own_mariadb.ask("SHOW DATABASES")


def test_server_when_made_again_in_its_folder_then_the_data_is_kept(
    tmp_path: Path, mariadb_template: Path
) -> None:
    with MariaDb(folder=tmp_path, template=mariadb_template) as server:
        server.ask("CREATE DATABASE kept")
    with MariaDb(folder=tmp_path) as server:
        assert ["kept"] in server.ask("SHOW DATABASES")


@pytest.mark.parametrize(("durable", "flush"), [(True, "1"), (False, "2")])
def test_server_when_durable_then_every_commit_is_flushed(
    mariadb_template: Path, durable: bool, flush: str
) -> None:
    asked = "SELECT @@innodb_flush_log_at_trx_commit, @@max_connections"
    options = ["max-connections=77"]
    with running_mariadb(mariadb_template, durable=durable, options=options) as server:
        assert server.ask(asked) == [[flush, "77"]]
