"""The last hour of a node."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gateway import until

from tinyqq.app.history import History, Ring
from tinyqq.clock import SystemClock
from tinyqq.model.figures import Sample
from tinyqq.services.timing import Timing
from tinyqq.testing.clock import FakeClock


def sample(at_ms: int) -> Sample:
    return Sample(at_ms, 5.0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@given(
    size=st.integers(1, 20),
    times=st.lists(st.integers(0, 1_000_000), max_size=60),
    count=st.integers(-3, 70),
)
def test_ring_when_anything_is_added_then_the_last_ones_in_their_order(
    size: int, times: list[int], count: int
) -> None:
    ring = Ring(size)
    for at_ms in times:
        ring.add(sample(at_ms))
    kept = times[-size:]
    assert len(ring) == len(kept)
    wanted = kept[-count:] if count > 0 else []
    assert [one.at_ms for one in ring.last(count)] == wanted


@dataclass
class Node:
    """What a node counts."""

    sends: int = 0
    deliveries: int = 0
    sessions: int = 0


def history(node: Node, clock: FakeClock | SystemClock, commits: Timing, **times: float) -> History:
    return History(
        sends=lambda: node.sends,
        deliveries=lambda: node.deliveries,
        sessions=lambda: node.sessions,
        commits=commits,
        clock=clock,
        **times,
    )


def test_sample_when_things_happened_then_those_of_the_interval_alone() -> None:
    node, clock, commits = Node(sends=10, deliveries=20), FakeClock(), Timing()
    kept = history(node, clock, commits)
    kept.sample()
    assert len(kept.ring) == 0  # of the start
    node.sends, node.deliveries, node.sessions = 17, 50, 3
    commits.add(0.004)
    commits.add(0.008)
    clock.advance(5)
    kept.sample()
    last = kept.ring.last(1)[0]
    assert (last.at_ms, last.seconds) == (clock.now_ms(), 5.0)
    assert (last.sends, last.deliveries, last.sessions) == (7, 30, 3)
    assert (last.commits, last.commit_p99_ms, last.commit_max_ms) == (2, 8.0, 8.0)
    assert last.commit_p50_ms == pytest.approx(4.0, rel=0.02)
    assert kept.counters()["commit_slowest_s"] == 0.008
    assert kept.up_s == 5.0


async def test_history_when_open_then_samples_come_by_themselves() -> None:
    kept = history(Node(), SystemClock(), Timing(), every_s=0.01, look_every_s=0.002)
    async with kept:
        await until(lambda: len(kept.ring) >= 3)
    count = len(kept.ring)
    await asyncio.sleep(0.03)
    assert len(kept.ring) == count


async def test_history_when_the_loop_is_held_up_then_its_lag_is_seen() -> None:
    clock = SystemClock()
    kept = history(Node(), clock, Timing(), every_s=0.05, look_every_s=0.001)
    async with kept:
        await until(lambda: len(kept.ring) >= 1)
        blocked_until_s = clock.monotonic() + 0.03
        while clock.monotonic() < blocked_until_s:
            pass
        count = len(kept.ring)
        await until(lambda: len(kept.ring) > count)
    assert max(one.lag_max_ms for one in kept.ring.last(9)) >= 20
    assert kept.counters()["loop_looks_total"] > 0
