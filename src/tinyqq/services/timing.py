"""How long something takes, counted as it happens: well under a microsecond each time."""

from __future__ import annotations

from dataclasses import dataclass

from tinyqq.model.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Times:
    """What happened in an interval, in seconds; percentiles to within 1.6 %."""

    count: int = 0
    p50_s: float = 0.0
    p99_s: float = 0.0
    max_s: float = 0.0


class Timing:
    """Counts since the start for the metrics, and by intervals for whoever takes them.

    One may take the intervals: :meth:`take` begins a new one.
    """

    __slots__ = ("_interval", "count", "total_s")

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self._interval = Histogram()

    def add(self, seconds: float) -> None:
        """It took so long."""
        self.count += 1
        self.total_s += seconds
        self._interval.add(int(seconds * 1e9))

    def take(self) -> Times:
        """What was added since the last call."""
        ended, self._interval = self._interval, Histogram()
        return Times(
            ended.count,
            ended.percentile(50) / 1e9,
            ended.percentile(99) / 1e9,
            ended.max_ns / 1e9,
        )
