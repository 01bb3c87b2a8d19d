"""The load that a node tells."""

from __future__ import annotations

import pytest

from tinyqq.app.load import NodeLoad
from tinyqq.testing.clock import FakeClock


@pytest.mark.parametrize(
    ("sessions", "used_s", "load"),
    [(0, 0.0, 0.0), (50, 0.2, 0.5), (10, 1.6, 0.8), (300, 0.0, 1.0), (0, 5.0, 1.0)],
    ids=["idle", "many clients", "much work", "too many clients", "two cores"],
)
def test_load_when_asked_then_the_larger_part(sessions: int, used_s: float, load: float) -> None:
    clock, used = FakeClock(), [0.0]
    ask = NodeLoad(sessions=lambda: sessions, capacity=100, clock=clock, cpu_s=lambda: used[0])
    clock.advance(2.0)
    used[0] = used_s
    assert ask() == pytest.approx(load)


def test_load_when_asked_again_then_since_the_last_time() -> None:
    clock, used = FakeClock(), [0.0]
    ask = NodeLoad(sessions=lambda: 0, capacity=100, clock=clock, cpu_s=lambda: used[0])
    clock.advance(1.0)
    used[0] = 1.0
    assert ask() == 1.0
    clock.advance(1.0)
    assert ask() == 0.0


def test_load_when_no_time_has_passed_then_only_the_clients_count() -> None:
    ask = NodeLoad(sessions=lambda: 5, capacity=10, clock=FakeClock(), cpu_s=lambda: 3.0)
    assert ask() == 0.5
