"""The business roles as every caller sees them, in this process or another.

Every method takes one record and returns one. Unless said otherwise a call may raise
InvalidRequest, Forbidden, NotFound, Conflict (by its own rules), RateLimited and Unavailable. A
call with an ``operation_id`` may be repeated: the first outcome is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyqq.errors import TinyQQError
from tinyqq.model import account, friend, group, message, sync
from tinyqq.model.account import Caller
from tinyqq.model.ids import ConversationId, OperationId, SessionId


@dataclass(frozen=True, slots=True)
class Login:
    """What the gateway must know of a successful log-in, besides the client's answer.

    ``device_name``: told to the session that this one replaces.
    """

    answer: account.LoggedIn
    caller: Caller
    device_kind: account.DeviceKind
    device_name: str = ""


class UserApi(Protocol):
    """Role ``user``: accounts, devices, profiles."""

    async def register(self, request: account.Register, *, address: str) -> account.Registered:
        """Make an account. RateLimited per address; Forbidden REGISTRATION_CLOSED."""
        ...

    async def log_in(
        self, request: account.LogIn, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Check the password. Unauthenticated BAD_CREDENTIALS takes the same time for a wrong
        password and an unknown number; RateLimited TOO_MANY_LOG_INS per account and address;
        Unavailable BUSY when the password pool is full."""
        ...

    async def resume(
        self, request: account.Resume, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Check a token. Unauthenticated TOKEN_INVALID, TOKEN_EXPIRED or DEVICE_REVOKED."""
        ...

    async def recover_password(
        self, request: account.RecoverPassword, *, address: str
    ) -> account.Recovered:
        """Set a new password by the one-time code; logs out every device."""
        ...

    async def log_out(self, caller: Caller, request: account.LogOut) -> None:
        """Forget the caller's device and its tokens."""
        ...

    async def seen(self, caller: Caller) -> None:
        """Note that the user's last session on this unit has gone (last seen)."""
        ...

    async def change_password(self, caller: Caller, request: account.ChangePassword) -> None:
        """Change it, and log out every other device."""
        ...

    async def delete_account(self, caller: Caller, request: account.DeleteAccount) -> None:
        """Leave groups, end friendships, erase the profile, log out every device."""
        ...

    async def list_devices(
        self, caller: Caller, request: account.ListDevices
    ) -> account.DeviceList:
        """The account's devices."""
        ...

    async def revoke_device(self, caller: Caller, request: account.RevokeDevice) -> None:
        """Log one device out."""
        ...

    async def get_profile(self, caller: Caller, request: account.GetProfile) -> account.Profile:
        """A user's profile."""
        ...

    async def update_profile(
        self, caller: Caller, request: account.UpdateProfile
    ) -> account.Profile:
        """Change one's own; returns it."""
        ...

    async def search_users(
        self, caller: Caller, request: account.SearchUsers
    ) -> account.ProfileList:
        """By exact number or part of the nickname."""
        ...


class FriendApi(Protocol):
    """Role ``friend``: friendships, requests, blocks."""

    async def request_friend(self, caller: Caller, request: friend.RequestFriend) -> None:
        """Ask; accepts at once when the other has asked."""
        ...

    async def answer_friend(self, caller: Caller, request: friend.AnswerFriend) -> None:
        """Accept or decline."""
        ...

    async def delete_friend(self, caller: Caller, request: friend.DeleteFriend) -> None:
        """End a friendship."""
        ...

    async def set_blocked(self, caller: Caller, request: friend.SetBlocked) -> None:
        """Block or unblock."""
        ...

    async def set_remark(self, caller: Caller, request: friend.SetRemark) -> None:
        """Name a contact for oneself."""
        ...

    async def list_contacts(
        self, caller: Caller, request: friend.ListContacts
    ) -> friend.ContactList:
        """Everybody, with presence."""
        ...


class GroupApi(Protocol):
    """Role ``group``: groups and membership."""

    async def create_group(self, caller: Caller, request: group.CreateGroup) -> group.GroupCreated:
        """Make one."""
        ...

    async def join_group(self, caller: Caller, request: group.JoinGroup) -> group.JoinOutcome:
        """Join, or ask to."""
        ...

    async def answer_join(self, caller: Caller, request: group.AnswerJoin) -> None:
        """Answer a request or an invitation."""
        ...

    async def invite_member(self, caller: Caller, request: group.InviteMember) -> None:
        """Invite."""
        ...

    async def leave_group(self, caller: Caller, request: group.LeaveGroup) -> None:
        """Leave."""
        ...

    async def remove_member(self, caller: Caller, request: group.RemoveMember) -> None:
        """Remove somebody."""
        ...

    async def set_role(self, caller: Caller, request: group.SetRole) -> None:
        """Make or unmake an admin."""
        ...

    async def transfer_group(self, caller: Caller, request: group.TransferGroup) -> None:
        """Hand the group over."""
        ...

    async def dismiss_group(self, caller: Caller, request: group.DismissGroup) -> None:
        """End the group."""
        ...

    async def update_group(self, caller: Caller, request: group.UpdateGroup) -> None:
        """Rename and the like."""
        ...

    async def set_card(self, caller: Caller, request: group.SetCard) -> None:
        """Own group card."""
        ...

    async def get_group(self, caller: Caller, request: group.GetGroup) -> group.GroupInfo:
        """One group; also for those outside, who see what they need to ask to join."""
        ...

    async def list_groups(self, caller: Caller, request: group.ListGroups) -> group.GroupList:
        """One's own."""
        ...

    async def list_members(self, caller: Caller, request: group.ListMembers) -> group.MemberList:
        """A page; members only."""
        ...

    async def list_join_requests(
        self, caller: Caller, request: group.ListJoinRequests
    ) -> group.JoinRequestList:
        """Who waits; admins only."""
        ...

    async def list_invitations(
        self, caller: Caller, request: group.ListInvitations
    ) -> group.InvitationList:
        """The caller's own that are open, the latest first."""
        ...


Answer = Callable[[message.Sent | TinyQQError], None]
"""Called once, in the event loop, when a send is committed or refused."""


@dataclass(slots=True)
class Send:
    """A message on its way.

    ``answer`` is called exactly once, and never from inside :meth:`ChatApi.send` itself except to
    refuse.
    """

    caller: Caller
    conversation_id: ConversationId
    client_message_id: OperationId
    kind: int
    content: bytes
    answer: Answer
    flight: int = 0
    """See :mod:`tinyqq.model.flights`."""
    may_leave: bool = True
    """Whether it may be handed to another node; not if it came from one."""


class Home(Protocol):
    """Another node, where a conversation is numbered that several nodes write."""

    @property
    def is_open(self) -> bool:
        """Whether it should be handed more."""
        ...

    def send(self, send: Send) -> None:
        """Hand it a send. Order: numbered there in the order of the calls, as long as none is
        refused. One that it does not answer in time is refused with Unavailable."""
        ...


FindHome = Callable[[ConversationId], Home | None]
"""All nodes find the same one; None: it is this one, or it cannot be reached."""


class ChatApi(Protocol):
    """Role ``chat``: numbering and appending."""

    def send(self, send: Send) -> None:
        """Take a message; ``send.answer`` gets Sent after the commit, or the refusal. Never blocks.

        Order: messages of one sender to one conversation are numbered in the order of the calls.
        """
        ...

    async def recall(self, caller: Caller, request: message.Recall) -> None:
        """Erase a message's content and say so in the log."""
        ...


class OfflineApi(Protocol):
    """Role ``offline``: what lies in the log after a device's cursors; cursors; hints."""

    async def get_overview(self, caller: Caller, request: sync.GetOverview) -> sync.Overview:
        """The conversation list."""
        ...

    async def get_page(self, caller: Caller, request: sync.Sync) -> sync.Page:
        """A page forward; Forbidden NOT_A_MEMBER for who may see nothing of it."""
        ...

    async def get_history(self, caller: Caller, request: sync.GetHistory) -> sync.History:
        """A page backward."""
        ...

    def mark(self, caller: Caller, request: message.Mark) -> None:
        """Move cursors; merged in memory, stored within a second; others are told as a hint."""
        ...

    def mark_many(self, caller: Caller, request: message.MarkMany) -> None:
        """The same in many conversations."""
        ...

    def typing(self, caller: Caller, request: message.Typing) -> None:
        """Tell the other user of a direct conversation, if they are friends; groups: no effect."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """One door to every role, local or remote: what a ProxyService dispatches to."""

    user: UserApi
    friend: FriendApi
    group: GroupApi
    chat: ChatApi
    offline: OfflineApi
