"""What this node tells of itself, gathered from its parts when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tinyqq.app.history import History
from tinyqq.app.peers import Me
from tinyqq.clock import Clock
from tinyqq.errors import TinyQQError
from tinyqq.http.health import State
from tinyqq.http.metrics import Counters
from tinyqq.model.figures import LinkFigures, NodeFigures

_PING_TIMEOUT_S: Final = 0.5
SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": ("open_connections", "log_ins_total", "sends_total", "refusals_total"),
    "unit": ("users", "groups", "deliveries_total", "hints_total"),
    "lane": (
        "lane_entries_total",
        "lane_batches_total",
        "lane_pending_entries",
        "lane_failures_total",
        "lane_busy_total",
    ),
    "history": ("commit_slowest_s", "loop_slowest_s"),
}
"""Counters by their part: what a person wants to see of a node; the rest is in ``/metrics``."""


class OwnFigures:
    """Tells them.

    Args:
        parts: counters by the name of their part.
        states: how what the node stands on is, in a word, by name.
        ping: raises when the database does not answer.
        links: what went over each link to another node.
    """

    def __init__(
        self,
        *,
        me: Me,
        clock: Clock,
        history: History,
        parts: Mapping[str, Counters],
        states: Mapping[str, State],
        ping: Callable[[], Awaitable[None]],
        links: Callable[[], tuple[LinkFigures, ...]],
        ping_timeout_s: float = _PING_TIMEOUT_S,
    ) -> None:
        self._me = me
        self._clock = clock
        self._history = history
        self._parts = parts
        self._states = states
        self._ping = ping
        self._links = links
        self._ping_timeout_s = ping_timeout_s

    async def tell(self, samples: int) -> NodeFigures:
        """The figures of now, with so many of the last samples."""
        storage = await self._storage_state()
        return NodeFigures(
            unit_id=self._me.unit_id,
            incarnation=self._me.incarnation,
            at_ms=self._clock.now_ms(),
            up_s=self._history.up_s,
            counters=self._counters(),
            states={"storage": storage, **{name: say() for name, say in self._states.items()}},
            links=self._links(),
            samples=self._history.ring.last(samples),
        )

    def _counters(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for part, names in SHOWN.items():
            counters = self._parts[part]()
            found |= {f"{part}.{name}": float(counters[name]) for name in names}
        return found

    async def _storage_state(self) -> str:
        try:
            async with asyncio.timeout(self._ping_timeout_s):
                await self._ping()
        except (TinyQQError, TimeoutError):
            return "away"
        return "ok"
