"""Fan-out after the commit: one push per unit that holds receivers.

The log is the truth, a push is a hint: whatever is dropped on the way is found in the log. Today
every receiver is on this unit; units elsewhere will be found through presence here, and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink


class DeliveryService:
    """Implements :class:`tinyqq.ports.delivery.Delivery` over the units that there are.

    Order: pushes reach every unit in the order of the calls.
    """

    def __init__(self, *, local: UnitLink) -> None:
        self._local = local

    def push(self, pushes: Sequence[Push]) -> None:
        """Deliver committed entries."""
        self._local.push(pushes)

    def hint(self, hint: Hint) -> None:
        """Deliver a change of state."""
        self._local.hint((hint,))

    def kick(self, kick: Kick) -> None:
        """End sessions."""
        self._local.kick((kick,))
