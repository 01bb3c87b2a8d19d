"""What a device asks to catch up, and the answers: overview, pages forward, history backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Entry

MAX_PAGE_ENTRIES: Final = 500
MAX_PAGE_BYTES: Final = 512 * 1024
"""A page ends early rather than exceed this (one entry always fits)."""
MAX_OVERVIEW_ENTRIES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a conversation's log."""

    conversation_id: ConversationId
    seq: Seq


@dataclass(frozen=True, slots=True)
class Known:
    """What a client has of a conversation: everything up to ``seq``, and these cursors."""

    conversation_id: ConversationId
    seq: Seq
    read_seq: Seq = Seq(0)
    delivered_seq: Seq = Seq(0)
    peer_read_seq: Seq = Seq(0)
    peer_delivered_seq: Seq = Seq(0)


@dataclass(frozen=True, slots=True)
class GetOverview:
    """Ask for the conversations with something new beyond ``known``, after
    ``after_conversation_id``.

    ``with_cursors``: or where the caller's own cursors are not those in ``known``, or the other
    user's further on.
    """

    known: tuple[Known, ...] = ()
    after_conversation_id: ConversationId = ConversationId(0)
    limit: int = MAX_OVERVIEW_ENTRIES
    with_cursors: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the conversation list."""

    conversation_id: ConversationId
    head_seq: Seq
    since_seq: Seq
    """The first seq that the caller may see."""
    until_seq: Seq
    """The last one; the head for whoever is still in."""
    unread: int
    read_seq: Seq
    delivered_seq: Seq
    peer_read_seq: Seq = Seq(0)
    peer_delivered_seq: Seq = Seq(0)
    last: Entry | None = None
    """What the list shows of it: the last headline
    (:func:`tinyqq.model.message.is_headline`)."""
    name: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of the conversation list, by conversation id; ``more``: there is another."""

    conversations: tuple[Summary, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Sync:
    """Ask for the entries after ``after_seq``."""

    conversation_id: ConversationId
    after_seq: Seq
    limit: int = MAX_PAGE_ENTRIES


@dataclass(frozen=True, slots=True)
class Page:
    """Entries from ``after_seq + 1`` on, ascending and contiguous: what the caller may not see
    stands there as HIDDEN stretches. ``head_seq`` is the last seq that the caller may know of."""

    entries: tuple[Entry, ...]
    head_seq: Seq


@dataclass(frozen=True, slots=True)
class GetHistory:
    """Ask for ``limit`` messages before ``before_seq`` (0: the newest), with the notices
    between."""

    conversation_id: ConversationId
    before_seq: Seq = Seq(0)
    limit: int = 50


@dataclass(frozen=True, slots=True)
class History:
    """Visible entries, ascending; ``more``: there are older ones."""

    entries: tuple[Entry, ...]
    more: bool
