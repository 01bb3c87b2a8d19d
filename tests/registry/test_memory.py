"""What only the in-process registry has; the rest is in tests/contracts/test_registry.py."""

from __future__ import annotations

from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry


async def test_watch_when_nothing_has_changed_then_not_called() -> None:
    registry, calls = MemoryRegistry(), list[tuple[Node, ...]]()
    registry.watch(calls.append)
    await registry.unregister()
    assert calls == []
