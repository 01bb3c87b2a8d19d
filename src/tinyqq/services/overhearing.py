"""What other nodes push to this unit, for the lane's ears too."""

from __future__ import annotations

from collections.abc import Sequence

from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink
from tinyqq.services.lanes import AnyLane


class Overhearing:
    """Stands before a unit, where pushes of other nodes come in: two people on two units write to
    one conversation by turns, and without this each would find out about the other by a failed
    append."""

    def __init__(self, *, unit: UnitLink, lane: AnyLane) -> None:
        self._unit = unit
        self._lane = lane

    def push(self, pushes: Sequence[Push]) -> None:
        """Pass on; the lane learns heads."""
        self._lane.hear(pushes)
        self._unit.push(pushes)

    def hint(self, hints: Sequence[Hint]) -> None:
        """Pass on."""
        self._unit.hint(hints)

    def kick(self, kicks: Sequence[Kick]) -> None:
        """Pass on."""
        self._unit.kick(kicks)
