"""Which nodes live, with what roles, where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyqq.model.ids import UnitId


@dataclass(frozen=True, slots=True)
class Node:
    """One process start of a node.

    ``load``: 0.0 idle … 1.0 full, as the node itself reports it. ``internal``: host:port for its
    peers; empty: it takes no calls. ``writers``: the numbers under which it writes into the log.
    ``log_ins_per_s``: how many it takes; 0: any number. ``listen_tcp``, ``listen_http``: the URLs
    of its own ports, for a proxy that stands before it; 0.0.0.0: at the host of ``internal``.
    """

    unit_id: UnitId
    incarnation: str
    roles: frozenset[str]
    public_tcp: str
    public_http: str
    version: str
    load: float = 0.0
    sessions: int = 0
    draining: bool = False
    internal: str = ""
    writers: tuple[int, ...] = ()
    log_ins_per_s: float = 0.0
    listen_tcp: str = ""
    listen_http: str = ""


class Registry(Protocol):
    """A live picture of the cluster."""

    async def register(self, node: Node) -> None:
        """Show this node to the others, or show its new load and state."""
        ...

    async def unregister(self) -> None:
        """Take this node out."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """The picture as of now, by unit id."""
        ...

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        """Call back, in the event loop, after every change of the picture."""
        ...
