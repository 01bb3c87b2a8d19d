"""Coalesced writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tinyqq.gateway.flusher import Flusher


class Counter:
    """Counts its flushes; may have something to add while it is flushed."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.flushes = 0
        self.is_aborted = False
        self._then = then

    def abort(self) -> None:
        self.is_aborted = True

    def flush(self) -> None:
        self.flushes += 1
        if self._then is not None:
            then, self._then = self._then, None
            then()


def test_add_when_several_are_added_then_one_call_flushes_all() -> None:
    scheduled: list[Callable[[], None]] = []
    flusher = Flusher(call_soon=scheduled.append)
    one, two = Counter(), Counter()
    flusher.add(one)
    flusher.add(two)
    assert len(scheduled) == 1
    scheduled[0]()
    assert (one.flushes, two.flushes) == (1, 1)


def test_flush_when_something_is_added_meanwhile_then_it_waits_for_the_next_tick() -> None:
    scheduled: list[Callable[[], None]] = []
    flusher = Flusher(call_soon=scheduled.append)
    other = Counter()
    flusher.add(Counter(then=lambda: flusher.add(other)))
    scheduled.pop()()
    flushes = [other.flushes]
    scheduled.pop()()
    assert [*flushes, other.flushes] == [0, 1]


async def test_add_when_no_loop_was_given_then_the_running_one_is_used() -> None:
    flusher, one = Flusher(), Counter()
    flusher.add(one)
    await asyncio.sleep(0)
    assert one.flushes == 1


def test_flush_when_one_fails_then_it_is_cut_off_and_the_others_are_flushed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scheduled: list[Callable[[], None]] = []
    flusher = Flusher(call_soon=scheduled.append)

    def fail() -> None:
        raise OSError

    broken, other = Counter(then=fail), Counter()
    flusher.add(broken)
    flusher.add(other)
    scheduled.pop()()
    assert (broken.is_aborted, other.is_aborted, other.flushes) == (True, False, 1)
    assert len(caplog.records) == 1
