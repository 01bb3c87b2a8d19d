"""What was pushed on this unit lately: asked by the net, which delivers what was not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from tinyqq.model.ids import ConversationId, Seq
from tinyqq.ports.delivery import Push

MAX_KEYS: Final = 500_000
"""Beyond it the oldest are forgotten: what was pushed may be pushed again."""
_SEQ_BITS: Final = 48


class Pushed:
    """Keys of pushes, by turns.

    A turn is the time from one reading of the log to the next; whoever reads it says when.
    """

    def __init__(self, *, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._keys: set[int] = set()
        """Of this turn. A number takes half the time of a pair."""
        self._earlier: deque[tuple[int, set[int]]] = deque()
        self.number = 0
        """Of this turn."""

    def __len__(self) -> int:
        return len(self._keys) + sum(len(keys) for _, keys in self._earlier)

    def has(self, conversation_id: ConversationId, seq: Seq) -> bool:
        """Whether this was pushed, as far as it is remembered."""
        key = conversation_id << _SEQ_BITS | seq
        return key in self._keys or any(key in keys for _, keys in self._earlier)

    def add(self, pushes: Iterable[Push]) -> None:
        """These are being pushed."""
        note = self._keys.add
        for push in pushes:
            note(push.conversation_id << _SEQ_BITS | push.seq)

    def turn(self, keep: int) -> int:
        """Begin the next turn, and return its number; turns before number *keep* are forgotten."""
        if self._keys:
            self._earlier.append((self.number, self._keys))
            self._keys = set()
        self.number += 1
        while self._earlier and (self._earlier[0][0] < keep or len(self) > self._max_keys):
            self._earlier.popleft()
        return self.number
