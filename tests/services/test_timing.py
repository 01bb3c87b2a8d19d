"""How long things take."""

from __future__ import annotations

from tinyqq.services.timing import Times, Timing


def test_take_when_things_were_added_then_their_number_mean_and_maximum() -> None:
    timing = Timing()
    for seconds in (0.5, 1.5, 1.0):
        timing.add(seconds)
    assert timing.take() == Times(count=3, mean_s=1.0, max_s=1.5)


def test_take_when_taken_before_then_only_what_is_new() -> None:
    timing = Timing()
    timing.add(9.0)
    timing.take()
    timing.add(2.0)
    assert timing.take() == Times(count=1, mean_s=2.0, max_s=2.0)
    assert (timing.count, timing.total_s) == (2, 11.0)


def test_take_when_nothing_happened_then_zeros() -> None:
    assert Timing().take() == Times()
