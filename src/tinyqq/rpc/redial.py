"""When a link that broke may be opened again. Pure; time and chance are handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_GROWTH: Final = 2.0


class Redial:
    """Waits that double from *first_s* to *last_s*, each between half of it and all of it.

    Args:
        draw: a number from 0 up to 1, so that not every node calls at the same moment.
    """

    def __init__(self, *, first_s: float, last_s: float, draw: Callable[[], float]) -> None:
        self._first_s = first_s
        self._last_s = last_s
        self._draw = draw
        self._next_s = first_s
        self._not_before = float("-inf")

    def succeeded(self) -> None:
        """It is open: the next break is the first one again."""
        self._next_s = self._first_s
        self._not_before = float("-inf")

    def failed(self, now: float) -> None:
        """It broke, or could not be opened."""
        self._not_before = now + self._next_s * (1 + self._draw()) / 2
        self._next_s = min(self._next_s * _GROWTH, self._last_s)

    def wait_s(self, now: float) -> float:
        """How long it must be left alone still; 0: it may be opened."""
        return max(self._not_before - now, 0.0)
