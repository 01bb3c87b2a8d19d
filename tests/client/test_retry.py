"""Backoff: grows, jitters, has a limit."""

from __future__ import annotations

from random import Random

from tinyqq.client.retry import Backoff


class Most(Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_next_s_when_asked_again_then_doubles_up_to_the_limit() -> None:
    backoff = Backoff(random=Most(), first_s=1.0, limit_s=5.0)
    assert [backoff.next_s() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_next_s_when_drawn_then_between_half_and_all() -> None:
    random = Random(1)
    delays = [Backoff(random=random, first_s=2.0).next_s() for _ in range(50)]
    assert 1.0 <= min(delays) < 1.2
    assert 1.8 < max(delays) <= 2.0


def test_next_s_when_the_server_asked_for_time_then_that_comes_on_top() -> None:
    assert Backoff(random=Most(), first_s=1.0).next_s(at_least_s=3.0) == 4.0


def test_reset_when_it_works_again_then_starts_short() -> None:
    backoff = Backoff(random=Most(), first_s=1.0)
    backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 1.0
