"""Presence on a real Redis, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tinyqq.clock import SystemClock
from tinyqq.model.ids import UnitId
from tinyqq.presence.redis import RedisPresence
from tinyqq.presence.redis_timings import RedisTimings

QUICK: Final = RedisTimings(check_s=0.2, locate_s=20.0, bind_s=20.0, write_s=20.0)
"""For a Redis that answers, even on a machine that is held up."""
IMPATIENT: Final = RedisTimings(check_s=0.2)
"""For a Redis that hangs, or goes elsewhere."""


def redis_presence(
    url: str,
    *,
    unit: str = "unit-1",
    incarnation: str = "first",
    prefix: str = "test",
    is_live: Callable[[UnitId, str], bool] = lambda unit_id, incarnation: True,
    timings: RedisTimings = QUICK,
) -> RedisPresence:
    """One unit's presence; enter it. Tests that share a Redis take prefixes of their own."""
    return RedisPresence(
        url=f"{url}?prefix={prefix}",
        unit_id=UnitId(unit),
        incarnation=incarnation,
        is_live=is_live,
        clock=SystemClock(),
        timings=timings,
    )
