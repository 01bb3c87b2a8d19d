"""What travels to units after the fact: pushes of log entries, hints, and orders to end
sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tinyqq.model.account import DeviceKind, KickReason, ProfileChanged
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, DeviceId, GroupId, Seq, SessionId, UserId
from tinyqq.model.message import CursorMoved, Typing


class Push(NamedTuple):
    """A committed entry on its way to the sessions of those who may see it.

    ``body`` is the finished body of a Deliver packet, made once. ``members_before`` and
    ``members_seq`` are the group's last membership entry before this one and including it; a unit
    whose index of the group does not stand at ``members_before`` reloads it before it writes to
    anyone.
    """

    conversation_id: ConversationId
    seq: Seq
    sender_id: UserId
    kind: int
    body: bytes
    members_before: Seq
    members_seq: Seq
    joined: tuple[UserId, ...]
    """Users whom this entry made members."""
    gone: tuple[UserId, ...]
    """Users whom it took out; they still see this one entry."""
    origin: SessionId
    """The session that gets the answer instead of the push; 0: none."""


class Hint(NamedTuple):
    """State that changed, for whoever is online; may be lost."""

    user_ids: tuple[UserId, ...]
    record: PresenceChanged | ProfileChanged | CursorMoved | Typing
    origin: SessionId
    """A session that need not be told; 0: none."""


class Kick(NamedTuple):
    """Sessions that must end for good.

    ``only`` names devices, ``kind`` restricts to one kind of device, ``keep`` spares one session.
    """

    user_id: UserId
    reason: KickReason
    only: tuple[DeviceId, ...] | None
    kind: DeviceKind | None
    keep: SessionId
    by_device: str


class UnitLink(Protocol):
    """A unit, as whoever delivers sees it. Calls return at once; a full link drops and counts."""

    def push(self, pushes: Sequence[Push]) -> None:
        """Write entries to local sessions, in this order."""
        ...

    def hint(self, hints: Sequence[Hint]) -> None:
        """Write hints to local sessions."""
        ...

    def kick(self, kicks: Sequence[Kick]) -> None:
        """End local sessions."""
        ...


class TailedUnit(UnitLink, Protocol):
    """The unit of this process, as the net under its pushes sees it.

    Turns are counted by the net; they say what came before a reading of the log and what after it.
    """

    def turn(self, keep: int) -> int:
        """Begin a turn, and return its number; what was pushed in turns before *keep* is
        forgotten."""
        ...

    def was_pushed(self, conversation_id: ConversationId, seq: Seq) -> bool:
        """Whether an entry was pushed here lately."""
        ...

    def here_since(self, conversation_id: ConversationId) -> int | None:
        """Since which turn somebody has been here whom a conversation concerns; None: nobody is.
        Who comes is bound first and reads then, so what is older is theirs to ask for."""
        ...

    def take_joined(self) -> list[tuple[GroupId, Seq]]:
        """Groups whose first member came into them while here, and with which entry, since this was
        asked last: what was written after it may have gone to other units alone."""
        ...


class Delivery(Protocol):
    """Fan-out: finds the units and hands each of them one batch. Calls return at once."""

    def push(self, pushes: Sequence[Push]) -> None:
        """Deliver entries after their commit."""
        ...

    def hint(self, hint: Hint) -> None:
        """Deliver a hint."""
        ...

    def kick(self, kick: Kick) -> None:
        """End sessions wherever they are."""
        ...
