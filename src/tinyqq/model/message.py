"""Entries of the log: what a conversation is made of.

Everything that a client must not miss is a numbered entry of a conversation: messages below kind
100, notices (recalls, changes of membership and of relations) from 100 on. Cursors, typing and
presence are not entries: they are state, and travel as hints.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    GroupId,
    OperationId,
    Seq,
    UserId,
    conversation_type,
)

MAX_RECALL_AGE_MS: Final = 2 * 60 * 1000
"""How long a sender may recall a message. Admins of a group may at any time."""


MAX_CONTENT_BYTES: Final = 64 * 1024
"""The longest text fits, and a page or a conversation list of such contents is still bearable."""


class Kind(IntEnum):
    """What an entry is. 1–63 may be sent by clients (numbers not named here: kinds of the future,
    carried as they are); 1–99 count as messages; notices (100 and above) are the server's."""

    HIDDEN = 0
    TEXT = 1
    IMAGE = 2
    FILE = 3
    VOICE = 4
    CARD = 5
    CUSTOM = 6
    RECALLED = 64

    RECALL = 100

    GROUP_CREATED = 110
    MEMBER_JOINED = 111
    MEMBER_LEFT = 112
    MEMBER_REMOVED = 113
    ROLE_CHANGED = 114
    OWNER_CHANGED = 115
    GROUP_CHANGED = 116
    GROUP_DISMISSED = 117
    CARD_CHANGED = 118
    JOIN_REQUESTED = 119
    JOIN_DECLINED = 120
    MEMBER_INVITED = 121

    FRIEND_REQUESTED = 130
    FRIEND_ADDED = 131
    REQUEST_DECLINED = 132
    FRIEND_REMOVED = 133
    BLOCKED = 134
    UNBLOCKED = 135


LAST_CLIENT_KIND: Final = 63
FIRST_NOTICE_KIND: Final = 100

MEMBERSHIP_KINDS: Final = frozenset(
    {
        Kind.GROUP_CREATED,
        Kind.MEMBER_JOINED,
        Kind.MEMBER_LEFT,
        Kind.MEMBER_REMOVED,
        Kind.GROUP_DISMISSED,
    }
)
"""Entries that change who is in a group: ``members_seq`` is the last one's seq."""

_ONLY_FOR_SENDER: Final = frozenset(
    {
        Kind.FRIEND_REMOVED,
        Kind.BLOCKED,
        Kind.UNBLOCKED,
        Kind.REQUEST_DECLINED,
    }
)
_FOR_NOBODY: Final = frozenset({Kind.JOIN_REQUESTED, Kind.JOIN_DECLINED, Kind.MEMBER_INVITED})

HEADLINES_FOR_ALL: Final = frozenset(
    {
        Kind.GROUP_CREATED,
        Kind.MEMBER_JOINED,
        Kind.MEMBER_LEFT,
        Kind.MEMBER_REMOVED,
        Kind.ROLE_CHANGED,
        Kind.OWNER_CHANGED,
        Kind.GROUP_CHANGED,
        Kind.GROUP_DISMISSED,
        Kind.CARD_CHANGED,
        Kind.FRIEND_ADDED,
    }
)
"""Notices that the conversation list shows, see :func:`is_headline`."""
HEADLINES_FOR_SENDER: Final = frozenset({Kind.FRIEND_REMOVED})
"""The same, to their sender alone."""


class Entry(NamedTuple):
    """One numbered entry. The order of the fields is the order of the columns of ``message``.

    A tuple rather than a dataclass because one is made per message, and a batch of them is handed
    to the database as it is.
    """

    conversation_id: ConversationId
    seq: Seq
    ordinal: int
    """The count of countable entries up to and including this one."""
    sender_id: UserId
    client_message_id: OperationId
    sent_at_ms: int
    kind: int
    body: bytes
    """A Content (kind < 100) or Notice in protobuf; empty in HIDDEN and RECALLED."""
    through_seq: Seq = Seq(0)
    """Only of HIDDEN: the last seq of the stretch; not stored."""


def is_countable(kind: int) -> bool:
    """Whether an entry of this kind counts as a message (unread counts, pages of history)."""
    return 0 < kind < FIRST_NOTICE_KIND


def is_visible(kind: int, sender_id: UserId, viewer_id: UserId) -> bool:
    """Whether *viewer_id*, who may read the conversation, sees an entry of this kind by
    *sender_id*.

    In one's own conversation everything is visible: ask only for direct and group conversations.
    """
    if kind < FIRST_NOTICE_KIND:
        return True
    if kind in _FOR_NOBODY:
        return False
    return sender_id == viewer_id or kind not in _ONLY_FOR_SENDER


def is_headline(entry: Entry, viewer_id: UserId) -> bool:
    """Whether the conversation list of *viewer_id*, who may read the conversation, shows an entry.

    Messages, and notices of what became of the group or the friendship: a conversation in which
    nobody has written yet is in the list by these. Requests and blocks are looked for among the
    contacts, and what a recall leaves is the message. In one's own conversation only messages: its
    notices tell of what stands elsewhere.
    """
    kind, conversation_id = entry.kind, entry.conversation_id
    if is_countable(kind):
        return True
    if conversation_type(conversation_id) is ConversationType.OWN:
        return False
    by_viewer = entry.sender_id == viewer_id
    return kind in HEADLINES_FOR_ALL or (by_viewer and kind in HEADLINES_FOR_SENDER)


def hidden(conversation_id: ConversationId, from_seq: Seq, through_seq: Seq) -> Entry:
    """The stand-in for a stretch that somebody may not see, both ends included."""
    return Entry(
        conversation_id, from_seq, 0, UserId(0), OperationId(b""), 0, Kind.HIDDEN, b"", through_seq
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that another one answers."""

    seq: Seq
    sender_id: UserId
    excerpt: str


@dataclass(frozen=True, slots=True)
class Media:
    """An image, file or voice message; the blob lies elsewhere."""

    blob_id: str
    name: str = ""
    media_type: str = ""
    size_bytes: int = 0
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    preview: bytes = b""


@dataclass(frozen=True, slots=True)
class Card:
    """A link or a contact, shown as a card."""

    title: str
    summary: str = ""
    url: str = ""
    image_blob_id: str = ""


@dataclass(frozen=True, slots=True)
class Custom:
    """An application's own payload."""

    type: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says. ``text`` is also what a client shows that does not know the kind."""

    text: str = ""
    quote: Quote | None = None
    mentions: tuple[UserId, ...] = ()
    mentions_all: bool = False
    media: Media | None = None
    card: Card | None = None
    custom: Custom | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says: whom the change is about, and what it changed to."""

    user_ids: tuple[UserId, ...] = ()
    group_id: GroupId = GroupId(0)
    target_seq: Seq = Seq(0)
    name: str = ""
    note: str = ""
    role: int = 0
    join_policy: int = 0
    announcement: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a send went: committed under this number at this time."""

    seq: Seq
    ordinal: int
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Erase a message's content for everybody."""

    operation_id: OperationId
    conversation_id: ConversationId
    seq: Seq


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is typing; never stored."""

    conversation_id: ConversationId
    user_id: UserId = UserId(0)


@dataclass(frozen=True, slots=True)
class Mark:
    """Cursors of the sender: cumulative, merged by max; 0 leaves one as it is."""

    conversation_id: ConversationId
    delivered_seq: Seq = Seq(0)
    read_seq: Seq = Seq(0)


@dataclass(frozen=True, slots=True)
class MarkMany:
    """Cursors in many conversations."""

    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """A user's cursors, as a hint."""

    conversation_id: ConversationId
    user_id: UserId
    delivered_seq: Seq
    read_seq: Seq
