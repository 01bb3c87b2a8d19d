"""``tinyqq nodes``; with nodes that run: tests/e2e/test_rolling_restart.py."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.registries import shown_nodes
from typer.testing import CliRunner, Result

from tinyqq.app.settings import ROLES
from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app
from tinyqq.cli.nodes import to_row, to_table
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node

UNIT = Node(
    UnitId("host-7001"), "0123456789ab", frozenset(ROLES), "tinyqq://h:7001", "http://h:7080",
    "1.2", load=0.25, sessions=1200, draining=True, internal="10.0.0.1:7101",
)  # fmt: skip
USER_SERVER = Node(UnitId("user-1"), "ffff", frozenset({"user", "new", "friend"}), "", "", "1.2")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def run(*arguments: str, registry: str = "") -> Result:
    options = ["--set", f"registry={registry}", "--set", f"cluster.secret={'s' * 16}"]
    return CliRunner().invoke(app, ["nodes", *arguments, *(options if registry else [])])


def test_table_when_there_are_nodes_then_a_line_each() -> None:
    assert to_table([UNIT, USER_SERVER]).splitlines() == [
        "NODE       STATE     ROLES            SESSIONS  LOAD  VERSION  START   ADDRESS        "
        "CLIENTS",
        "host-7001  draining  all              1200      0.25  1.2      012345  10.0.0.1:7101  "
        "tinyqq://h:7001",
        "user-1     ok        user,friend,new  0         0.00  1.2      ffff    -              -",
    ]


def test_row_when_for_programs_then_everything_in_full() -> None:
    row = to_row(UNIT)
    assert (row["state"], row["incarnation"]) == ("draining", "0123456789ab")
    assert row["roles"] == list(ROLES)


def test_nodes_when_the_server_is_on_its_own_then_told() -> None:
    result = run()
    assert result.exit_code == ExitCode.SETTINGS
    assert "on its own" in result.stderr


@pytest.mark.needs("zookeeper")
def test_nodes_when_the_registry_shows_some_then_listed(zookeeper_server: ZookeeperServer) -> None:
    registry = f"{zookeeper_server.url}/{uuid4().hex}"
    assert "no nodes" in run(registry=registry).stderr
    with shown_nodes(registry, UNIT, USER_SERVER):
        assert "host-7001  draining" in run(registry=registry).stdout
        listed = json.loads(run("--json", registry=registry).stdout)
    assert [row["node"] for row in listed] == ["host-7001", "user-1"]
