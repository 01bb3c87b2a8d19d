"""What a gateway counts."""

from __future__ import annotations

from tinyqq.gateway.policy import Counts


def test_counts_when_made_then_all_are_zero_and_named_as_counters() -> None:
    metrics = Counts().as_metrics()
    assert set(metrics.values()) == {0}
    assert all(name.endswith("_total") for name in metrics)


def test_counts_when_counted_then_shown() -> None:
    counts = Counts()
    counts.sends += 2
    assert counts.as_metrics()["sends_total"] == 2
