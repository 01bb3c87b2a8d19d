"""Several nodes as a test sets them, and links to them without sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from tinyqq._pb import node_pb2 as pb
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.ports.services import Send
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.links import Links
from tinyqq.rpc.status import failed

OWN = UnitId("own")


def node(name: str, *roles: str, **fields: Any) -> Node:
    """A node that takes calls."""
    return Node(UnitId(name), "1", frozenset(roles), "", "", "1", internal=f"{name}:1", **fields)


class Picture:
    """Implements ``ports.registry.Registry`` for reading: as many nodes as the test shows."""

    def __init__(self, *nodes: Node) -> None:
        self._nodes = nodes
        self._watchers: list[Callable[[tuple[Node, ...]], None]] = []

    async def register(self, node: Node) -> None:
        raise NotImplementedError

    async def unregister(self) -> None:
        raise NotImplementedError

    def nodes(self) -> tuple[Node, ...]:
        return self._nodes

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        self._watchers.append(on_change)

    def show(self, *nodes: Node) -> None:
        """Change the picture."""
        self._nodes = nodes
        for on_change in self._watchers:
            on_change(nodes)


class FakePeer:
    """A node: its sends and notes are kept for the test to answer."""

    def __init__(self) -> None:
        self.sends = self.deliveries = self
        self.taken: list[Send] = []
        self.notes: list[Note] = []
        self.is_usable = self.is_well = True

    def send(self, send: Send) -> None:
        self.taken.append(send)

    def note(self, note: Note) -> None:
        self.notes.append(note)


class FakeLinks:
    """Links to fake peers; ``answer`` says what becomes of calls."""

    def __init__(self, *names: str) -> None:
        self.peers = {UnitId(name): FakePeer() for name in names}
        self.down: set[UnitId] = set()
        self.called: list[UnitId] = []
        self.answer: Callable[[UnitId], Awaitable[pb.CallReply]] | None = None

    @property
    def links(self) -> Links:
        """What is handed in."""
        return cast(Links, self)

    def peer(self, unit_id: UnitId) -> FakePeer | None:
        """A node."""
        return self.peers.get(unit_id)

    async def call(
        self, unit_id: UnitId, request: pb.CallRequest, *, timeout_s: float
    ) -> pb.CallReply:
        """A call."""
        self.called.append(unit_id)
        if unit_id in self.down:
            raise failed(unit_id=unit_id)
        if self.answer is not None:
            return await self.answer(unit_id)
        return pb.CallReply(body=unit_id.encode())
