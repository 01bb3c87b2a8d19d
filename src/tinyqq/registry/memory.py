"""The registry of a cluster of one: the picture holds this node, once it has registered."""

from __future__ import annotations

from collections.abc import Callable

from tinyqq.ports.registry import Node


class MemoryRegistry:
    """Implements :class:`tinyqq.ports.registry.Registry` for the only node there is."""

    def __init__(self) -> None:
        self._nodes: tuple[Node, ...] = ()
        self._watchers: list[Callable[[tuple[Node, ...]], None]] = []

    async def register(self, node: Node) -> None:
        """Show this node, or its new load and state."""
        self._show((node,))

    async def unregister(self) -> None:
        """Take this node out; no effect when it is not in."""
        self._show(())

    def nodes(self) -> tuple[Node, ...]:
        """The picture as of now."""
        return self._nodes

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        """Call back after every change of the picture."""
        self._watchers.append(on_change)

    def _show(self, nodes: tuple[Node, ...]) -> None:
        if nodes != self._nodes:
            self._nodes = nodes
            for on_change in self._watchers:
                on_change(nodes)
