"""How long something takes, counted as it happens: a few additions each time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """What happened in an interval, in seconds."""

    count: int = 0
    mean_s: float = 0.0
    max_s: float = 0.0


class Timing:
    """Counts since the start for the metrics, and by intervals for whoever takes them.

    One may take the intervals: :meth:`take` begins a new one.
    """

    __slots__ = ("_count", "_last_count", "_last_total_s", "_max_s", "count", "total_s")

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self._max_s = 0.0
        self._last_count = 0
        self._last_total_s = 0.0

    def add(self, seconds: float) -> None:
        """It took so long."""
        self.count += 1
        self.total_s += seconds
        self._max_s = max(self._max_s, seconds)

    def take(self) -> Times:
        """What was added since the last call."""
        count, total_s = self.count - self._last_count, self.total_s - self._last_total_s
        times = Times(count, total_s / count if count else 0.0, self._max_s)
        self._last_count, self._last_total_s, self._max_s = self.count, self.total_s, 0.0
        return times
