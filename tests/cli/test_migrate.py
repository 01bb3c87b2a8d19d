"""Migrating from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.storage.file_lock import FileLock


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYQQ_LANG", "en")


def test_migrate_when_nobody_has_the_database_then_it_is_brought_up(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path)])
    assert result.exit_code == 0
    assert "schema" in result.output
    assert (tmp_path / "tinyqq.db").exists()


def test_migrate_when_a_node_has_the_database_then_it_says_so(tmp_path: Path) -> None:
    with FileLock(tmp_path / "tinyqq.db.lock"):
        result = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path)])
    assert result.exit_code == ExitCode.IN_USE
    assert "Stop it first" in result.output


def test_migrate_when_the_folder_cannot_be_made_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path / "file" / "x")])
    assert result.exit_code == ExitCode.STORAGE
    assert "cannot be used" in result.output


def test_migrate_when_the_server_is_away_then_it_says_so_without_the_password() -> None:
    url = "mysql+asyncmy://qq:secret@127.0.0.1:1/tinyqq"
    result = CliRunner().invoke(app, ["migrate", "--set", f"database_url={url}"])
    assert result.exit_code == ExitCode.STORAGE
    assert "cannot be reached" in result.output
    assert "secret" not in result.output


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_migrate_when_on_a_server_then_the_doctor_is_content(mariadb: MariaDb) -> None:
    url = ["--set", f"database_url={mariadb.make_database()}"]
    before = CliRunner().invoke(app, ["doctor", *url]).output
    assert "run `tinyqq migrate`" in before
    assert CliRunner().invoke(app, ["migrate", *url]).exit_code == 0
    after = CliRunner().invoke(app, ["doctor", *url]).output
    assert "run `tinyqq migrate`" not in after
