"""Writes coalesced: one per connection and tick of the event loop.

A write is a system call; a hundred replies to one client in one tick must not be a hundred of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Flushable(Protocol):
    """Something that has output to write."""

    def flush(self) -> None:
        """Write it."""
        ...

    def abort(self) -> None:
        """Close at once: writing has failed."""
        ...


class Flusher:
    """Connections with output, each to be flushed once at the end of this tick.

    Args:
        call_soon: the event loop's; by default the running loop's at the first use.
    """

    def __init__(self, *, call_soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._call_soon = call_soon
        self._dirty: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Flush *connection* soon. It sees to it that it is added once until then."""
        if not self._dirty:
            call_soon = self._call_soon or asyncio.get_running_loop().call_soon
            self._call_soon = call_soon
            call_soon(self.flush)
        self._dirty.append(connection)

    def flush(self) -> None:
        """Flush all that were added."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            try:
                connection.flush()
            except Exception:
                # The others of this tick must not suffer for it.
                logger.exception("connection.flush_failed")
                connection.abort()
