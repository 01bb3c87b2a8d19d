"""Where the clients of a unit that leaves go, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tinyqq.errors import ErrorCode
from tinyqq.model.connection import GoAway
from tinyqq.model.ids import UnitId
from tinyqq.model.places import names_a_host, websocket_url
from tinyqq.ports.registry import Node

_SHARE: Final = 0.5
"""Of the log-ins that the other units take, for those who are sent there; the rest is for those who
come by themselves."""
_LEAST_FREE: Final = 0.05
"""A unit that says that it is full still counts as this much free: reports are old."""


def units_but(own: UnitId, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The units to which clients of *own* can go."""
    return tuple(
        node
        for node in nodes
        if "proxy" in node.roles and not node.draining and node.unit_id != own
    )


def window_of(clients: int, units: Sequence[Node], least_s: float) -> float:
    """Over how many seconds so many clients should leave; 0: nobody takes them, so at once."""
    if not units:
        return 0.0
    rates = [unit.log_ins_per_s for unit in units]
    needed_s = clients / (sum(rates) * _SHARE) if all(rates) else 0.0
    return max(least_s, needed_s)


class Farewells:
    """What each client is told, one after the other.

    The times are spread evenly, in the order of the calls; the places are shared out by how much
    is free there. Who could not go to a unit's address as it stands is told none: it asks the
    directory.

    Args:
        clients: how many there will be.
        units: where they can go.
        window_s: see :func:`window_of`.
    """

    def __init__(self, *, clients: int, units: Sequence[Node], window_s: float) -> None:
        self._step_ms = 1000 * window_s / max(clients, 1)
        self._told = 0
        self._places = [_Place(unit, max(1.0 - unit.load, _LEAST_FREE)) for unit in units]

    def next(self, *, by_websocket: bool, by_proxy: bool) -> GoAway:
        """For the next client.

        Args:
            by_websocket: how it came, and so can come elsewhere.
            by_proxy: it came through one, and is to come through it again: it may not reach units.
        """
        after_ms = round(self._told * self._step_ms)
        self._told += 1
        if by_proxy or not self._places:
            return GoAway(ErrorCode.DRAINING, after_ms)
        place = min(self._places, key=lambda one: (one.sent + 1) / one.free)
        place.sent += 1
        unit = place.unit
        url = websocket_url(unit.public_http) if by_websocket else unit.public_tcp
        return GoAway(ErrorCode.DRAINING, after_ms, url if names_a_host(url) else "")


@dataclass(slots=True)
class _Place:
    """A unit, how much of it is free, and how many are sent there."""

    unit: Node
    free: float
    sent: int = 0
