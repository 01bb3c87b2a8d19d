"""Telling the server how far this device has got: cursors, coalesced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Mark

DELAY_S: Final = 0.2
"""A mark waits this long for a later one of the same conversation, which says all that it does."""


MAX_MARKS: Final = 1_000
"""Told in one request."""


class Marks:
    """Delivered and read cursors on their way to the server.

    Marks are one-way: what was told on a connection that broke may be lost, which the overview on
    the next one shows (:class:`tinyqq.client.cursors.Cursors`).

    Args:
        tell: puts marks on the connection, at most :data:`MAX_MARKS`; False when there is none.
    """

    def __init__(self, tell: Callable[[Sequence[Mark]], bool]) -> None:
        self._tell = tell
        self._due: dict[ConversationId, Mark] = {}
        self._timer: asyncio.TimerHandle | None = None

    def move(self, mark: Mark) -> None:
        """Move a conversation's cursors on; backwards has no effect."""
        self._due[mark.conversation_id] = _merged(self._due.get(mark.conversation_id), mark)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self.flush)

    def flush(self) -> None:
        """Tell everything now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._due:
            marks = list(islice(self._due.values(), MAX_MARKS))
            if not self._tell(marks):
                return
            for mark in marks:
                del self._due[mark.conversation_id]

    def close(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()


def _merged(one: Mark | None, other: Mark) -> Mark:
    if one is None:
        return other
    return Mark(
        other.conversation_id,
        max(one.delivered_seq, other.delivered_seq),
        max(one.read_seq, other.read_seq),
    )
