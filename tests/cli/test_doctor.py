"""The doctor's report."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyqq.app.settings import Settings
from tinyqq.cli.console import ExitCode
from tinyqq.cli.doctor import check_ports
from tinyqq.cli.main import app
from tinyqq.lab.servers.process import free_port

FREE_PORTS = ["--set", "listen.tcp_port=0", "--set", "listen.http_port=0"]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def test_doctor_when_asked_then_every_question_is_answered() -> None:
    output = CliRunner().invoke(app, ["doctor", *FREE_PORTS]).output
    for question in (
        "python",
        "event loop",
        "TCP port",
        "data folder",
        "disk",
        "database",
        "files",
    ):
        assert question in output


def test_doctor_when_something_is_wrong_then_it_fails_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = CliRunner().invoke(
            app, ["doctor", *FREE_PORTS, "--set", f"listen.tcp_port={port}"]
        )
    assert result.exit_code == ExitCode.FAILED
    assert "choose another port" in result.output


def test_doctor_when_the_language_is_chinese_then_so_is_the_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_LANG", "zh")
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = CliRunner().invoke(
            app, ["doctor", *FREE_PORTS, "--set", f"listen.tcp_port={port}"]
        )
    assert "换一个端口" in result.output


def test_doctor_when_there_is_a_database_then_its_schema_is_compared() -> None:
    CliRunner().invoke(app, ["migrate"])
    assert "tinyqq.db, schema" in CliRunner().invoke(app, ["doctor", *FREE_PORTS]).output


def test_doctor_when_the_database_has_no_address_then_it_says_so() -> None:
    result = CliRunner().invoke(app, ["doctor", "--set", "database_url=oracle://x"])
    assert result.exit_code == ExitCode.STORAGE


@pytest.mark.slow
def test_doctor_when_the_registry_is_away_then_what_is_shared_is_told_too() -> None:
    flags = [*FREE_PORTS, "--set", "listen.node_port=0", "--set", f"cluster.secret={'s' * 16}"]
    registry = f"registry=zookeeper://127.0.0.1:{free_port()}/x"
    result = CliRunner().invoke(app, ["doctor", *flags, "--set", registry])
    assert result.exit_code == ExitCode.FAILED
    for part in (
        "node port",
        "database_url, presence, media.store: of this node alone",
        "Does ZooKeeper run",
    ):
        assert part in result.output


def test_doctor_when_no_proxy_then_no_tcp_port() -> None:
    settings = Settings.model_validate(
        {"roles": "user", "registry": "zookeeper://127.0.0.1/x", "cluster": {"secret": "s" * 16}}
    )
    names = [finding.name for finding in check_ports(settings)]
    assert names == ["HTTP port", "node port"]
