"""What has arrived, put in order: every entry is handed out once, gaps are named.

Pure: no I/O, no time, no randomness. Pushes, pages of sync, entries of history and the answers to
one's own sends all go through :meth:`Inbox.apply`. The rules are spelled out plainly because other
languages implement the same ones; ``tests/conformance/vectors/inbox.json`` holds them as data.

Per conversation three numbers are kept::

    position   everything up to here was handed out (unknown until the conversation is started)
    head       the highest seq that is known to exist
    asked      where an outstanding sync began, and what the head was then

An entry at ``position + 1`` is handed out, and what was held back behind it. One further on is held
back. One at or before ``position`` is a repeat and dropped. While ``head`` is beyond ``position``
and nothing is asked, :meth:`Inbox.next_sync` names the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tinyqq.errors import TinyQQError
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import Page, Position
from tinyqq.wire.content import decode_notice

MAX_HELD: Final = 4_096
"""Entries held back at once, in all conversations together."""


@dataclass(slots=True)
class _Conversation:
    position: int | None = None
    head: int = 0
    asked: tuple[int, int] | None = None
    held: dict[int, Entry] = field(default_factory=dict)

    @property
    def is_behind(self) -> bool:
        return self.position is not None and self.asked is None and self.head > self.position


class Inbox:
    """Order and exactly-once for everything that arrives at one client.

    Args:
        positions: where the conversations stood when the client was last here.
        max_held: bound of the entries held back; beyond it those of the conversation that would
            exceed it are dropped, and the sync that they caused brings them again.
    """

    def __init__(self, positions: Iterable[Position] = (), *, max_held: int = MAX_HELD) -> None:
        self._max_held = max_held
        self._held = 0
        self._settled = False
        self._wanted: dict[ConversationId, None] = {}
        self._conversations = {
            one.conversation_id: _Conversation(position=one.seq) for one in positions
        }

    # ---- starting --------------------------------------------------------------------------------

    def start(self, conversation_id: ConversationId, seq: Seq) -> list[Entry]:
        """Begin a conversation after *seq*; what was held back for it may become ready.

        No effect on one that has a position already: what this client handed out counts, not what
        the server believes it did.
        """
        one = self._get(conversation_id)
        if one.position is not None:
            return []
        one.position = seq
        for early in [held for held in one.held if held <= seq]:
            self._drop(one, early)
        ready = self._drain(one, [])
        self._note(conversation_id, one)
        return ready

    def settle(self) -> list[Entry]:
        """The overview is complete: conversations that are not in it are new and start at 0."""
        self._settled = True
        ready: list[Entry] = []
        for conversation_id, one in list(self._conversations.items()):
            if one.position is None:
                ready += self.start(conversation_id, Seq(0))
        return ready

    # ---- what arrives ----------------------------------------------------------------------------

    def apply(self, entry: Entry) -> list[Entry]:
        """Take an entry from wherever it came; returns what is ready now, in order.

        A HIDDEN stretch moves the position on and is itself not handed out. A RECALL is handed out
        like any entry; its target, when it becomes ready in the same call, is erased first.
        """
        one = self._get(entry.conversation_id)
        is_hidden = entry.kind == Kind.HIDDEN
        last = entry.through_seq if is_hidden else entry.seq
        one.head = max(one.head, last)
        ready: list[Entry] = []
        if one.position is None or entry.seq > one.position + 1:
            if not is_hidden:
                self._hold(one, entry)
        elif last > one.position:
            one.position = last
            if not is_hidden:
                ready.append(entry)
            ready = self._drain(one, ready)
        self._note(entry.conversation_id, one)
        return ready

    def apply_page(self, conversation_id: ConversationId, page: Page) -> list[Entry]:
        """Take the answer to a sync; returns what is ready now, in order."""
        one = self._get(conversation_id)
        asked, one.asked = one.asked, None
        one.head = max(one.head, page.head_seq)
        ready: list[Entry] = []
        for entry in page.entries:
            ready += self.apply(entry)
        if asked == (one.position, one.head):
            # Nothing new although nothing else happened meanwhile: asking again would go on for
            # ever. The next push or overview starts afresh.
            self._give_up(one)
        self._note(conversation_id, one)
        return ready

    def learn_head(self, conversation_id: ConversationId, head_seq: Seq) -> None:
        """An overview or a hint says that the conversation goes up to *head_seq*."""
        one = self._get(conversation_id)
        one.head = max(one.head, head_seq)
        self._note(conversation_id, one)

    # ---- gaps ------------------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Whether :meth:`next_sync` has something to name."""
        return bool(self._wanted)

    def next_sync(self) -> Position | None:
        """The next conversation to be synced and the seq after which; at most one per conversation
        is outstanding. Answer it with :meth:`apply_page` or :meth:`sync_failed`."""
        for conversation_id in self._wanted:
            del self._wanted[conversation_id]
            one = self._conversations[conversation_id]
            position = one.position or 0
            one.asked = (position, one.head)
            return Position(conversation_id, Seq(position))
        return None

    def sync_failed(self, conversation_id: ConversationId, *, for_good: bool) -> None:
        """No page came: the conversation is wanted again, or ``for_good`` left where it is."""
        one = self._get(conversation_id)
        one.asked = None
        if for_good:
            self._give_up(one)
        self._note(conversation_id, one)

    # ---- what is known ---------------------------------------------------------------------------

    def position(self, conversation_id: ConversationId) -> Seq | None:
        """The last seq of the part that is complete; None: not started."""
        one = self._conversations.get(conversation_id)
        return None if one is None or one.position is None else Seq(one.position)

    def positions(self) -> tuple[Position, ...]:
        """All of them, for :class:`tinyqq.model.sync.GetOverview`."""
        return tuple(
            Position(conversation_id, Seq(one.position))
            for conversation_id, one in self._conversations.items()
            if one.position is not None
        )

    # ---- inside ----------------------------------------------------------------------------------

    def _get(self, conversation_id: ConversationId) -> _Conversation:
        one = self._conversations.get(conversation_id)
        if one is None:
            one = _Conversation(position=0 if self._settled else None)
            self._conversations[conversation_id] = one
        return one

    def _note(self, conversation_id: ConversationId, one: _Conversation) -> None:
        if one.is_behind:
            self._wanted[conversation_id] = None
        else:
            self._wanted.pop(conversation_id, None)

    def _hold(self, one: _Conversation, entry: Entry) -> None:
        if entry.seq in one.held:
            return
        if self._held >= self._max_held:
            self._held -= len(one.held)
            one.held.clear()
            return
        one.held[entry.seq] = entry
        self._held += 1

    def _drop(self, one: _Conversation, seq: int) -> None:
        del one.held[seq]
        self._held -= 1

    def _drain(self, one: _Conversation, ready: list[Entry]) -> list[Entry]:
        """Add what was held back and follows; forget what a HIDDEN stretch has overtaken."""
        if one.held:
            position = one.position or 0
            for early in [held for held in one.held if held <= position]:
                self._drop(one, early)
            while (entry := one.held.get(position + 1)) is not None:
                position += 1
                self._drop(one, position)
                ready.append(entry)
                if entry.kind == Kind.RECALL:
                    _erase_target(entry, ready)
            one.position = position
        return ready

    def _give_up(self, one: _Conversation) -> None:
        self._held -= len(one.held)
        one.held.clear()
        one.head = one.position or 0


def _erase_target(recall: Entry, ready: list[Entry]) -> None:
    try:
        target_seq = decode_notice(recall.body).target_seq
    except TinyQQError:
        return
    for index, entry in enumerate(ready):
        if entry.seq == target_seq:
            ready[index] = entry._replace(kind=Kind.RECALLED, body=b"")
