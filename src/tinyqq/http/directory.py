"""``/v1/units``: where clients can connect, the least loaded unit first, and when."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from aiohttp import web

from tinyqq.clock import Clock
from tinyqq.model.admission import Slots
from tinyqq.model.ids import UnitId
from tinyqq.model.places import reachable, websocket_url
from tinyqq.ports.registry import Node, Registry

PATH: Final = "/v1/units"
TTL_S: Final = 15
"""How long a client may use an answer."""
_JITTER: Final = 0.1
"""Units that differ by less are the same: so that not everybody goes to one of them."""
_REPORT_S: Final = 5.0
"""Clients who were sent to a unit so long ago are in the number that it reports itself."""
_FEW: Final = 50
"""Up to about so many sessions their number says nothing."""
_BURST_S: Final = 0.5
_SHARE: Final = 0.9
"""Of the log-ins that the units take. With this and the shorter burst a client that comes a little
early or late is let in all the same."""


class UnitDirectory:
    """Answers with the live units of the registry that take log-ins.

    ``Node.public_tcp`` is a URL ``tinyqq(s)://host:port``, ``Node.public_http`` one
    ``http(s)://host:port``; a unit that listens on every address of its machine gives the host as
    ``0.0.0.0``, and clients get the host by which they reached the directory.

    Every answer is taken for a client that is about to log in. When more ask than the units
    together take (``Node.log_ins_per_s``), each is told another moment, ``wait_ms`` from now.

    Args:
        chance: numbers from 0 to 1.
    """

    def __init__(
        self, registry: Registry, *, clock: Clock, chance: Callable[[], float] = random.random
    ) -> None:
        self.delayed = 0
        self._registry = registry
        self._clock = clock
        self._slots = Slots(burst_s=_BURST_S)
        self._order = _Order(chance)

    async def answer(self, request: web.Request) -> web.Response:
        """The directory as JSON."""
        now_s = self._clock.monotonic()
        nodes = self._order.sort(
            [
                node
                for node in self._registry.nodes()
                if "proxy" in node.roles and not node.draining
            ],
            now_s,
        )
        host = request.url.host or ""
        units = [_unit(node, host) for node in nodes]
        wait_ms = round(self._slots.take(now_s, _total_rate(nodes)) * 1000)
        self.delayed += bool(wait_ms)
        return web.json_response({"units": units, "ttl_s": TTL_S, "wait_ms": wait_ms})

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"delayed_total": self.delayed}


class _Order:
    """The order in which a client should try the units.

    What counts is how busy a unit is, and which share of all sessions it has. Between two reports
    of a unit those count too who were just sent there.

    Args:
        chance: numbers from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._sent: dict[UnitId, int] = {}
        self._forget_s = 0.0

    def sort(self, nodes: list[Node], now_s: float) -> list[Node]:
        """The best one first; it is taken to be the one that the client goes to."""
        if now_s >= self._forget_s:
            self._sent.clear()
            self._forget_s = now_s + _REPORT_S
        sessions = {one.unit_id: one.sessions + self._sent.get(one.unit_id, 0) for one in nodes}
        total = sum(sessions.values()) + _FEW

        def cost(node: Node) -> float:
            return node.load + sessions[node.unit_id] / total + self._chance() * _JITTER

        ordered = sorted(nodes, key=cost)
        if ordered:
            first = ordered[0].unit_id
            self._sent[first] = self._sent.get(first, 0) + 1
        return ordered


def _total_rate(nodes: Iterable[Node]) -> float:
    """What the units take together; 0: any number (also where there is none)."""
    rates = [node.log_ins_per_s for node in nodes]
    return _SHARE * sum(rates) if all(rates) else 0.0


def _unit(node: Node, asked_host: str) -> dict[str, Any]:
    unit: dict[str, Any] = {
        "unit": node.unit_id,
        "load": round(node.load, 3),
        "sessions": node.sessions,
    }
    if node.public_tcp:
        unit["tcp"] = reachable(node.public_tcp, asked_host)
    if node.public_http:
        unit["websocket"] = websocket_url(reachable(node.public_http, asked_host))
    return unit
