"""Groups and their members: the nouns, and what is asked and answered about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tinyqq.model.ids import GroupId, OperationId, UserId

MAX_GROUP_NAME_CHARS: Final = 64
MAX_CARD_CHARS: Final = 32
MAX_ANNOUNCEMENT_CHARS: Final = 2_000
MAX_INVITES_AT_ONCE: Final = 200
MAX_INVITATIONS: Final = 500
"""How many open invitations a user is shown, the latest ones."""


class Role(IntEnum):
    """A member's rank: the larger outranks the smaller."""

    UNSPECIFIED = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class JoinPolicy(IntEnum):
    """Who may come in: everybody, whom an admin approves, whom a member invites, nobody."""

    UNSPECIFIED = 0
    OPEN = 1
    APPROVAL = 2
    INVITATION = 3
    CLOSED = 4


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """Make a group with the caller as owner, and invite friends."""

    operation_id: OperationId
    name: str
    join_policy: JoinPolicy = JoinPolicy.APPROVAL
    invite: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupCreated:
    """The new group's number."""

    group_id: GroupId


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Come into a group, or ask to."""

    operation_id: OperationId
    group_id: GroupId
    note: str = ""


@dataclass(frozen=True, slots=True)
class JoinOutcome:
    """Whether the user is in; otherwise a request waits for an admin."""

    joined: bool


@dataclass(frozen=True, slots=True)
class AnswerJoin:
    """An admin answers ``user_id``'s request; with the caller's own number: answers an
    invitation."""

    operation_id: OperationId
    group_id: GroupId
    user_id: UserId
    accept: bool


@dataclass(frozen=True, slots=True)
class InviteMember:
    """Invite a user into a group."""

    operation_id: OperationId
    group_id: GroupId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Leave a group; an owner transfers or dismisses it first."""

    operation_id: OperationId
    group_id: GroupId


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Remove somebody of lower rank from a group."""

    operation_id: OperationId
    group_id: GroupId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class SetRole:
    """The owner makes a member an admin, or an admin a member."""

    operation_id: OperationId
    group_id: GroupId
    user_id: UserId
    role: Role


@dataclass(frozen=True, slots=True)
class TransferGroup:
    """The owner hands the group to another member and becomes an admin."""

    operation_id: OperationId
    group_id: GroupId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class DismissGroup:
    """The owner ends the group for everybody; members keep what they may read."""

    operation_id: OperationId
    group_id: GroupId


@dataclass(frozen=True, slots=True)
class UpdateGroup:
    """An admin changes name, announcement or join policy; ``None`` leaves a field as it is."""

    operation_id: OperationId
    group_id: GroupId
    name: str | None = None
    join_policy: JoinPolicy | None = None
    announcement: str | None = None


@dataclass(frozen=True, slots=True)
class SetCard:
    """The name under which the group sees the caller; empty: the nickname."""

    operation_id: OperationId
    group_id: GroupId
    card: str


@dataclass(frozen=True, slots=True)
class GetGroup:
    """Ask for a group."""

    group_id: GroupId


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A group as the caller sees it; ``role`` is the caller's own, unspecified for a non-member."""

    group_id: GroupId
    name: str
    join_policy: JoinPolicy
    announcement: str = ""
    members: int = 0
    member_limit: int = 0
    created_at_ms: int = 0
    owner_id: UserId = UserId(0)
    role: Role = Role.UNSPECIFIED
    dismissed: bool = False


@dataclass(frozen=True, slots=True)
class ListGroups:
    """Ask for the groups that the caller is a member of."""


@dataclass(frozen=True, slots=True)
class GroupList:
    """Groups, by number."""

    groups: tuple[GroupInfo, ...]


@dataclass(frozen=True, slots=True)
class ListMembers:
    """Ask for a page of members, by number, after ``after_user_id``."""

    group_id: GroupId
    after_user_id: UserId = UserId(0)
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Member:
    """A present member."""

    user_id: UserId
    nickname: str
    card: str
    role: Role
    joined_at_ms: int
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class MemberList:
    """A page of members; ``more``: there is another."""

    members: tuple[Member, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class ListJoinRequests:
    """An admin asks who waits at the door."""

    group_id: GroupId


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody who waits: asked to join, or was invited by ``invited_by`` (0: nobody)."""

    user_id: UserId
    nickname: str
    note: str
    requested_at_ms: int
    invited_by: UserId = UserId(0)


@dataclass(frozen=True, slots=True)
class JoinRequestList:
    """Open requests and invitations, the oldest first."""

    requests: tuple[JoinRequest, ...]


@dataclass(frozen=True, slots=True)
class ListInvitations:
    """Ask for the invitations that the caller has not answered yet."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation into a group that waits for an answer; ``inviter``: nickname of who invited."""

    group_id: GroupId
    name: str
    members: int
    invited_by: UserId
    inviter: str
    invited_at_ms: int


@dataclass(frozen=True, slots=True)
class InvitationList:
    """Open invitations, the latest first; at most MAX_INVITATIONS."""

    invitations: tuple[Invitation, ...]
