"""The map of established connections: one channel per node, opened on first use, kept, and closed
when the node goes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Self

import grpc.aio

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.clock import Clock
from tinyqq.errors import TinyQQError
from tinyqq.model.figures import LinkFigures, NodeFigures
from tinyqq.model.ids import UnitId
from tinyqq.ports.delivery import UnitLink
from tinyqq.ports.registry import Node, Registry
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.deliveries import DeliveryStream
from tinyqq.rpc.figures import figures_from
from tinyqq.rpc.limits import CHANNEL_OPTIONS, LinkLimits
from tinyqq.rpc.sends import SendStream
from tinyqq.rpc.status import failed, translated
from tinyqq.rpc.stream import Line

logger = logging.getLogger(__name__)

OnBreak = Callable[[UnitId], None]


class Peer:
    """Another node: a stream for deliveries, one for sends, and calls.

    Args:
        on_break: called when what was on its way to the node may be lost.
    """

    def __init__(
        self,
        *,
        node: Node,
        credentials: Credentials,
        clock: Clock,
        limits: LinkLimits,
        on_break: OnBreak | None = None,
    ) -> None:
        self.node = node
        self.calls = 0
        self._credentials = credentials
        self._channel = open_channel(node.internal, credentials)
        self._stub = NodeStub(self._channel)

        def broken(_: TinyQQError) -> None:
            if on_break is not None:
                on_break(node.unit_id)

        line = Line(node, self._channel, credentials, clock, limits)
        self.deliveries = DeliveryStream(line, on_break=broken)
        self.sends = SendStream(line)

    async def call(self, request: pb.CallRequest, *, timeout_s: float) -> pb.CallReply:
        """Make a business call.

        Raises:
            TinyQQError: what the node answered; NodeFailed: it did not answer in time.
        """
        self.calls += 1
        with translated():
            reply: pb.CallReply = await self._stub.Call(
                request, timeout=timeout_s, metadata=self._credentials.metadata
            )
        return reply

    async def ask_figures(self, samples: int, *, timeout_s: float) -> NodeFigures:
        """Ask what the node tells of itself; not counted as a call.

        Raises:
            TinyQQError: NodeFailed: it did not answer in time.
        """
        with translated():
            reply: pb.FiguresReply = await self._stub.Figures(
                pb.FiguresRequest(samples=samples),
                timeout=timeout_s,
                metadata=self._credentials.metadata,
            )
        return figures_from(reply)

    def figures(self) -> LinkFigures:
        """What went over this link."""
        counters = self.counters()
        return LinkFigures(
            to=self.node.unit_id,
            deliveries=int(counters["deliveries_total"]),
            sends=int(counters["sends_total"]),
            calls=self.calls,
            breaks=int(counters["delivery_breaks_total"]),
            waiting=int(counters["deliveries_waiting"]),
        )

    def stop(self) -> None:
        """Let :meth:`run` end: soon, but not before what waits is written, if that can be."""
        self.deliveries.stop()
        self.sends.stop()

    async def run(self) -> None:
        """Keep both streams until stopped; closes the channel."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.deliveries.run())
                group.create_task(self.sends.run())
        finally:
            await self._channel.close()

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "calls_total": self.calls,
            **self.deliveries.counters(),
            **self.sends.counters(),
        }


class Links:
    """Peers by unit id, as the registry shows them. ``async with`` it; leaving it writes what waits
    and closes every channel.

    Args:
        own: this node; there is no link to it.
        on_break: called in the event loop when what was on its way to a unit may be lost.
    """

    def __init__(
        self,
        *,
        own: UnitId,
        registry: Registry,
        credentials: Credentials,
        clock: Clock,
        limits: LinkLimits | None = None,
        on_break: OnBreak | None = None,
    ) -> None:
        self._own = own
        self._registry = registry
        self._credentials = credentials
        self._clock = clock
        self._limits = limits or LinkLimits()
        self._on_break = on_break
        self._nodes: dict[UnitId, Node] = {}
        self._peers: dict[UnitId, Peer] = {}
        self._gone: Counter[str] = Counter()
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._registry.watch(self._see)
        self._see(self._registry.nodes())
        return self

    async def __aexit__(self, *_: object) -> None:
        group, self._group = self._group, None
        for unit_id in list(self._peers):
            self._close(unit_id)
        if group is not None:
            await group.__aexit__(None, None, None)

    def to(self, unit_id: UnitId) -> UnitLink | None:
        """The link for deliveries to a unit; None: there is no such unit, or it is this one."""
        peer = self.peer(unit_id)
        return None if peer is None else peer.deliveries

    def peer(self, unit_id: UnitId) -> Peer | None:
        """Another node, its channel opened if it is not yet; None: there is no such node."""
        peer = self._peers.get(unit_id)
        if peer is not None:
            return peer
        node = self._nodes.get(unit_id)
        if node is None or self._group is None:
            return None
        peer = self._peers[unit_id] = Peer(
            node=node,
            credentials=self._credentials,
            clock=self._clock,
            limits=self._limits,
            on_break=self._on_break,
        )
        self._group.create_task(peer.run(), name=f"links to {unit_id}")
        return peer

    async def call(
        self, unit_id: UnitId, request: pb.CallRequest, *, timeout_s: float
    ) -> pb.CallReply:
        """Make a business call to a node.

        Raises:
            TinyQQError: what the node answered; NodeFailed: it is not there or did not answer.
        """
        peer = self.peer(unit_id)
        if peer is None:
            raise failed(unit_id=unit_id)
        return await peer.call(request, timeout_s=timeout_s)

    async def ask_figures(self, unit_id: UnitId, samples: int, *, timeout_s: float) -> NodeFigures:
        """Ask another node what it tells of itself.

        Raises:
            TinyQQError: NodeFailed: it is not there or did not answer in time.
        """
        peer = self.peer(unit_id)
        if peer is None:
            raise failed(unit_id=unit_id)
        return await peer.ask_figures(samples, timeout_s=timeout_s)

    def figures(self) -> tuple[LinkFigures, ...]:
        """What went over each of the links that are open."""
        return tuple(peer.figures() for _, peer in sorted(self._peers.items()))

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics, of all links together, also of those that are closed."""
        totals = Counter(self._gone)
        for peer in self._peers.values():
            totals.update(peer.counters())
        return {"open": len(self._peers), **totals}

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._nodes = {
            node.unit_id: node for node in nodes if node.internal and node.unit_id != self._own
        }
        for unit_id, peer in list(self._peers.items()):
            node = self._nodes.get(unit_id)
            if node is None or _is_other(node, peer.node):
                self._close(unit_id)

    def _close(self, unit_id: UnitId) -> None:
        logger.info("link.closing", extra={"unit": unit_id})
        peer = self._peers.pop(unit_id)
        peer.stop()
        for name, value in peer.counters().items():
            if name.endswith("_total"):
                self._gone[name] += int(value)


def _is_other(one: Node, two: Node) -> bool:
    """Whether it is another process start, or listens elsewhere now."""
    return (one.incarnation, one.internal) != (two.incarnation, two.internal)


def open_channel(target: str, credentials: Credentials) -> grpc.aio.Channel:
    """A channel to a node's internal address."""
    secure = credentials.for_channel()
    if secure is None:
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(target, secure, options=CHANNEL_OPTIONS)
