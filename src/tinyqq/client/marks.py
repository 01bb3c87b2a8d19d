"""Telling the server how far this device has got: cursors, coalesced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Mark

DELAY_S: Final = 0.2
"""A mark waits this long for a later one of the same conversation, which says all that it does."""


class Marks:
    """Delivered and read cursors on their way to the server.

    Marks are one-way: what was told on a connection that broke is told once more on the next.

    Args:
        tell: puts a mark on the connection; False when there is none.
    """

    def __init__(self, tell: Callable[[Mark], bool]) -> None:
        self._tell = tell
        self._due: dict[ConversationId, Mark] = {}
        self._told: dict[ConversationId, Mark] = {}
        self._timer: asyncio.TimerHandle | None = None

    def move(
        self,
        conversation_id: ConversationId,
        *,
        delivered_seq: Seq = Seq(0),
        read_seq: Seq = Seq(0),
    ) -> None:
        """Move a conversation's cursors on; backwards has no effect."""
        mark = Mark(conversation_id, delivered_seq, read_seq)
        self._due[conversation_id] = _merged(self._due.get(conversation_id), mark)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self.flush)

    def flush(self) -> None:
        """Tell everything now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for conversation_id, mark in list(self._due.items()):
            if not self._tell(mark):
                return
            del self._due[conversation_id]
            self._told[conversation_id] = _merged(self._told.get(conversation_id), mark)

    def close(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()

    def start_over(self) -> None:
        """There is a new connection: tell again what the old one may have lost."""
        told, self._told = self._told, {}
        for conversation_id, mark in told.items():
            self._due[conversation_id] = _merged(self._due.get(conversation_id), mark)
        self.flush()


def _merged(one: Mark | None, other: Mark) -> Mark:
    if one is None:
        return other
    return Mark(
        other.conversation_id,
        max(one.delivered_seq, other.delivered_seq),
        max(one.read_seq, other.read_seq),
    )
