"""Role ``friend``: requests, friendships, blocks, contacts.

The rules are in ``model/friendship.py``; the direct conversation of the two is where they are
applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, NotFound, Unavailable
from tinyqq.model import friend, friendship
from tinyqq.model.account import Account, Caller, check_line
from tinyqq.model.conversation import Rule
from tinyqq.model.friend import Contact, PresenceChanged
from tinyqq.model.ids import (
    FIRST_NUMBER,
    MAX_USER_ID,
    ConversationId,
    OperationId,
    SessionId,
    UserId,
    direct_conversation,
    users_of,
)
from tinyqq.model.message import Entry, Kind
from tinyqq.ports.delivery import Delivery, Hint
from tinyqq.ports.presence import Presence
from tinyqq.ports.storage import AccountStore, ConversationStore
from tinyqq.services.lanes import AnyLane
from tinyqq.services.steps import Step, take, tell

_TOLD_TO_BOTH: Final = frozenset({Kind.FRIEND_REQUESTED, Kind.FRIEND_ADDED, Kind.REQUEST_DECLINED})
"""A removal or a block is told to nobody but the user's own devices."""


class _ChangeRequest(Protocol):
    """What every request to change a relation says."""

    @property
    def operation_id(self) -> OperationId: ...

    @property
    def user_id(self) -> UserId: ...


class FriendService:
    """Implements :class:`tinyqq.ports.services.FriendApi`.

    Args:
        house_accounts: accounts that the server itself speaks for. They have no sessions: they
            count as online, and need no word in their own conversations.
    """

    def __init__(
        self,
        *,
        lane: AnyLane,
        accounts: AccountStore,
        conversations: ConversationStore,
        presence: Presence,
        delivery: Delivery,
        clock: Clock,
        house_accounts: frozenset[UserId] = frozenset(),
    ) -> None:
        self._lane = lane
        self._accounts = accounts
        self._conversations = conversations
        self._presence = presence
        self._delivery = delivery
        self._clock = clock
        self._house_accounts = house_accounts

    # ---- changes ---------------------------------------------------------------------------------

    async def request_friend(self, caller: Caller, request: friend.RequestFriend) -> None:
        """See the port; rules: ``friendship.request``."""
        note = check_line(
            request.note, friend.MAX_NOTE_CHARS, ErrorCode.INVALID_REQUEST, may_be_empty=True
        )
        rule = partial(friendship.request, asker_id=caller.user_id, note=note)
        await self._change(caller.user_id, request, rule, Kind.FRIEND_REQUESTED, Kind.FRIEND_ADDED)

    async def answer_friend(self, caller: Caller, request: friend.AnswerFriend) -> None:
        """See the port; rules: ``friendship.accept``, ``friendship.decline``."""
        decide = friendship.accept if request.accept else friendship.decline
        rule = partial(decide, user_id=caller.user_id)
        kind = Kind.FRIEND_ADDED if request.accept else Kind.REQUEST_DECLINED
        await self._change(caller.user_id, request, rule, kind)

    async def delete_friend(self, caller: Caller, request: friend.DeleteFriend) -> None:
        """See the port; rules: ``friendship.delete``."""
        rule = partial(friendship.delete, user_id=caller.user_id)
        await self._change(caller.user_id, request, rule, Kind.FRIEND_REMOVED)

    async def set_blocked(self, caller: Caller, request: friend.SetBlocked) -> None:
        """See the port; rules: ``friendship.block``, ``friendship.unblock``."""
        decide = friendship.block if request.blocked else friendship.unblock
        rule = partial(decide, user_id=caller.user_id)
        kind = Kind.BLOCKED if request.blocked else Kind.UNBLOCKED
        await self._change(caller.user_id, request, rule, kind)

    async def befriend(self, one: UserId, other: UserId, operation_id: OperationId) -> None:
        """Make two users friends without asking them. For what the server itself arranges.

        Raises:
            NotFound: USER_NOT_FOUND. Conflict: ALREADY_FRIENDS. Unavailable.
        """
        rule = partial(friendship.befriend, user_id=one)
        await self._change(one, friend.RequestFriend(operation_id, other), rule, Kind.FRIEND_ADDED)

    async def set_remark(self, caller: Caller, request: friend.SetRemark) -> None:
        """See the port."""
        remark = check_line(
            request.remark, friend.MAX_REMARK_CHARS, ErrorCode.INVALID_REQUEST, may_be_empty=True
        )
        conversation_id = _conversation_with(caller.user_id, request.user_id)
        await self._conversations.set_remark(caller.user_id, conversation_id, remark)

    async def _change(
        self, user_id: UserId, request: _ChangeRequest, rule: Rule, *kinds: Kind
    ) -> None:
        peer_id = request.user_id
        conversation_id = _conversation_with(user_id, peer_id)
        step = Step(conversation_id, user_id, request.operation_id, rule)
        entry = await take(self._lane, step, kinds)
        told = {user_id, peer_id} if entry.kind in _TOLD_TO_BOTH else {user_id}
        await tell(self._lane, entry, told - self._house_accounts)
        if entry.kind == Kind.FRIEND_ADDED:
            await self._show_presence(entry)

    async def _show_presence(self, entry: Entry) -> None:
        """New friends see at once whether the other is there."""
        one, other = users_of(entry.conversation_id)
        online = await self._online((one, other))
        accounts = await self._accounts.find_accounts((one, other))
        for seen, viewer in ((one, other), (other, one)):
            account = accounts.get(seen)
            last_seen_at_ms = account.last_seen_at_ms if account else 0
            changed = PresenceChanged(seen, seen in online, last_seen_at_ms)
            self._delivery.hint(Hint((viewer,), changed, SessionId(0)))

    # ---- contacts --------------------------------------------------------------------------------

    async def list_contacts(
        self, caller: Caller, request: friend.ListContacts
    ) -> friend.ContactList:
        """See the port."""
        rows = await self._conversations.list_contacts(caller.user_id)
        # Friends and blocked ones are on record whatever has become of them: mostly nobody is left.
        asked = [row.user_id for row in rows if not (row.is_friend or row.is_blocked)]
        accounts = await self._accounts.find_accounts(asked) if asked else {}
        online = await self._online([row.user_id for row in rows if row.is_friend])
        now_ms = self._clock.now_ms()
        contacts = []
        for row in rows:
            contact = _without_expired(row, now_ms)
            if contact.is_friend:
                contact = replace(contact, online=contact.user_id in online)
            else:
                contact = replace(contact, last_seen_at_ms=0)
            if _is_shown(contact, accounts.get(row.user_id)):
                contacts.append(contact)
        return friend.ContactList(tuple(contacts))

    async def _online(self, user_ids: Sequence[UserId]) -> frozenset[UserId]:
        if not user_ids:
            return frozenset()
        try:
            units, _ = await self._presence.locate(user_ids, ())
        except Unavailable:  # a list without its green lights is better than none
            units = {}
        return frozenset(units) | self._house_accounts


def _conversation_with(user_id: UserId, peer_id: UserId) -> ConversationId:
    if user_id == peer_id:
        raise Conflict(ErrorCode.SELF_NOT_ALLOWED, user_id=user_id)
    if not FIRST_NUMBER <= peer_id <= MAX_USER_ID:
        raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=peer_id)
    return direct_conversation(user_id, peer_id)


def _without_expired(contact: Contact, now_ms: int) -> Contact:
    """The contact without requests that nobody can answer any more."""
    received, sent = contact.request_received_at_ms, contact.request_sent_at_ms
    if received and friendship.is_expired(received, now_ms):
        contact = replace(contact, request_received_at_ms=0, note="")
    if sent and friendship.is_expired(sent, now_ms):
        contact = replace(contact, request_sent_at_ms=0)
    return contact


def _is_shown(contact: Contact, account: Account | None) -> bool:
    """A request needs somebody behind it; friends and blocked ones are shown while they are on
    record."""
    if contact.is_friend or contact.is_blocked:
        return True
    is_open = contact.request_received_at_ms > 0 or contact.request_sent_at_ms > 0
    return is_open and account is not None and account.is_usable
