"""``tinyqq nginx`` on a real registry; with a real nginx: tests/e2e/test_nginx.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.registries import shown_nodes
from typer.testing import CliRunner, Result

from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node

UNIT = Node(
    UnitId("one"), "1", frozenset({"proxy"}), "", "", "1",
    listen_tcp="tinyqq://10.0.0.1:7001", listen_http="http://10.0.0.1:7080",
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")
    return tmp_path


def run(*arguments: str, registry: str = "") -> Result:
    options = ["--set", f"registry={registry}", "--set", f"cluster.secret={'s' * 16}"]
    return CliRunner().invoke(app, ["nginx", *arguments, *(options if registry else [])])


@pytest.fixture
def registry(zookeeper_server: ZookeeperServer) -> str:
    return f"{zookeeper_server.url}/{uuid4().hex}"


@pytest.fixture
def shown(registry: str) -> Iterator[str]:
    """A registry that shows a unit."""
    with shown_nodes(registry, UNIT):
        yield registry


@pytest.mark.needs("zookeeper")
def test_nginx_when_there_are_units_then_printed_or_written_as_wished(shown: str) -> None:
    printed = run("--tcp", "127.0.0.1:7000", "--set", "limits.idle_timeout_s=9", registry=shown)
    assert printed.exit_code == 0, printed.output
    for line in ("listen 127.0.0.1:7000;", "listen 8080;", "server 10.0.0.1:7001 max_fails=1"):
        assert line in printed.stdout
    assert "proxy_timeout 39s;" in printed.stdout
    written = run("--http", "", "--output", "nginx.conf", registry=shown)
    assert (written.exit_code, written.stdout) == (0, "")
    assert "stream {" in Path("nginx.conf").read_text()
    assert "http {" not in Path("nginx.conf").read_text()


@pytest.mark.needs("zookeeper")
def test_nginx_when_there_are_no_units_then_failed_and_nothing_written(registry: str) -> None:
    result = run("--output", "nginx.conf", registry=registry)
    assert result.exit_code == ExitCode.FAILED
    assert "no unit takes clients" in result.stderr
    assert not Path("nginx.conf").exists()


@pytest.mark.needs("zookeeper")
def test_nginx_when_the_file_cannot_be_written_then_told(shown: str) -> None:
    result = run("--output", "missing/nginx.conf", registry=shown)
    assert result.exit_code == ExitCode.FAILED
    assert "missing/nginx.conf" in result.stderr


def test_nginx_when_the_node_is_alone_then_told() -> None:
    result = run()
    assert result.exit_code == ExitCode.SETTINGS
    assert "registry = memory" in result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["--tcp", "here"],
        ["--http", "8080;"],
        ["--tls-cert", "cert.pem"],
        ["--watch"],
        ["--shutdown-timeout", "0"],
    ],
)
def test_nginx_when_the_flags_are_wrong_then_a_usage_error(wrong: list[str]) -> None:
    assert run(*wrong, registry="zookeeper://127.0.0.1:1").exit_code == ExitCode.USAGE
