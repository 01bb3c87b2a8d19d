"""A clock that only moves when told to."""

from __future__ import annotations


class FakeClock:
    """Both clocks of :class:`tinyqq.clock.Clock`, moved together by :meth:`advance`."""

    def __init__(self, *, now_ms: int = 1_700_000_000_000, monotonic_s: float = 1_000.0) -> None:
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds."""
        return self._now_ms

    def monotonic(self) -> float:
        """Monotonic seconds."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
        self._monotonic_s += seconds
