"""A token bucket."""

from __future__ import annotations

import pytest

from tinyqq.gateway.bucket import Bucket
from tinyqq.testing.clock import FakeClock


def make_bucket(clock: FakeClock, rate_per_s: float = 10.0, burst_s: float = 2.0) -> Bucket:
    return Bucket(rate_per_s=rate_per_s, burst_s=burst_s, clock=clock)


def take_all(bucket: Bucket, limit: int = 1_000) -> int:
    taken = 0
    while taken < limit and not bucket.take():
        taken += 1
    return taken


def test_take_when_full_then_the_burst_at_once() -> None:
    assert take_all(make_bucket(FakeClock())) == 20


def test_take_when_empty_then_says_how_long_to_wait() -> None:
    bucket = make_bucket(FakeClock())
    take_all(bucket)
    assert bucket.take() == pytest.approx(0.1)


def test_take_when_time_has_passed_then_as_many_as_came() -> None:
    clock = FakeClock()
    bucket = make_bucket(clock)
    take_all(bucket)
    clock.advance(0.55)
    assert take_all(bucket) == 5


def test_take_when_long_unused_then_no_more_than_the_burst() -> None:
    clock = FakeClock()
    bucket = make_bucket(clock)
    take_all(bucket)
    clock.advance(3_600)
    assert take_all(bucket) == 20


def test_take_when_there_is_no_rate_then_never_refused() -> None:
    assert take_all(make_bucket(FakeClock(), rate_per_s=0)) == 1_000


def test_take_when_the_burst_is_less_than_one_then_one_still_passes() -> None:
    assert take_all(make_bucket(FakeClock(), rate_per_s=0.1)) == 1
