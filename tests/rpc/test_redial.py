"""Waits between tries."""

from __future__ import annotations

from tinyqq.rpc.redial import Redial


def redial(draw: float = 1.0) -> Redial:
    return Redial(first_s=1.0, last_s=4.0, draw=lambda: draw)


def test_wait_when_nothing_has_failed_then_none() -> None:
    assert redial().wait_s(now=100.0) == 0.0


def test_wait_when_it_fails_again_and_again_then_doubles_to_the_last() -> None:
    one = redial()
    waits = []
    for _ in range(4):
        one.failed(now=100.0)
        waits.append(one.wait_s(now=100.0))
    assert waits == [1.0, 2.0, 4.0, 4.0]


def test_wait_when_drawn_low_then_half_of_it() -> None:
    one = redial(draw=0.0)
    one.failed(now=100.0)
    assert one.wait_s(now=100.0) == 0.5


def test_wait_when_time_passes_then_over() -> None:
    one = redial()
    one.failed(now=100.0)
    assert one.wait_s(now=100.75) == 0.25
    assert one.wait_s(now=101.0) == 0.0


def test_succeeded_when_it_had_failed_then_the_first_wait_comes_again() -> None:
    one = redial()
    one.failed(now=100.0)
    one.failed(now=100.0)
    one.succeeded()
    assert one.wait_s(now=100.0) == 0.0
    one.failed(now=100.0)
    assert one.wait_s(now=100.0) == 1.0
