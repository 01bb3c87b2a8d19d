"""What every implementation of ``ports.registry`` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.support.servers import safe_name

from tinyqq.clock import SystemClock
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node, Registry
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.registry.zookeeper import ZookeeperRegistry

NODE = Node(
    UnitId("unit-1"),
    "incarnation",
    frozenset({"proxy", "chat"}),
    "tinyqq://127.0.0.1:7001",
    "http://127.0.0.1:7080",
    "1.0",
)


KINDS = ("memory", pytest.param("zookeeper", marks=pytest.mark.needs("zookeeper")))


@pytest.fixture(params=KINDS)
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[Registry]:
    """A registry without nodes."""
    if request.param == "memory":
        yield MemoryRegistry()
        return
    server: ZookeeperServer = request.getfixturevalue("zookeeper_server")
    url = f"{server.url}/{safe_name(request.node.name)}"
    async with ZookeeperRegistry(url=url, clock=SystemClock()) as registry:
        yield registry


async def test_nodes_when_nobody_has_registered_then_none(registry: Registry) -> None:
    assert registry.nodes() == ()


async def test_register_when_called_then_shown(registry: Registry) -> None:
    await registry.register(NODE)
    assert registry.nodes() == (NODE,)


async def test_register_when_called_again_then_the_new_state_is_shown(registry: Registry) -> None:
    await registry.register(NODE)
    busier = replace(NODE, load=0.5, sessions=7, draining=True)
    await registry.register(busier)
    assert registry.nodes() == (busier,)


async def test_unregister_when_called_then_gone_and_may_come_again(registry: Registry) -> None:
    await registry.register(NODE)
    await registry.unregister()
    await registry.unregister()
    assert registry.nodes() == ()
    await registry.register(NODE)
    assert registry.nodes() == (NODE,)


async def test_watch_when_the_picture_changes_then_called_with_the_new_one(
    registry: Registry,
) -> None:
    seen: list[tuple[Node, ...]] = []
    registry.watch(seen.append)
    await registry.register(NODE)
    await registry.register(NODE)
    await registry.unregister()
    assert seen == [(NODE,), ()]


async def test_watch_when_there_are_several_then_all_are_called(registry: Registry) -> None:
    calls: list[str] = []
    registry.watch(lambda _: calls.append("one"))
    registry.watch(lambda _: calls.append("two"))
    await registry.register(NODE)
    assert calls == ["one", "two"]
