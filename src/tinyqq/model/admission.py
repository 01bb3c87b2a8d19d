"""Who comes when: clients that all want to log in at once come one after the other, as fast as
they can be served. Time enters as an argument; nobody waits in here."""

from __future__ import annotations

from typing import Final

MAX_WAIT_S: Final = 60.0
"""The longest wait that anybody is told: what is further away is guesswork, and may be a flood of
questions that nobody means."""
_RETURN_SHARE: Final = 0.8
"""Of the rate, for those who were sent away once; the rest is for those who come meanwhile."""


class Slots:
    """Gives out moments, so many a second; a leaky bucket.

    Args:
        burst_s: so many seconds' worth may come at once after a calm time.
    """

    def __init__(self, *, burst_s: float) -> None:
        self._burst_s = burst_s
        self._next_s = float("-inf")

    def take(self, now_s: float, rate_per_s: float) -> float:
        """How long the next one waits, in seconds, at most :data:`MAX_WAIT_S`; 0: not at all.

        Args:
            rate_per_s: as of now; 0: any number, nobody waits.
        """
        if not rate_per_s:
            return 0.0
        slot_s = max(self._next_s, now_s - self._burst_s)
        wait_s = slot_s - now_s
        if wait_s > MAX_WAIT_S:
            return MAX_WAIT_S
        self._next_s = slot_s + 1 / rate_per_s
        return max(wait_s, 0.0)


class Admission:
    """Lets in so many a second, and tells everybody else another moment to come back.

    Args:
        rate_per_s: 0: everybody comes in.
        burst_s: so many seconds' worth may come in at once after a calm time.
    """

    def __init__(self, *, rate_per_s: float, burst_s: float = 1.0) -> None:
        self._rate_per_s = rate_per_s
        self._burst_s = burst_s
        self._next_s = float("-inf")
        self._returns = Slots(burst_s=0.0)

    def take(self, now_s: float) -> float:
        """0: come in. Otherwise: come back after so many seconds."""
        if not self._rate_per_s:
            return 0.0
        interval_s = 1 / self._rate_per_s
        free_s = max(self._next_s, now_s - max(self._burst_s - interval_s, 0.0))
        if free_s <= now_s:
            self._next_s = free_s + interval_s
            return 0.0
        first_s = free_s - now_s
        return first_s + self._returns.take(now_s, self._rate_per_s * _RETURN_SHARE)
