"""When to send at a fixed rate: by the clock, not by when the answers come.

A generator that waits for answers sends less while the server is slow, and so measures the good
times only (coordinated omission). Here every message has its time beforehand; it counts from that
time, also when it leaves late.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """Messages 0, 1, 2 … evenly spread from ``start_ns`` on, at ``per_second``, *count* in all."""

    start_ns: int
    per_second: float
    count: int

    def due_ns(self, number: int) -> int:
        """When message *number* is to be sent."""
        return self.start_ns + int(number * 1e9 / self.per_second)

    def due_before(self, now_ns: int) -> int:
        """How many messages are due at *now_ns*, at most ``count``."""
        if now_ns < self.start_ns:
            return 0
        return min(int((now_ns - self.start_ns) * self.per_second / 1e9) + 1, self.count)
