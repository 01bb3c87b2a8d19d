"""How much a node has to do, as it tells the others."""

from __future__ import annotations

import time
from collections.abc import Callable

from tinyqq.clock import Clock


class NodeLoad:
    """The larger of two parts: of the connections it may have, and of a core's time.

    The event loop has one core, so a node that uses a whole one is full, however few clients it
    has; a node without clients (a UserServer) has only its work to tell.

    Args:
        sessions: how many there are now.
        capacity: how many there may be.
        cpu_s: time that the process has used of all cores, in seconds.
    """

    def __init__(
        self,
        *,
        sessions: Callable[[], int],
        capacity: int,
        clock: Clock,
        cpu_s: Callable[[], float] = time.process_time,
    ) -> None:
        self._sessions = sessions
        self._capacity = capacity
        self._clock = clock
        self._cpu_s = cpu_s
        self._last_s = clock.monotonic()
        self._last_cpu_s = cpu_s()

    def __call__(self) -> float:
        """0.0 idle … 1.0 full, since the last call."""
        now_s, cpu_s = self._clock.monotonic(), self._cpu_s()
        passed_s, used_s = now_s - self._last_s, cpu_s - self._last_cpu_s
        self._last_s, self._last_cpu_s = now_s, cpu_s
        busy = used_s / passed_s if passed_s > 0 else 0.0
        load = min(max(self._sessions() / self._capacity, busy), 1.0)
        return round(load, 2)  # the registry is told of changes, not of noise
