"""What waits for the lane: one line for everybody, and a line of its own for each conversation that
has to stand aside for a moment. Pure.

A conversation stands aside after another process was first there, so that it holds up nobody else.
The order of a conversation is kept: what comes while it stands aside goes behind what is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from tinyqq.model.ids import ConversationId
from tinyqq.services.numbering import Draft

ENTRY_OVERHEAD_BYTES: Final = 100
"""What a row costs beyond its body, roughly."""


class Waiting:
    """See the module's docstring.

    Args:
        max_batch_entries, max_batch_bytes: bounds of what :meth:`take` gives.
        max_entries, max_bytes: bounds of all that waits; who is beyond them is told by
            :meth:`has_room`.
    """

    def __init__(
        self, *, max_batch_entries: int, max_batch_bytes: int, max_entries: int, max_bytes: int
    ) -> None:
        self._max_batch_entries = max_batch_entries
        self._max_batch_bytes = max_batch_bytes
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._line: deque[Draft] = deque()
        self._aside: dict[ConversationId, deque[Draft]] = {}
        self._returning: deque[ConversationId] = deque()
        self._is_line_next = False
        self._entries = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._entries

    @property
    def size_bytes(self) -> int:
        """All that waits."""
        return self._bytes

    def has_room(self, draft: Draft) -> bool:
        """Whether one more may come."""
        return self._entries < self._max_entries and self._bytes + cost(draft) <= self._max_bytes

    def append(self, draft: Draft) -> None:
        """Put a draft at the end."""
        self._entries += 1
        self._bytes += cost(draft)
        self._line.append(draft)

    def take(self) -> list[Draft]:
        """The next batch, in order: one conversation that stood aside, alone, or everybody else,
        by turns. Empty when nothing may go now.
        """
        self._is_line_next = not self._is_line_next
        if self._is_line_next:
            return self._cut(self._line) or self._take_returning()
        return self._take_returning() or self._cut(self._line)

    def _take_returning(self) -> list[Draft]:
        batch: list[Draft] = []
        while self._returning and not batch:
            conversation_id = self._returning.popleft()
            drafts = self._aside[conversation_id]
            batch = self._cut(drafts)
            if drafts:
                self._returning.append(conversation_id)
            else:
                del self._aside[conversation_id]
        return batch

    def stand_aside(self, conversation_id: ConversationId, drafts: Sequence[Draft] = ()) -> None:
        """Keep a conversation out of every batch until :meth:`come_back`.

        Args:
            drafts: taken before, to be the first of it again.
        """
        aside = self._aside.setdefault(conversation_id, deque())
        aside.extendleft(reversed(drafts))
        self._entries += len(drafts)
        self._bytes += sum(map(cost, drafts))
        if conversation_id in self._returning:
            self._returning.remove(conversation_id)

    def come_back(self, conversation_id: ConversationId) -> None:
        """Let a conversation into a batch again, the next but those that came back before."""
        if conversation_id in self._aside and conversation_id not in self._returning:
            self._returning.append(conversation_id)

    def withdraw(self, conversation_id: ConversationId) -> list[Draft]:
        """Take out everything of a conversation."""
        drafts = list(self._aside.pop(conversation_id, ()))
        if conversation_id in self._returning:
            self._returning.remove(conversation_id)
        drafts += [one for one in self._line if one.conversation_id == conversation_id]
        self._line = deque(one for one in self._line if one.conversation_id != conversation_id)
        self._entries -= len(drafts)
        self._bytes -= sum(map(cost, drafts))
        return drafts

    def clear(self) -> list[Draft]:
        """Everything that waits; conversations that stand aside stay there."""
        drafts = [draft for aside in self._aside.values() for draft in aside]
        drafts += self._line
        for aside in self._aside.values():
            aside.clear()
        self._line.clear()
        self._entries = self._bytes = 0
        return drafts

    def _cut(self, line: deque[Draft]) -> list[Draft]:
        batch: list[Draft] = []
        size_bytes = 0
        is_everybody = line is self._line
        while line and len(batch) < self._max_batch_entries:
            draft = line[0]
            if is_everybody and self._aside and draft.conversation_id in self._aside:
                self._aside[draft.conversation_id].append(line.popleft())
                continue
            size = cost(draft)
            if batch and size_bytes + size > self._max_batch_bytes:
                break
            size_bytes += size
            batch.append(line.popleft())
        self._entries -= len(batch)
        self._bytes -= size_bytes
        return batch


def cost(draft: Draft) -> int:
    """What a draft counts in bytes."""
    return len(draft.body) + ENTRY_OVERHEAD_BYTES
