"""How long to wait before the next try."""

from __future__ import annotations

from random import Random
from typing import Final

FIRST_S: Final = 0.25
LIMIT_S: Final = 30.0


class Backoff:
    """Exponential backoff with jitter, so that clients of a restarted server do not come at once.

    Args:
        random: source of the jitter.
        first_s: upper end of the first delay, in seconds.
        limit_s: upper end of every delay.
    """

    def __init__(
        self, *, random: Random, first_s: float = FIRST_S, limit_s: float = LIMIT_S
    ) -> None:
        self._random = random
        self._first_s = first_s
        self._limit_s = limit_s
        self._ceiling_s = first_s

    def next_s(self, *, at_least_s: float = 0.0) -> float:
        """The next delay in seconds: jittered between half its ceiling and all of it, and never
        shorter than what the server asked for (``at_least_s``)."""
        delay_s = self._random.uniform(self._ceiling_s / 2, self._ceiling_s)
        self._ceiling_s = min(self._limit_s, self._ceiling_s * 2)
        return at_least_s + delay_s

    def reset(self) -> None:
        """It works again: the next trouble starts with a short delay."""
        self._ceiling_s = self._first_s
