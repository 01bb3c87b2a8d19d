"""What is known to have failed lately, so that a lost push can be put down to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tinyqq.clock import Clock
from tinyqq.model.ids import UnitId
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Node, Registry

DEAD_WRITER: Final = "dead_writer"
"""No node of the registry's picture writes under that number."""
BROKEN_LINK: Final = "broken_link"
"""A link with the writer's node broke lately, or the node was away."""
STALE_PRESENCE: Final = "stale_presence"
"""Presence was away lately, or had lost something."""
UNKNOWN: Final = "unknown"
"""None of these, as far as can be told here: dropped by the sender, say."""
REASONS: Final = (DEAD_WRITER, BROKEN_LINK, STALE_PRESENCE, UNKNOWN)


class NetFailures:
    """Follows the registry and presence from the start on; is told of links.

    Args:
        recent_s: how long after a failure a lost push is put down to it.
        on_failure: called when pushes may just have been lost.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        presence: Presence,
        clock: Clock,
        recent_s: float,
        on_failure: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._recent_s = recent_s
        self._on_failure = on_failure
        self._nodes: frozenset[tuple[UnitId, str]] = frozenset()
        self._owners: dict[int, UnitId] = {}
        self._broken_s: dict[UnitId, float] = {}
        self._stale_s = float("-inf")
        registry.watch(self._see)
        self._see(registry.nodes())
        presence.watch(self._presence_lost)

    @property
    def owners(self) -> Mapping[int, UnitId]:
        """Who writes under which number, as the registry shows it."""
        return self._owners

    def link_broke(self, unit_id: UnitId) -> None:
        """What was on its way between this unit and another may be lost."""
        now_s = self._clock.monotonic()
        recent = {
            one: at_s for one, at_s in self._broken_s.items() if now_s - at_s <= self._recent_s
        }
        self._broken_s = {**recent, unit_id: now_s}
        self._on_failure()

    def reason_for(self, writer: int) -> str:
        """One of :data:`REASONS` for the loss of a push of this number's."""
        now_s = self._clock.monotonic()
        owner = self._owners.get(writer)
        if owner is None:
            return DEAD_WRITER
        if now_s - self._broken_s.get(owner, float("-inf")) <= self._recent_s:
            return BROKEN_LINK
        return STALE_PRESENCE if now_s - self._stale_s <= self._recent_s else UNKNOWN

    def _presence_lost(self) -> None:
        self._stale_s = self._clock.monotonic()
        self._on_failure()

    def _see(self, nodes: tuple[Node, ...]) -> None:
        before = self._nodes
        self._nodes = frozenset((node.unit_id, node.incarnation) for node in nodes)
        self._owners = {writer: node.unit_id for node in nodes for writer in node.writers}
        for unit_id, _ in before - self._nodes:
            self.link_broke(unit_id)
