from __future__ import annotations

from tinyqq.clock import Clock
from tinyqq.testing.clock import FakeClock


def test_clock_when_left_alone_then_stands_still() -> None:
    clock: Clock = FakeClock(now_ms=5, monotonic_s=7.0)
    assert (clock.now_ms(), clock.monotonic()) == (5, 7.0)
    assert (clock.now_ms(), clock.monotonic()) == (5, 7.0)


def test_advance_when_called_then_both_clocks_move() -> None:
    clock = FakeClock(now_ms=5, monotonic_s=7.0)
    clock.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (1505, 8.5)
