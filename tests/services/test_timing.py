"""How long things take."""

from __future__ import annotations

import pytest

from tinyqq.services.timing import Times, Timing


def test_take_when_things_were_added_then_their_number_percentiles_and_maximum() -> None:
    timing = Timing()
    for milliseconds in range(1, 201):
        timing.add(milliseconds / 1000)
    times = timing.take()
    assert (times.count, times.max_s) == (200, 0.2)
    assert times.p50_s == pytest.approx(0.100, rel=0.02)
    assert times.p99_s == pytest.approx(0.198, rel=0.02)


def test_take_when_taken_before_then_only_what_is_new() -> None:
    timing = Timing()
    timing.add(9.0)
    timing.take()
    timing.add(2.0)
    assert timing.take() == Times(count=1, p50_s=2.0, p99_s=2.0, max_s=2.0)
    assert (timing.count, timing.total_s) == (2, 11.0)


def test_take_when_nothing_happened_then_zeros() -> None:
    assert Timing().take() == Times()
