"""Waiting for what another process does: there is no event to wait for, so it is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.01


async def eventually(
    holds: Callable[[], Awaitable[bool] | bool], *, timeout_s: float = TIMEOUT_S
) -> float:
    """Return as soon as a condition holds; how long that took, in seconds.

    Raises:
        TimeoutError: it did not hold in time.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(timeout_s):
        while True:
            result = holds()
            if result if isinstance(result, bool) else await result:
                return loop.time() - began
            await asyncio.sleep(_PAUSE_S)
