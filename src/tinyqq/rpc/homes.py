"""The one node where all gather a conversation that several of them write."""

from __future__ import annotations

from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import Home, Send
from tinyqq.rpc.links import Links, Peer
from tinyqq.rpc.placing import seeds_of
from tinyqq.rpc.select import place


class Homes:
    """Follows the registry.

    All nodes with the same picture find the same home. None of them looks at loads, which each
    sees in its own way: which node it is is a matter of speed only.

    Args:
        own: this node, which may be a home as well.
    """

    def __init__(self, *, own: UnitId, registry: Registry, links: Links) -> None:
        self._own = own
        self._links = links
        self._seeds: dict[UnitId, int] = {}
        registry.watch(self._see)
        self._see(registry.nodes())

    def find(self, conversation_id: ConversationId) -> Home | None:
        """See :data:`tinyqq.ports.services.FindHome`."""
        unit_id = place(conversation_id, self._seeds, {})
        if unit_id is None or unit_id == self._own:
            return None
        peer = self._links.peer(unit_id)
        if peer is None or not peer.sends.is_well:
            return None
        return _Home(self, unit_id, peer)

    def has(self, unit_id: UnitId) -> bool:
        """Whether a node may number conversations."""
        return unit_id in self._seeds

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._seeds = seeds_of(nodes)


class _Home:
    """One start of a node."""

    def __init__(self, homes: Homes, unit_id: UnitId, peer: Peer) -> None:
        self._homes = homes
        self._unit_id = unit_id
        self._sends = peer.sends

    @property
    def is_open(self) -> bool:
        return self._sends.is_well and self._homes.has(self._unit_id)

    def send(self, send: Send) -> None:
        self._sends.send(send)
