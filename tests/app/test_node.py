"""The node's entry in the registry."""

from __future__ import annotations

import asyncio
from typing import Any

from tinyqq.app.node import NodeEntry
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry

NODE = Node(UnitId("unit-1"), "a1", frozenset({"proxy"}), "tinyqq://h:1", "http://h:2", "0")


class NoticedRegistry(MemoryRegistry):
    """Sets an event after every registration but the first; may fail once before."""

    def __init__(self, *, failures: int = 0) -> None:
        super().__init__()
        self.updated = asyncio.Event()
        self.calls = 0
        self._failures = failures

    async def register(self, node: Node) -> None:
        """Register, unless it is time to fail."""
        self.calls += 1
        if self.calls > 1 and self._failures:
            self._failures -= 1
            raise Unavailable(ErrorCode.UNAVAILABLE)
        await super().register(node)
        if self.calls > 1:
            self.updated.set()


def entry(registry: MemoryRegistry, **options: Any) -> NodeEntry:
    return NodeEntry(
        registry=registry,
        node=NODE,
        sessions=lambda: 30,
        load=lambda: 0.3,
        **{"writers": tuple, "interval_s": 0.01, **options},
    )


async def test_entry_when_open_then_shown_and_when_closed_then_gone() -> None:
    registry = MemoryRegistry()
    async with entry(registry):
        assert registry.nodes() == (NODE,)
    assert registry.nodes() == ()


async def test_entry_when_sessions_come_then_its_load_is_shown() -> None:
    registry = NoticedRegistry()
    async with entry(registry), asyncio.timeout(30):
        await registry.updated.wait()
        (node,) = registry.nodes()
        assert (node.sessions, node.load) == (30, 0.3)


async def test_entry_when_draining_then_it_stays_and_says_so() -> None:
    registry = MemoryRegistry()
    async with entry(registry) as shown:
        await shown.drain()
        assert registry.nodes()[0].draining


async def test_entry_when_draining_and_the_registry_fails_then_the_next_round_says_so() -> None:
    registry = NoticedRegistry(failures=1)
    async with entry(registry) as shown, asyncio.timeout(30):
        await shown.drain()
        await registry.updated.wait()
        assert registry.nodes()[0].draining


async def test_entry_when_the_registry_fails_then_the_next_round_repeats() -> None:
    registry = NoticedRegistry(failures=1)
    async with entry(registry), asyncio.timeout(30):
        await registry.updated.wait()
        assert registry.calls == 3


async def test_entry_when_open_then_its_writers_are_shown_from_the_start() -> None:
    registry = MemoryRegistry()
    async with entry(registry, writers=lambda: (8, 7)):
        assert registry.nodes()[0].writers == (7, 8)


async def test_entry_when_it_writes_under_another_number_then_shown_soon() -> None:
    registry = NoticedRegistry()
    writers = [7]
    async with (
        entry(registry, writers=lambda: writers, interval_s=3600.0, look_s=0.01),
        asyncio.timeout(30),
    ):
        writers[:] = [9]
        await registry.updated.wait()
        assert registry.nodes()[0].writers == (9,)
