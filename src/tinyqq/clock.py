"""Time as something that is handed in, so that rules and tests need no real clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for what people see, one for measuring."""

    def now_ms(self) -> int:
        """Wall-clock time, milliseconds since 1970 UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start; never jumps back. For deadlines and ages."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()
