"""From a role to a node that has it: for calls, notes and sends that this process does not answer
itself."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tinyqq._pb import node_pb2 as pb
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node, Registry
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.links import Links
from tinyqq.rpc.mapping import SEEN
from tinyqq.rpc.select import Selector
from tinyqq.rpc.status import NodeFailed, failed
from tinyqq.wire.calls import CALLS, ENTRANCES

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 8.0
"""Of one call, all tries together; a bit less than what the client waits for."""
TRY_S: Final = 4.0
"""Of one try, if there may be another."""
MAX_TRIES: Final = 3
_RETRY_AFTER_S: Final = 0.5


class Dispatch:
    """Follows the registry, and shares calls out over the nodes of each role.

    A call that may be repeated goes to another node when the first one fails.

    Args:
        own: this node; calls are not sent to it.
    """

    def __init__(self, *, own: UnitId, registry: Registry, links: Links, clock: Clock) -> None:
        self.retries = 0
        self.calls_by_node: Counter[UnitId] = Counter()
        self._own = own
        self._links = links
        self._clock = clock
        self._selectors: dict[str, Selector] = {}
        self._nodes: tuple[Node, ...] = ()
        registry.watch(self._see)
        self._see(registry.nodes())

    async def call(self, role: str, request: pb.CallRequest) -> pb.CallReply:
        """Ask a node of the role.

        Raises:
            TinyQQError: what the node answered; Unavailable: no node could be reached in time.
        """
        may_repeat = _may_repeat(request.type)
        tried: list[UnitId] = []
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    timeout_s = TRY_S if may_repeat else TIMEOUT_S
                    try:
                        return await self._try(role, request, tried, timeout_s)
                    except NodeFailed:
                        if not may_repeat or len(tried) >= MAX_TRIES:
                            raise
                        self.retries += 1
        except TimeoutError as exc:
            raise failed(ErrorCode.TIMED_OUT, role=role) from exc

    def note(self, role: str, note: Note) -> None:
        """Put a request that nobody waits for on its way to a node of the role; without one it is
        dropped."""
        selector = self._selector(role)
        now = self._clock.monotonic()
        pick = selector.pick(now, random.randrange)
        if pick is None:
            return
        peer = self._links.peer(pick.unit_id)
        if peer is not None:
            peer.deliveries.note(note)
        selector.done(pick, now, failed=None)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics: what was sent to whom, and how each node stands with us."""
        figures: dict[str, int | float] = {"retries_total": self.retries}
        for unit_id, calls in self.calls_by_node.items():
            figures[f"calls_total{{node={unit_id}}}"] = calls
        now = self._clock.monotonic()
        for role, selector in self._selectors.items():
            for unit_id, one in selector.figures(now).items():
                for name, value in one.items():
                    figures[f"{role}_{name}{{node={unit_id}}}"] = value
        return figures

    async def _try(
        self, role: str, request: pb.CallRequest, tried: list[UnitId], timeout_s: float
    ) -> pb.CallReply:
        selector = self._selector(role)
        pick = selector.pick(self._clock.monotonic(), random.randrange, tried)
        if pick is None:
            wait_s = max(selector.wait_s(self._clock.monotonic()), _RETRY_AFTER_S)
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=wait_s, role=role)
        tried.append(pick.unit_id)
        self.calls_by_node[pick.unit_id] += 1
        has_failed: bool | None = None
        try:
            reply = await self._links.call(pick.unit_id, request, timeout_s=timeout_s)
            has_failed = False
        except TinyQQError as error:
            has_failed = isinstance(error, NodeFailed)
            if has_failed:
                facts = {"unit": pick.unit_id, "reason": str(error)}
                logger.warning("call.node_failed", extra=facts)
            raise
        finally:
            selector.done(pick, self._clock.monotonic(), failed=has_failed)
        return reply

    def _selector(self, role: str) -> Selector:
        selector = self._selectors.get(role)
        if selector is None:
            selector = self._selectors[role] = Selector()
            selector.update(_able(self._nodes, role, self._own), self._clock.monotonic())
        return selector

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._nodes = nodes
        for unit_id in self.calls_by_node.keys() - {node.unit_id for node in nodes}:
            del self.calls_by_node[unit_id]
        for role, selector in self._selectors.items():
            selector.update(_able(nodes, role, self._own), self._clock.monotonic())


def _able(nodes: Iterable[Node], role: str, own: UnitId) -> list[Node]:
    """The nodes that may be sent calls of a role."""
    return [
        node
        for node in nodes
        if role in node.roles and node.internal and not node.draining and node.unit_id != own
    ]


def _may_repeat(number: int) -> bool:
    target = CALLS.get(number) or ENTRANCES.get(number)
    return number == SEEN or (target is not None and target.may_repeat)
