"""The folder of a cluster."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from tinyqq.lab.cluster_folder import (
    ClusterFolder,
    ClusterState,
    FolderError,
    ProcessState,
    write_private,
)

UNIT = ProcessState("unit-1", "unit", "running", 42, 7001, ("http://a", "tinyqq://a"), "x.log")
STATE = ClusterState(
    pid=41, is_ready=True, is_replicated=False, settings="tinyqq.toml", processes=(UNIT,)
)


@pytest.fixture
def folder(tmp_path: Path) -> ClusterFolder:
    return ClusterFolder(tmp_path / "cluster")


def test_folder_when_entered_twice_then_in_use(folder: ClusterFolder) -> None:
    assert not folder.is_in_use()
    with folder:
        assert folder.is_in_use()
        with pytest.raises(FolderError, match="in_use"), ClusterFolder(folder.path):
            pass
    assert not folder.is_in_use()
    assert folder.wait_unused(0)


def test_folder_when_in_use_then_waiting_for_its_end_has_an_end(folder: ClusterFolder) -> None:
    with folder:
        assert not folder.wait_unused(0.01)


def test_folder_when_it_holds_something_else_then_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FolderError, match="not_ours"), ClusterFolder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_prepare_when_fresh_then_everything_is_gone(folder: ClusterFolder) -> None:
    with folder:
        folder.prepare(is_replicated=False, is_fresh=False)
        (folder.path / "mariadb").mkdir()
        (folder.path / "ports.json").touch()
        folder.prepare(is_replicated=True, is_fresh=True)
        assert {path.name for path in folder.path.iterdir()} == {"cluster.lock", "logs"}


@pytest.mark.parametrize(("made", "wanted"), [("mariadb", True), ("galera-1", False)])
def test_prepare_when_the_other_database_is_there_then_refused(
    folder: ClusterFolder, made: str, wanted: bool
) -> None:
    with folder:
        (folder.path / made).mkdir()
        with pytest.raises(FolderError, match="other_database"):
            folder.prepare(is_replicated=wanted, is_fresh=False)
        folder.prepare(is_replicated=not wanted, is_fresh=False)


def test_ports_when_chosen_again_then_the_same(folder: ClusterFolder) -> None:
    with folder:
        first = folder.choose_ports(["a", "b"])
        assert first["a"] != first["b"]
        assert folder.choose_ports(["b", "c"])["b"] == first["b"]
        assert folder.choose_ports(["a"]) == {"a": first["a"]}


def test_ports_when_one_is_taken_meanwhile_then_another(folder: ClusterFolder) -> None:
    with folder:
        first = folder.choose_ports(["a", "b"])
        with socket.create_server(("127.0.0.1", first["a"])):
            second = folder.choose_ports(["a", "b"])
        assert second["a"] not in first.values()
        assert second["b"] == first["b"]


def test_secret_when_asked_again_then_the_same_and_private(folder: ClusterFolder) -> None:
    with folder:
        secret = folder.secret()
        assert len(secret) >= 16
        assert folder.secret() == secret
    assert stat.S_IMODE((folder.path / "secret").stat().st_mode) == 0o600


def test_state_when_written_then_read_as_it_was(folder: ClusterFolder) -> None:
    with folder:
        assert folder.read() is None
        folder.write(STATE)
        assert folder.wait_state() == folder.read() == STATE
    assert STATE.find("unit-1") == UNIT
    assert STATE.find("unit-2") is None


def test_state_when_left_by_a_dead_process_then_forgotten(folder: ClusterFolder) -> None:
    with folder:
        folder.write(STATE)
    assert folder.wait_state() is None
    with folder:
        assert folder.read() is None


def test_write_private_when_there_is_such_a_file_then_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tinyqq.toml"
    path.write_text("old")
    os.chmod(path, 0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
