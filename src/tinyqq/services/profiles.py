"""What users see of each other."""

from __future__ import annotations

import contextlib
from typing import Final

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.model.account import (
    MAX_AVATAR_CHARS,
    MAX_NICKNAME_CHARS,
    MAX_SIGNATURE_CHARS,
    Account,
    Caller,
    Profile,
    ProfileChanged,
    ProfileList,
    SearchUsers,
    UpdateProfile,
    check_line,
    check_nickname,
)
from tinyqq.model.friend import ListContacts
from tinyqq.model.ids import MAX_USER_ID, UserId
from tinyqq.ports.delivery import Delivery, Hint
from tinyqq.ports.services import FriendApi
from tinyqq.ports.storage import AccountChanges, AccountStore

MAX_FOUND: Final = 50
_SHOWN: Final = frozenset({"nickname", "avatar"})


class Profiles:
    """Reads, changes and finds profiles.

    Args:
        friends: says who is told of a change.
    """

    def __init__(self, *, accounts: AccountStore, friends: FriendApi, delivery: Delivery) -> None:
        self._accounts = accounts
        self._friends = friends
        self._delivery = delivery

    async def get(self, caller: Caller, user_id: UserId) -> Profile:
        """A user's profile.

        Raises:
            NotFound: USER_NOT_FOUND, also for a deleted account.
        """
        account = await self._accounts.find_account(user_id)
        if account is None or account.deleted_at_ms:
            raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=user_id)
        return _profile(account, caller.user_id)

    async def update(self, caller: Caller, request: UpdateProfile) -> Profile:
        """Change what is not None, and return the whole. Friends and the user's other devices are
        told of another name or picture.

        Raises:
            InvalidRequest: BAD_NICKNAME, TEXT_TOO_LONG (signature, avatar).
        """
        changes = _changes(request)
        if changes:
            await self._accounts.update_account(caller.user_id, **changes)
        profile = await self.get(caller, caller.user_id)
        if _SHOWN & changes.keys():
            with contextlib.suppress(Unavailable):  # whoever is not told reads it with the contacts
                await self._tell(caller, profile)
        return profile

    async def _tell(self, caller: Caller, profile: Profile) -> None:
        contacts = (await self._friends.list_contacts(caller, ListContacts())).contacts
        friends = (one.user_id for one in contacts if one.is_friend)
        record = ProfileChanged(profile.user_id, profile.nickname, profile.avatar)
        self._delivery.hint(Hint((caller.user_id, *friends), record, caller.session_id))

    async def search(self, caller: Caller, request: SearchUsers) -> ProfileList:
        """Whoever has this number, then those whose nickname contains the query, by number.

        Raises:
            InvalidRequest: the query is empty or longer than a nickname can be; PAGE_TOO_LARGE.
        """
        query = check_line(request.query, MAX_NICKNAME_CHARS, ErrorCode.INVALID_REQUEST)
        if request.limit > MAX_FOUND:
            raise InvalidRequest(ErrorCode.PAGE_TOO_LARGE, limit=MAX_FOUND)
        limit = request.limit or MAX_FOUND
        by_number = await self._find_number(query)
        by_name = await self._accounts.search_accounts(query, limit)
        found = {account.user_id: account for account in (*by_number, *by_name)}
        profiles = [_profile(account, caller.user_id) for account in found.values()]
        return ProfileList(tuple(profiles[:limit]))

    async def _find_number(self, query: str) -> tuple[Account, ...]:
        if not (query.isascii() and query.isdecimal() and int(query) <= MAX_USER_ID):
            return ()
        account = await self._accounts.find_account(UserId(int(query)))
        return (account,) if account is not None and account.is_usable else ()


def _changes(request: UpdateProfile) -> AccountChanges:
    changes = AccountChanges()
    if request.nickname is not None:
        changes["nickname"] = check_nickname(request.nickname)
    if request.signature is not None:
        changes["signature"] = check_line(
            request.signature, MAX_SIGNATURE_CHARS, ErrorCode.TEXT_TOO_LONG, may_be_empty=True
        )
    if request.avatar is not None:
        changes["avatar"] = check_line(
            request.avatar, MAX_AVATAR_CHARS, ErrorCode.TEXT_TOO_LONG, may_be_empty=True
        )
    if request.allow_strangers is not None:
        changes["allow_strangers"] = request.allow_strangers
    return changes


def _profile(account: Account, viewer_id: UserId) -> Profile:
    is_own = account.user_id == viewer_id
    return Profile(
        user_id=account.user_id,
        nickname=account.nickname,
        signature=account.signature,
        avatar=account.avatar,
        created_at_ms=account.created_at_ms,
        is_bot=account.is_bot,
        allow_strangers=is_own and account.allow_strangers,
        is_admin=is_own and account.is_admin,
    )
