"""What is installed, and what brings the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.lab.servers.packages import (
    KINDS,
    NEEDS,
    Need,
    find_program,
    install_packages,
    list_needs,
    missing_kinds,
    missing_packages,
    program,
)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder that is all of the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_needs_when_read_then_every_kind_is_there() -> None:
    servers = {"mariadb", "galera", "spider", "redis", "zookeeper", "nginx"}
    assert servers | {"chromium"} == KINDS
    assert list_needs() == NEEDS


def test_missing_packages_when_nothing_is_installed_then_the_packages_are_named(
    bare: Path,
) -> None:
    assert missing_packages(["redis"]) == ["redis-server", "redis-tools"]
    assert missing_kinds(["redis"]) == ["redis"]


def test_missing_packages_when_installed_then_none(bare: Path) -> None:
    for name in ("redis-server", "redis-cli"):
        put(bare, name)
    assert missing_packages(["redis"]) == []
    assert missing_kinds(["redis"]) == []


def test_missing_packages_when_a_kind_is_unknown_then_a_key_error() -> None:
    with pytest.raises(KeyError):
        missing_packages(["mongodb"])


def test_need_when_a_file_then_it_is_met_by_the_file(tmp_path: Path) -> None:
    need = Need(frozenset({"x"}), str(tmp_path / "lib.so"), "x")
    assert not need.is_met()
    (tmp_path / "lib.so").touch()
    assert need.is_met()


def test_program_when_missing_then_its_name(bare: Path) -> None:
    assert (find_program("redis-server"), program("redis-server")) == (None, "redis-server")
    path = put(bare, "redis-server")
    assert program("redis-server") == str(path)


def test_install_packages_when_there_is_no_apt_then_false_and_a_word(
    bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not install_packages(["redis-server"])
    assert "apt-get" in capfd.readouterr().err
