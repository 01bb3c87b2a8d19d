"""What ``tinyqq up`` refuses, and why. That it works is told by tests/e2e/test_up.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app
from tinyqq.lab.cluster_folder import ClusterFolder

NEEDS = pytest.mark.needs("mariadb", "redis", "zookeeper", "nginx")


@pytest.fixture(autouse=True)
def _english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def up(*flags: str) -> Result:
    return CliRunner().invoke(app, ["up", *flags])


@pytest.mark.parametrize("wrong", ["user", "user=", "user=x", "proxy=1", "admin=2", "user=1000"])
def test_up_when_role_nodes_make_no_sense_then_usage(wrong: str) -> None:
    result = up("--roles-nodes", wrong)
    assert result.exit_code == ExitCode.USAGE
    assert "ROLE=N" in result.output


def test_up_when_there_would_be_no_unit_then_usage() -> None:
    assert up("--units", "0").exit_code == ExitCode.USAGE


def test_up_when_packages_are_missing_then_the_command_that_brings_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    result = up()
    assert result.exit_code == ExitCode.FAILED
    assert "tinyqq up --install" in result.output
    assert "sudo apt-get install -y --no-install-recommends default-jre" in result.output
    assert "redis-server redis-tools" in result.output
    assert not (tmp_path / "tinyqq-cluster").exists()


@NEEDS
def test_up_when_the_folder_cannot_be_made_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = up("--dir", "file")
    assert result.exit_code == ExitCode.STORAGE
    assert f"The cluster did not start: [Errno 17] File exists: '{tmp_path / 'file'}'" in (
        result.output.replace("\n", "")
    )


def test_up_when_they_cannot_be_installed_then_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    result = up("--install")
    assert result.exit_code == ExitCode.FAILED
    assert "could not be installed" in result.output


@NEEDS
def test_up_when_the_folder_holds_something_else_then_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    result = up("--dir", str(tmp_path), "--fresh")
    assert result.exit_code == ExitCode.STORAGE
    assert "holds something else" in result.output
    assert (tmp_path / "thesis.tex").exists()


@NEEDS
def test_up_when_one_runs_there_then_it_names_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "cluster"
    with ClusterFolder(path):
        result = up("--dir", str(path))
    assert result.exit_code == ExitCode.IN_USE
    assert f"tinyqq down --dir {path}" in result.output


@NEEDS
def test_up_when_the_data_is_galeras_then_it_wants_to_be_told_so(tmp_path: Path) -> None:
    path = tmp_path / "cluster"
    with ClusterFolder(path):
        (path / "galera-1").mkdir()
    result = up("--dir", str(path))
    assert result.exit_code == ExitCode.STORAGE
    assert "made with --ha" in result.output


@pytest.mark.needs("galera", "redis", "zookeeper", "nginx")
@pytest.mark.skipif(os.getuid() != 0, reason="as another user Galera runs as that one")
def test_up_when_galeras_user_cannot_get_there_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    result = up("--ha", "--dir", str(tmp_path / "closed" / "cluster"))
    assert result.exit_code == ExitCode.STORAGE
    assert "the user mysql" in result.output


def test_up_when_asked_for_help_then_it_starts_nothing(tmp_path: Path) -> None:
    assert "--units" in up("--help").output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_module_when_run_as_a_program_then_it_is_the_command() -> None:
    """So a cluster starts its nodes."""
    command = [sys.executable, "-m", "tinyqq.cli.main", "version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200)
    assert done.stdout.startswith("tinyqq ")
