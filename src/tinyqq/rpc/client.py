"""The business roles of other nodes, as every caller sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tinyqq._pb import node_pb2 as pb
from tinyqq.model import account, friend, group, message, sync
from tinyqq.model.account import Caller
from tinyqq.model.ids import SessionId
from tinyqq.ports.services import Login, Send
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.mapping import SEEN, caller_to, login_from
from tinyqq.wire.packets import PacketType, decode_reply, encode

CallNode = Callable[[str, pb.CallRequest], Awaitable[pb.CallReply]]
"""(role, request): picks a node that has the role, and asks it."""
_Reply = TypeVar("_Reply")


class _Role:
    """Args:
    call: asks a node of the role.
    """

    _name: str

    def __init__(self, *, call: CallNode) -> None:
        self._call = call

    async def _tell(self, number: PacketType, caller: Caller, request: object) -> None:
        """Ask for something that has no reply."""
        await self._call(
            self._name,
            pb.CallRequest(type=number, body=encode(request), caller=caller_to(caller)),
        )

    async def _ask(
        self, number: PacketType, caller: Caller, request: object, wanted: type[_Reply]
    ) -> _Reply:
        """Ask for a record."""
        reply = await self._call(
            self._name,
            pb.CallRequest(type=number, body=encode(request), caller=caller_to(caller)),
        )
        return _record(number, reply, wanted)


class RemoteUsers(_Role):
    """Implements :class:`tinyqq.ports.services.UserApi`."""

    _name = "user"

    async def register(self, request: account.Register, *, address: str) -> account.Registered:
        reply = await self._enter(PacketType.REGISTER, request, pb.Entrance(address=address))
        return _record(PacketType.REGISTER, reply, account.Registered)

    async def log_in(
        self, request: account.LogIn, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        entrance = pb.Entrance(address=address, session_id=session_id, language=language)
        return login_from(await self._enter(PacketType.LOG_IN, request, entrance))

    async def resume(
        self, request: account.Resume, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        entrance = pb.Entrance(address=address, session_id=session_id, language=language)
        return login_from(await self._enter(PacketType.RESUME, request, entrance))

    async def recover_password(
        self, request: account.RecoverPassword, *, address: str
    ) -> account.Recovered:
        entrance = pb.Entrance(address=address)
        reply = await self._enter(PacketType.RECOVER_PASSWORD, request, entrance)
        return _record(PacketType.RECOVER_PASSWORD, reply, account.Recovered)

    async def log_out(self, caller: Caller, request: account.LogOut) -> None:
        await self._tell(PacketType.LOG_OUT, caller, request)

    async def seen(self, caller: Caller) -> None:
        await self._call(self._name, pb.CallRequest(type=SEEN, caller=caller_to(caller)))

    async def change_password(self, caller: Caller, request: account.ChangePassword) -> None:
        await self._tell(PacketType.CHANGE_PASSWORD, caller, request)

    async def delete_account(self, caller: Caller, request: account.DeleteAccount) -> None:
        await self._tell(PacketType.DELETE_ACCOUNT, caller, request)

    async def list_devices(
        self, caller: Caller, request: account.ListDevices
    ) -> account.DeviceList:
        return await self._ask(PacketType.LIST_DEVICES, caller, request, account.DeviceList)

    async def revoke_device(self, caller: Caller, request: account.RevokeDevice) -> None:
        await self._tell(PacketType.REVOKE_DEVICE, caller, request)

    async def get_profile(self, caller: Caller, request: account.GetProfile) -> account.Profile:
        return await self._ask(PacketType.GET_PROFILE, caller, request, account.Profile)

    async def update_profile(
        self, caller: Caller, request: account.UpdateProfile
    ) -> account.Profile:
        return await self._ask(PacketType.UPDATE_PROFILE, caller, request, account.Profile)

    async def search_users(
        self, caller: Caller, request: account.SearchUsers
    ) -> account.ProfileList:
        return await self._ask(PacketType.SEARCH_USERS, caller, request, account.ProfileList)

    async def _enter(
        self, number: PacketType, request: object, entrance: pb.Entrance
    ) -> pb.CallReply:
        return await self._call(
            self._name, pb.CallRequest(type=number, body=encode(request), entrance=entrance)
        )


class RemoteFriends(_Role):
    """Implements :class:`tinyqq.ports.services.FriendApi`."""

    _name = "friend"

    async def request_friend(self, caller: Caller, request: friend.RequestFriend) -> None:
        await self._tell(PacketType.REQUEST_FRIEND, caller, request)

    async def answer_friend(self, caller: Caller, request: friend.AnswerFriend) -> None:
        await self._tell(PacketType.ANSWER_FRIEND, caller, request)

    async def delete_friend(self, caller: Caller, request: friend.DeleteFriend) -> None:
        await self._tell(PacketType.DELETE_FRIEND, caller, request)

    async def set_blocked(self, caller: Caller, request: friend.SetBlocked) -> None:
        await self._tell(PacketType.SET_BLOCKED, caller, request)

    async def set_remark(self, caller: Caller, request: friend.SetRemark) -> None:
        await self._tell(PacketType.SET_REMARK, caller, request)

    async def list_contacts(
        self, caller: Caller, request: friend.ListContacts
    ) -> friend.ContactList:
        return await self._ask(PacketType.LIST_CONTACTS, caller, request, friend.ContactList)


class RemoteGroups(_Role):
    """Implements :class:`tinyqq.ports.services.GroupApi`."""

    _name = "group"

    async def create_group(self, caller: Caller, request: group.CreateGroup) -> group.GroupCreated:
        return await self._ask(PacketType.CREATE_GROUP, caller, request, group.GroupCreated)

    async def join_group(self, caller: Caller, request: group.JoinGroup) -> group.JoinOutcome:
        return await self._ask(PacketType.JOIN_GROUP, caller, request, group.JoinOutcome)

    async def answer_join(self, caller: Caller, request: group.AnswerJoin) -> None:
        await self._tell(PacketType.ANSWER_JOIN, caller, request)

    async def invite_member(self, caller: Caller, request: group.InviteMember) -> None:
        await self._tell(PacketType.INVITE_MEMBER, caller, request)

    async def leave_group(self, caller: Caller, request: group.LeaveGroup) -> None:
        await self._tell(PacketType.LEAVE_GROUP, caller, request)

    async def remove_member(self, caller: Caller, request: group.RemoveMember) -> None:
        await self._tell(PacketType.REMOVE_MEMBER, caller, request)

    async def set_role(self, caller: Caller, request: group.SetRole) -> None:
        await self._tell(PacketType.SET_ROLE, caller, request)

    async def transfer_group(self, caller: Caller, request: group.TransferGroup) -> None:
        await self._tell(PacketType.TRANSFER_GROUP, caller, request)

    async def dismiss_group(self, caller: Caller, request: group.DismissGroup) -> None:
        await self._tell(PacketType.DISMISS_GROUP, caller, request)

    async def update_group(self, caller: Caller, request: group.UpdateGroup) -> None:
        await self._tell(PacketType.UPDATE_GROUP, caller, request)

    async def set_card(self, caller: Caller, request: group.SetCard) -> None:
        await self._tell(PacketType.SET_CARD, caller, request)

    async def get_group(self, caller: Caller, request: group.GetGroup) -> group.GroupInfo:
        return await self._ask(PacketType.GET_GROUP, caller, request, group.GroupInfo)

    async def list_groups(self, caller: Caller, request: group.ListGroups) -> group.GroupList:
        return await self._ask(PacketType.LIST_GROUPS, caller, request, group.GroupList)

    async def list_members(self, caller: Caller, request: group.ListMembers) -> group.MemberList:
        return await self._ask(PacketType.LIST_MEMBERS, caller, request, group.MemberList)

    async def list_join_requests(
        self, caller: Caller, request: group.ListJoinRequests
    ) -> group.JoinRequestList:
        return await self._ask(
            PacketType.LIST_JOIN_REQUESTS, caller, request, group.JoinRequestList
        )

    async def list_invitations(
        self, caller: Caller, request: group.ListInvitations
    ) -> group.InvitationList:
        return await self._ask(PacketType.LIST_INVITATIONS, caller, request, group.InvitationList)


class RemoteChat(_Role):
    """Implements :class:`tinyqq.ports.services.ChatApi`.

    Args:
        send: hands a send to the stream of the node that has its conversation.
    """

    _name = "chat"

    def __init__(self, *, call: CallNode, send: Callable[[Send], None]) -> None:
        super().__init__(call=call)
        self._send = send

    def send(self, send: Send) -> None:
        self._send(send)

    async def recall(self, caller: Caller, request: message.Recall) -> None:
        await self._tell(PacketType.RECALL, caller, request)


class RemoteOffline(_Role):
    """Implements :class:`tinyqq.ports.services.OfflineApi`.

    Args:
        note: puts a request that nobody waits for on its way; may drop it.
    """

    _name = "offline"

    def __init__(self, *, call: CallNode, note: Callable[[str, Note], None]) -> None:
        super().__init__(call=call)
        self._note = note

    async def get_overview(self, caller: Caller, request: sync.GetOverview) -> sync.Overview:
        return await self._ask(PacketType.GET_OVERVIEW, caller, request, sync.Overview)

    async def get_page(self, caller: Caller, request: sync.Sync) -> sync.Page:
        return await self._ask(PacketType.SYNC, caller, request, sync.Page)

    async def get_history(self, caller: Caller, request: sync.GetHistory) -> sync.History:
        return await self._ask(PacketType.GET_HISTORY, caller, request, sync.History)

    def mark(self, caller: Caller, request: message.Mark) -> None:
        self._note(self._name, Note(PacketType.MARK, caller, request))

    def mark_many(self, caller: Caller, request: message.MarkMany) -> None:
        self._note(self._name, Note(PacketType.MARK_MANY, caller, request))

    def typing(self, caller: Caller, request: message.Typing) -> None:
        self._note(self._name, Note(PacketType.TYPING, caller, request))


def _record(number: PacketType, reply: pb.CallReply, wanted: type[_Reply]) -> _Reply:
    record = decode_reply(number, reply.body)
    assert isinstance(record, wanted), (number, type(record))
    return record
