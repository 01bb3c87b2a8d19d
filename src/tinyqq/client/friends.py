"""Friends, requests and blocks, as a client asks for them."""

from __future__ import annotations

from tinyqq.client.operations import new_operation_id
from tinyqq.client.receiving import Call
from tinyqq.errors import Conflict, ErrorCode
from tinyqq.model.friend import (
    AnswerFriend,
    Contact,
    ContactList,
    DeleteFriend,
    ListContacts,
    RequestFriend,
    SetBlocked,
    SetRemark,
)
from tinyqq.model.ids import UserId
from tinyqq.wire.packets import PacketType


class Friends:
    """``me.friends``. Every method raises what the server answers (see ``errors.py``)."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def list(self) -> tuple[Contact, ...]:
        """Everybody: friends, open requests both ways, blocked users; with presence."""
        answer: ContactList = await self._call(PacketType.LIST_CONTACTS, ListContacts())
        return answer.contacts

    async def request(self, user_id: int, note: str = "") -> None:
        """Ask for friendship; when the other has asked already, you are friends now."""
        await self._call(
            PacketType.REQUEST_FRIEND, RequestFriend(new_operation_id(), UserId(user_id), note)
        )

    async def accept(self, user_id: int) -> None:
        """Accept a request; fine when you are friends already (a request is told of in your own
        conversation and in that with the other, so programs see it twice)."""
        try:
            await self._answer(user_id, accept=True)
        except Conflict as exc:
            if exc.code is not ErrorCode.ALREADY_FRIENDS:
                raise

    async def decline(self, user_id: int) -> None:
        """Decline a request; the other is not told."""
        await self._answer(user_id, accept=False)

    async def delete(self, user_id: int) -> None:
        """End a friendship, for both."""
        await self._call(
            PacketType.DELETE_FRIEND, DeleteFriend(new_operation_id(), UserId(user_id))
        )

    async def block(self, user_id: int) -> None:
        """Take no messages and requests from this user."""
        await self._set_blocked(user_id, blocked=True)

    async def unblock(self, user_id: int) -> None:
        """Take them again."""
        await self._set_blocked(user_id, blocked=False)

    async def remark(self, user_id: int, remark: str) -> None:
        """Name a contact for oneself; an empty remark: the nickname again."""
        await self._call(PacketType.SET_REMARK, SetRemark(UserId(user_id), remark))

    async def _answer(self, user_id: int, *, accept: bool) -> None:
        await self._call(
            PacketType.ANSWER_FRIEND, AnswerFriend(new_operation_id(), UserId(user_id), accept)
        )

    async def _set_blocked(self, user_id: int, *, blocked: bool) -> None:
        await self._call(
            PacketType.SET_BLOCKED, SetBlocked(new_operation_id(), UserId(user_id), blocked)
        )
