"""A token bucket: so many at once, so many a second."""

from __future__ import annotations

from tinyqq.clock import Clock


class Bucket:
    """Counts down while tokens last and looks at the time only when they are used up.

    Args:
        rate_per_s: tokens that come in a second; 0: no limit.
        burst_s: a full bucket holds so many seconds' worth.
    """

    __slots__ = ("_burst", "_clock", "_filled_s", "_rate_per_s", "_tokens")

    def __init__(self, *, rate_per_s: float, burst_s: float, clock: Clock) -> None:
        self._rate_per_s = rate_per_s
        self._burst = max(1.0, rate_per_s * burst_s)
        self._tokens = self._burst
        self._clock = clock
        self._filled_s = clock.monotonic()

    def take(self) -> float:
        """Take a token; 0, or the seconds until there is one again (then none was taken)."""
        if self._tokens < 1 and self._rate_per_s:
            now_s = self._clock.monotonic()
            added = (now_s - self._filled_s) * self._rate_per_s
            self._tokens = min(self._burst, self._tokens + added)
            self._filled_s = now_s
            if self._tokens < 1:
                return (1 - self._tokens) / self._rate_per_s
        self._tokens -= 1
        return 0.0
