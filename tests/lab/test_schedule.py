from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.lab.schedule import Schedule

rates = st.sampled_from([1.0, 3.0, 500.0, 5_000.0, 77_777.0])


def test_due_before_when_not_begun_then_nothing() -> None:
    assert Schedule(1_000, 500, 10).due_before(999) == 0


def test_due_before_when_long_over_then_all() -> None:
    assert Schedule(0, 500, 10).due_before(10**12) == 10


@settings(max_examples=100)
@given(rates, st.integers(0, 10_000))
def test_due_ns_when_reached_then_due_and_not_much_earlier(rate: float, number: int) -> None:
    schedule = Schedule(12_345, rate, 20_000)
    due_ns = schedule.due_ns(number)
    assert schedule.due_before(due_ns + 2) > number
    assert schedule.due_before(due_ns - 2) <= number


def test_due_ns_when_the_rate_is_500_then_two_milliseconds_apart() -> None:
    schedule = Schedule(0, 500, 10)
    assert [schedule.due_ns(number) for number in range(3)] == [0, 2_000_000, 4_000_000]
