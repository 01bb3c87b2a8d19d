"""``tinyqq drain``; of a node that runs: tests/e2e/test_rolling_restart.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.registries import shown_nodes
from typer.testing import CliRunner, Result

from tinyqq.cli.console import ExitCode
from tinyqq.cli.drain import gone, matches
from tinyqq.cli.main import app
from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry


def node(name: str) -> Node:
    return Node(UnitId(name), "1", frozenset({"proxy"}), "", "", "1")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def run(*arguments: str, registry: str = "") -> Result:
    options = ["--set", f"registry={registry}", "--set", f"cluster.secret={'s' * 16}"]
    return CliRunner().invoke(app, ["drain", *arguments, *(options if registry else [])])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("unit-1", ["unit-1"]),
        ("unit-10", ["unit-10"]),
        ("unit", ["unit-1", "unit-10"]),
        ("u", ["unit-1", "unit-10", "user"]),
        ("us", ["user"]),
        ("x", []),
    ],
)
def test_matches_when_a_name_begins_so_then_found_and_the_whole_name_alone(
    name: str, found: list[str]
) -> None:
    nodes = [node("unit-1"), node("unit-10"), node("user")]
    assert [one.unit_id for one in matches(nodes, name)] == found


async def test_gone_when_another_start_of_it_shows_then_it_has_gone() -> None:
    registry = MemoryRegistry()
    await registry.register(node("a"))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        waiting = group.create_task(gone(registry, node("a")))
        await asyncio.sleep(0)
        await registry.register(replace(node("a"), sessions=1))
        await asyncio.sleep(0)
        assert not waiting.done()
        await registry.register(replace(node("a"), incarnation="2"))


def test_drain_when_the_server_is_on_its_own_then_told() -> None:
    result = run("a")
    assert result.exit_code == ExitCode.SETTINGS
    assert "SIGTERM" in result.stderr


@pytest.mark.needs("zookeeper")
def test_drain_when_the_node_cannot_be_told_then_why(zookeeper_server: ZookeeperServer) -> None:
    registry = f"{zookeeper_server.url}/{uuid4().hex}"
    silent = replace(node("unit-1"), internal=f"127.0.0.1:{free_port()}")
    with shown_nodes(registry, silent, node("unit-2")):
        for name, said in (
            ("other", "No node's name begins with other. There are: unit-1, unit-2"),
            ("unit", "may be any of: unit-1, unit-2"),
            ("unit-1", f"does not answer at {silent.internal}"),
        ):
            result = run(name, registry=registry)
            assert result.exit_code == ExitCode.FAILED
            assert said in result.stderr.replace("\n", " ")


@pytest.mark.needs("zookeeper")
def test_drain_when_the_certificate_cannot_be_used_then_told(
    zookeeper_server: ZookeeperServer,
) -> None:
    registry = f"{zookeeper_server.url}/{uuid4().hex}"
    files = [f"cluster.{name}_file=missing.pem" for name in ("cert", "key", "authority")]
    with shown_nodes(registry, node("unit-1")):
        result = run(
            "unit-1", *(word for one in files for word in ("--set", one)), registry=registry
        )
    assert result.exit_code == ExitCode.SETTINGS
    assert "missing.pem" in result.stderr
