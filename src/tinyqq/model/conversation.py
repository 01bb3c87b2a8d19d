"""What a lane must know of a conversation to number its next entry, and the changes entries make to
it.

A :class:`ConversationState` is the truth as of ``head_seq``. Rules (``speaking.py``,
``membership.py``, ``friendship.py``) read it and answer with a :class:`Plan`; the lane numbers the
entry, applies the plan's effects to the state, and storage writes the same effects in the entry's
own transaction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.message import Kind, Notice

STILL_IN: Final = Seq(2**63 - 1)
"""``until_seq`` of a member who has not left."""


@dataclass(frozen=True, slots=True)
class PutMember:
    """Member row, whole: one interval [since_seq, until_seq] in which the user may read."""

    user_id: UserId
    since_seq: Seq
    until_seq: Seq
    role: Role
    card: str
    joined_at_ms: int


@dataclass(frozen=True, slots=True)
class PutRelation:
    """Relation row, whole: what *user_id* feels about the other user of a direct conversation.

    ``requested_at_ms``: when *user_id* asked the other for friendship; 0 without an open request.
    """

    user_id: UserId
    is_friend: bool = False
    is_blocked: bool = False
    requested_at_ms: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class PutGroup:
    """Group row, whole. ``dismissed_seq``: 0, or the entry that ended the group."""

    name: str
    join_policy: JoinPolicy
    announcement: str
    member_limit: int
    created_at_ms: int
    dismissed_seq: Seq = Seq(0)


@dataclass(frozen=True, slots=True)
class PutJoinRequest:
    """Somebody waits at the group's door: asked (``invited_by`` 0) or was invited."""

    user_id: UserId
    requested_at_ms: int
    note: str = ""
    invited_by: UserId = UserId(0)


@dataclass(frozen=True, slots=True)
class DropJoinRequest:
    """Nobody waits any more under this number."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class EraseEntry:
    """The content of entry *seq* is erased; its kind becomes RECALLED."""

    seq: Seq


Effect = PutMember | PutRelation | PutGroup | PutJoinRequest | DropJoinRequest | EraseEntry


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rule decided: the entry to write and the rows that change with it.

    ``lists``: users who must have the conversation in their list before the entry is written.
    """

    kind: Kind
    notice: Notice = Notice()
    effects: tuple[Effect, ...] = ()
    lists: tuple[UserId, ...] = ()


@dataclass(slots=True)
class ConversationState:
    """Head and grants of one conversation. Mutable: the lane moves it on, entry by entry.

    Only the parts that the type of conversation has are filled: ``relations``, ``reachable`` and
    ``open_to_strangers`` of a direct one, ``group``, ``members`` (present ones) and ``requests`` of
    a group.
    """

    conversation_id: ConversationId
    head_seq: Seq = Seq(0)
    head_ordinal: int = 0
    members_seq: Seq = Seq(0)
    loaded_at_s: float = 0.0
    """Monotonic time of the read; set by the lane."""
    refused_at_s: float = -math.inf
    """Monotonic time at which a refusal was confirmed by a fresh read; set by the lane."""
    expires_at_s: float = math.inf
    """Monotonic time after which a grant may not be taken from here; set by the lane. The fence
    keeps what lives in the conversation right for ever; the account settings of strangers it does
    not."""
    listed: set[UserId] = field(default_factory=set)
    """Of a direct conversation: the users who have it in their list."""
    relations: dict[UserId, PutRelation] = field(default_factory=dict)
    reachable: set[UserId] = field(default_factory=set)
    """Of a direct conversation: the users whose account exists and is in use."""
    open_to_strangers: set[UserId] = field(default_factory=set)
    group: PutGroup | None = None
    members: dict[UserId, PutMember] = field(default_factory=dict)
    requests: dict[UserId, PutJoinRequest] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """Rough size, in rows, for the bound of a cache."""
        return 1 + len(self.members) + len(self.requests)

    def relation(self, user_id: UserId) -> PutRelation:
        """What *user_id* feels about the other; a blank relation if nothing is on record."""
        return self.relations.get(user_id) or PutRelation(user_id)

    def apply(self, effects: tuple[Effect, ...]) -> None:
        """Move the grants on by an entry's effects. Pure bookkeeping; never raises."""
        for effect in effects:
            match effect:
                case PutMember():
                    if effect.until_seq == STILL_IN:
                        self.members[effect.user_id] = effect
                    else:
                        self.members.pop(effect.user_id, None)
                case PutRelation():
                    self.relations[effect.user_id] = effect
                case PutGroup():
                    self.group = effect
                case PutJoinRequest():
                    self.requests[effect.user_id] = effect
                case DropJoinRequest():
                    self.requests.pop(effect.user_id, None)
                case EraseEntry():
                    pass


Rule = Callable[[ConversationState, int], Plan]
"""Decides about a change: (state, now_ms) → plan. Pure.

Raises:
    TinyQQError: Forbidden, NotFound or Conflict when the state does not allow it.
"""
