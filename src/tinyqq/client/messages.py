"""What a client hands out: messages, changes, and hints about people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from tinyqq.client.outbox import Outgoing
from tinyqq.errors import TinyQQError
from tinyqq.model.account import ProfileChanged
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    GroupId,
    OperationId,
    Seq,
    UserId,
    conversation_type,
    peer_of,
)
from tinyqq.model.message import (
    FIRST_NOTICE_KIND,
    Content,
    CursorMoved,
    Entry,
    Kind,
    Notice,
    Sent,
    Typing,
)
from tinyqq.wire.content import decode_content, decode_notice


class Desk(Protocol):
    """What a message asks of its client."""

    @property
    def user_id(self) -> UserId:
        """Who is logged in."""
        ...

    async def send_to(
        self,
        conversation_id: ConversationId,
        content: str | Content,
        *,
        reply_to: Message | None = None,
    ) -> Sent:
        """Send into a conversation."""
        ...

    async def recall(self, conversation_id: ConversationId, seq: Seq) -> None:
        """Take a message back."""
        ...

    async def mark_read(self, conversation_id: ConversationId, seq: Seq | None = None) -> None:
        """Say that it was read."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message that somebody wrote.

    ``kind`` is a :class:`tinyqq.model.message.Kind` or a number of the future; RECALLED: it was
    taken back, and ``content`` is empty. ``is_own``: written by the user of this client, here or on
    another device.
    """

    conversation: ConversationId
    seq: Seq
    sender: UserId
    kind: int
    content: Content
    sent_at_ms: int
    client_message_id: OperationId
    is_own: bool
    _desk: Desk = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """What it says; for kinds that are no text, what stands in for them."""
        return self.content.text

    @property
    def time(self) -> datetime:
        """When the server committed it, in the local time zone."""
        return _local_time(self.sent_at_ms)

    @property
    def group_id(self) -> GroupId | None:
        """The group that it was written in; None in a direct conversation."""
        return _group_of(self.conversation)

    @property
    def peer(self) -> UserId | None:
        """The other user of a direct conversation; None in a group."""
        return None if self.group_id else peer_of(self.conversation, self._desk.user_id)

    async def reply(self, content: str | Content) -> Sent:
        """Answer in the same conversation, quoting this message."""
        return await self._desk.send_to(self.conversation, content, reply_to=self)

    async def recall(self) -> None:
        """Take it back, for everybody: one's own within two minutes, an admin anybody's."""
        await self._desk.recall(self.conversation, self.seq)

    async def mark_read(self) -> None:
        """Say that everything up to here was read."""
        await self._desk.mark_read(self.conversation, self.seq)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log that records a change: who came, who asked, what was recalled.

    ``actor``: who made it. ``kind`` and ``notice`` say what it is; in a RECALL
    ``notice.target_seq`` is the message.
    """

    conversation: ConversationId
    seq: Seq
    actor: UserId
    kind: int
    notice: Notice
    sent_at_ms: int
    is_own: bool

    @property
    def time(self) -> datetime:
        """When the server committed it, in the local time zone."""
        return _local_time(self.sent_at_ms)

    @property
    def group_id(self) -> GroupId | None:
        """The group that it happened in; None elsewhere (then see ``notice.group_id``)."""
        return _group_of(self.conversation)


@dataclass(frozen=True, slots=True)
class Connected:
    """The client is logged in (again); what it missed follows."""

    user_id: UserId
    unit_id: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; the client tries to come back by itself."""

    error: TinyQQError


@dataclass(frozen=True, slots=True)
class SendRefused:
    """A message that was left over from an earlier run was refused for good."""

    outgoing: Outgoing
    error: TinyQQError


Event = (
    Message
    | Change
    | PresenceChanged
    | ProfileChanged
    | CursorMoved
    | Typing
    | Connected
    | Disconnected
    | SendRefused
)


def to_event(entry: Entry, desk: Desk) -> Message | Change:
    """An entry of the log as programs see it. A body that cannot be read is an empty one: another
    client wrote it, and nobody must be able to break this one."""
    is_own = entry.sender_id == desk.user_id
    if entry.kind < FIRST_NOTICE_KIND:
        return Message(
            entry.conversation_id,
            entry.seq,
            entry.sender_id,
            entry.kind,
            _content(entry),
            entry.sent_at_ms,
            entry.client_message_id,
            is_own,
            desk,
        )
    return Change(
        entry.conversation_id,
        entry.seq,
        entry.sender_id,
        entry.kind,
        _notice(entry),
        entry.sent_at_ms,
        is_own,
    )


def _content(entry: Entry) -> Content:
    if entry.kind == Kind.RECALLED:
        return Content()
    try:
        return decode_content(entry.body)
    except TinyQQError:
        return Content()


def _notice(entry: Entry) -> Notice:
    try:
        return decode_notice(entry.body)
    except TinyQQError:
        return Notice()


def _local_time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone()


def _group_of(conversation_id: ConversationId) -> GroupId | None:
    is_group = conversation_type(conversation_id) is ConversationType.GROUP
    return GroupId(conversation_id) if is_group else None
