from __future__ import annotations

import time

from tinyqq.clock import Clock, SystemClock


def test_now_ms_when_asked_then_milliseconds_since_1970() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 60_000


def test_monotonic_when_asked_twice_then_never_back() -> None:
    clock: Clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
