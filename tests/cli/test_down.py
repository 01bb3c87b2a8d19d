"""``tinyqq down``, with a stand-in for ``tinyqq up``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tinyqq.cli.main import app
from tinyqq.lab.cluster_folder import ClusterFolder

STAND_IN = """
import os, signal, sys
from pathlib import Path
from tinyqq.lab.cluster_folder import ClusterFolder, ClusterState
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with ClusterFolder(Path(sys.argv[1])) as folder:
    folder.write(ClusterState(os.getpid(), True, False, "", ()))
    print("here", flush=True)
    signal.sigwait([signal.SIGTERM])
"""


@pytest.fixture(autouse=True)
def _english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def down(*flags: str) -> Result:
    return CliRunner().invoke(app, ["down", *flags])


def test_down_when_nothing_runs_then_it_says_so(tmp_path: Path) -> None:
    result = down()
    assert (result.exit_code, list(tmp_path.iterdir())) == (0, [])
    assert f"No cluster runs in {tmp_path / 'tinyqq-cluster'}." in result.output


def test_down_when_a_cluster_was_left_dead_then_nothing_runs(tmp_path: Path) -> None:
    with ClusterFolder(tmp_path / "cluster"):
        pass
    assert "No cluster runs" in down("--dir", "cluster").output


@pytest.mark.slow
def test_down_when_one_runs_then_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "cluster"
    with subprocess.Popen(
        [sys.executable, "-c", STAND_IN, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        result = down("--dir", str(path))
        assert (result.exit_code, process.wait(60)) == (0, 0)
    assert "Stopping 0 processes" in result.output
    assert not ClusterFolder(path).is_in_use()
