"""Groups and their members, as a client asks for them."""

from __future__ import annotations

from collections.abc import Iterable

from tinyqq.client.operations import new_operation_id
from tinyqq.client.receiving import Call
from tinyqq.model.group import (
    AnswerJoin,
    CreateGroup,
    DismissGroup,
    GetGroup,
    GroupCreated,
    GroupInfo,
    GroupList,
    Invitation,
    InvitationList,
    InviteMember,
    JoinGroup,
    JoinOutcome,
    JoinPolicy,
    JoinRequest,
    JoinRequestList,
    LeaveGroup,
    ListGroups,
    ListInvitations,
    ListJoinRequests,
    ListMembers,
    Member,
    MemberList,
    RemoveMember,
    Role,
    SetCard,
    SetRole,
    TransferGroup,
    UpdateGroup,
)
from tinyqq.model.ids import GroupId, UserId
from tinyqq.wire.packets import PacketType


class Groups:
    """``me.groups``. Every method raises what the server answers (see ``errors.py``)."""

    def __init__(self, call: Call) -> None:
        self._call = call

    # ---- the groups themselves -------------------------------------------------------------------

    async def list(self) -> tuple[GroupInfo, ...]:
        """The groups that you are in."""
        answer: GroupList = await self._call(PacketType.LIST_GROUPS, ListGroups())
        return answer.groups

    async def get(self, group_id: int) -> GroupInfo:
        """One group, also one that you are not in."""
        answer: GroupInfo = await self._call(PacketType.GET_GROUP, GetGroup(GroupId(group_id)))
        return answer

    async def create(
        self,
        name: str,
        *,
        join_policy: JoinPolicy = JoinPolicy.APPROVAL,
        invite: Iterable[int] = (),
    ) -> GroupId:
        """Make a group, with you as its owner; returns its number."""
        invited = tuple(UserId(one) for one in invite)
        answer: GroupCreated = await self._call(
            PacketType.CREATE_GROUP, CreateGroup(new_operation_id(), name, join_policy, invited)
        )
        return answer.group_id

    async def update(
        self,
        group_id: int,
        *,
        name: str | None = None,
        join_policy: JoinPolicy | None = None,
        announcement: str | None = None,
    ) -> None:
        """Change what is given (admins)."""
        request = UpdateGroup(
            new_operation_id(), GroupId(group_id), name, join_policy, announcement
        )
        await self._call(PacketType.UPDATE_GROUP, request)

    async def transfer(self, group_id: int, user_id: int) -> None:
        """Hand the group to another member (owner)."""
        await self._call(
            PacketType.TRANSFER_GROUP,
            TransferGroup(new_operation_id(), GroupId(group_id), UserId(user_id)),
        )

    async def dismiss(self, group_id: int) -> None:
        """End the group for everybody (owner)."""
        await self._call(
            PacketType.DISMISS_GROUP, DismissGroup(new_operation_id(), GroupId(group_id))
        )

    # ---- coming and going ------------------------------------------------------------------------

    async def join(self, group_id: int, note: str = "") -> bool:
        """Come in; False: an admin must say yes first."""
        answer: JoinOutcome = await self._call(
            PacketType.JOIN_GROUP, JoinGroup(new_operation_id(), GroupId(group_id), note)
        )
        return answer.joined

    async def leave(self, group_id: int) -> None:
        """Leave."""
        await self._call(PacketType.LEAVE_GROUP, LeaveGroup(new_operation_id(), GroupId(group_id)))

    async def invite(self, group_id: int, user_id: int) -> None:
        """Invite somebody."""
        await self._call(
            PacketType.INVITE_MEMBER,
            InviteMember(new_operation_id(), GroupId(group_id), UserId(user_id)),
        )

    async def requests(self, group_id: int) -> tuple[JoinRequest, ...]:
        """Who waits to be let in, or was invited (admins)."""
        answer: JoinRequestList = await self._call(
            PacketType.LIST_JOIN_REQUESTS, ListJoinRequests(GroupId(group_id))
        )
        return answer.requests

    async def invitations(self) -> tuple[Invitation, ...]:
        """Where you were invited and have not answered yet, the latest first. :meth:`join` accepts,
        :meth:`answer` with your own number does either."""
        answer: InvitationList = await self._call(PacketType.LIST_INVITATIONS, ListInvitations())
        return answer.invitations

    async def answer(self, group_id: int, user_id: int, *, accept: bool) -> None:
        """Answer a request to join (admins), or, with your own number, an invitation."""
        await self._call(
            PacketType.ANSWER_JOIN,
            AnswerJoin(new_operation_id(), GroupId(group_id), UserId(user_id), accept),
        )

    # ---- members ---------------------------------------------------------------------------------

    async def members(self, group_id: int) -> tuple[Member, ...]:
        """All members, by number."""
        found: tuple[Member, ...] = ()
        after = UserId(0)
        while True:
            page: MemberList = await self._call(
                PacketType.LIST_MEMBERS, ListMembers(GroupId(group_id), after)
            )
            found += page.members
            if not page.more or not page.members:
                return found
            after = page.members[-1].user_id

    async def remove(self, group_id: int, user_id: int) -> None:
        """Remove a member of lower rank."""
        await self._call(
            PacketType.REMOVE_MEMBER,
            RemoveMember(new_operation_id(), GroupId(group_id), UserId(user_id)),
        )

    async def set_role(self, group_id: int, user_id: int, role: Role) -> None:
        """Make a member an admin, or an admin a member (owner)."""
        await self._call(
            PacketType.SET_ROLE,
            SetRole(new_operation_id(), GroupId(group_id), UserId(user_id), role),
        )

    async def set_card(self, group_id: int, card: str) -> None:
        """The name under which the group sees you; empty: your nickname."""
        await self._call(PacketType.SET_CARD, SetCard(new_operation_id(), GroupId(group_id), card))
