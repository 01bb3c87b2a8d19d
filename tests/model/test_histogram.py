from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.model.histogram import Histogram


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_percentile_when_empty_then_zero() -> None:
    assert Histogram().percentile(99) == 0


@settings(max_examples=100)
@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=60),
    st.sampled_from([1, 50, 90, 99, 99.9, 100]),
)
def test_percentile_when_values_are_known_then_close_above_the_exact_one(
    values: list[int], percent: float
) -> None:
    rank = max(-(-len(values) * percent // 100), 1)
    exact = sorted(values)[int(rank) - 1]
    assert exact <= histogram_of(values).percentile(percent) <= exact * (1 + 1 / 64) + 1


def test_add_when_negative_then_counted_as_nothing() -> None:
    histogram = histogram_of([-5])
    assert (histogram.count, histogram.percentile(100)) == (1, 0)


def test_summary_when_made_then_in_milliseconds() -> None:
    summary = histogram_of([1_000_000] * 99 + [50_000_000]).summary()
    assert summary.count == 100
    assert summary.p50_ms == pytest.approx(1.0, rel=1 / 64)
    assert summary.max_ms == 50.0
