"""What travels to units after the fact: pushes of log entries, hints, and orders to end
sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tinyqq.model.account import DeviceKind, KickReason
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, DeviceId, Seq, SessionId, UserId
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
    record: PresenceChanged | CursorMoved | Typing
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
