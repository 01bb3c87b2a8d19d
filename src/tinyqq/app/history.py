"""The last hour of a node, in its memory: one sample every five seconds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.model.figures import SAMPLE_EVERY_S, SAMPLES_KEPT, Sample
from tinyqq.services.timing import Times, Timing

_LOOK_EVERY_S: Final = 0.05
"""A hundred looks in a sample, so that 99 of 100 is not simply the worst one."""


class Ring:
    """The last samples, a fixed number of them. Pure.

    Args:
        size: how many are kept; one more pushes out the oldest.
    """

    def __init__(self, size: int = SAMPLES_KEPT) -> None:
        self._samples: deque[Sample] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: Sample) -> None:
        """Keep one more."""
        self._samples.append(sample)

    def last(self, count: int) -> tuple[Sample, ...]:
        """The last *count*, ascending; fewer where there are not so many."""
        if count <= 0:
            return ()
        return tuple(self._samples)[-count:]


class History:
    """Takes the samples while ``async with`` is open, and measures how late the event loop is.

    The first interval is not kept: it tells how late the loop was while the node started, of which
    nobody noticed anything, and every chart would be as high as that.

    Args:
        sends, deliveries: counts since the start.
        sessions: how many there are now.
        commits: how long the lanes' commits took; its intervals are taken here.
    """

    def __init__(
        self,
        *,
        sends: Callable[[], int],
        deliveries: Callable[[], int],
        sessions: Callable[[], int],
        commits: Timing,
        clock: Clock,
        every_s: float = SAMPLE_EVERY_S,
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self.ring = Ring()
        self._sends = sends
        self._deliveries = deliveries
        self._sessions = sessions
        self._commits = commits
        self._lags = Timing()
        self._clock = clock
        self._every_s = every_s
        self._look_every_s = look_every_s
        self._began_s = self._sampled_s = clock.monotonic()
        self._last_sends = self._last_deliveries = 0
        self._last_commits = self._last_lags = Times()
        self._timer: asyncio.TimerHandle | None = None
        self._has_started = False

    async def __aenter__(self) -> Self:
        self._sampled_s = self._clock.monotonic()
        self._set_timer()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def up_s(self) -> float:
        """Since the start."""
        return self._clock.monotonic() - self._began_s

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics; the ``slowest`` ones are of the last interval."""
        return {
            "loop_looks_total": self._lags.count,
            "loop_lag_s_total": self._lags.total_s,
            "loop_slowest_s": self._last_lags.max_s,
            "commits_total": self._commits.count,
            "commit_s_total": self._commits.total_s,
            "commit_slowest_s": self._last_commits.max_s,
        }

    def sample(self) -> None:
        """End an interval."""
        now_s = self._clock.monotonic()
        sends, deliveries = self._sends(), self._deliveries()
        commits, lags = self._commits.take(), self._lags.take()
        sample = Sample(
            at_ms=self._clock.now_ms(),
            seconds=now_s - self._sampled_s,
            sends=sends - self._last_sends,
            deliveries=deliveries - self._last_deliveries,
            sessions=self._sessions(),
            commits=commits.count,
            commit_p50_ms=commits.p50_s * 1000,
            commit_p99_ms=commits.p99_s * 1000,
            commit_max_ms=commits.max_s * 1000,
            lag_p50_ms=lags.p50_s * 1000,
            lag_p99_ms=lags.p99_s * 1000,
            lag_max_ms=lags.max_s * 1000,
        )
        if self._has_started:
            self.ring.add(sample)
        self._has_started = True
        self._sampled_s, self._last_sends, self._last_deliveries = now_s, sends, deliveries
        self._last_commits, self._last_lags = commits, lags

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._look_every_s
        self._timer = loop.call_at(due_s, self._look, due_s)

    def _look(self, due_s: float) -> None:
        self._lags.add(max(asyncio.get_running_loop().time() - due_s, 0.0))
        if self._clock.monotonic() - self._sampled_s >= self._every_s:
            self.sample()
        self._set_timer()
