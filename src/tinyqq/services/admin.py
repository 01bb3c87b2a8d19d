"""What an operator does with accounts: from the command line, for the demo and for load tests.

No rights are checked here: whoever can call this has the database.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, NotFound
from tinyqq.model.account import (
    MAX_DEVICE_NAME_CHARS,
    Account,
    Device,
    DeviceKind,
    KickReason,
    check_line,
    check_nickname,
    check_password,
)
from tinyqq.model.ids import OPERATION_ID_BYTES, DeviceId, OperationId, UserId
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.storage import AccountStore
from tinyqq.services.devices import Devices
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.tokens import new_refresh_token

_MINT_BATCH: Final = 1_000
_LIST_BATCH: Final = 500
_PASSWORD_BYTES: Final = 9


@dataclass(frozen=True, slots=True)
class Minted:
    """An account that can log in by token: resume with this token as this device."""

    user_id: UserId
    device_id: DeviceId
    token: str


class AccountAdmin:
    """Makes and changes accounts directly.

    Args:
        delivery: told to end sessions; from a process without units nobody hears it, and a running
            server finds out at the next resume.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        passwords: PasswordPool,
        delivery: Delivery,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._devices = Devices(accounts=accounts, delivery=delivery)

    async def create_account(
        self,
        *,
        nickname: str,
        password: str = "",
        is_bot: bool = False,
        is_admin: bool = False,
        must_change_password: bool = False,
    ) -> Account:
        """Make an account; without a password it can log in by token only.

        Raises:
            InvalidRequest: BAD_NICKNAME, WEAK_PASSWORD.
        """
        account = Account(
            user_id=UserId(0),
            nickname=check_nickname(nickname),
            password_hash=await self._hash(password) if password else "",
            is_bot=is_bot,
            is_admin=is_admin,
            must_change_password=must_change_password,
            # Bots need no welcome, nor does who has no password to log in with.
            is_welcomed=is_bot,
            created_at_ms=self._clock.now_ms(),
        )
        user_id = UserId(await self._accounts.take_numbers("user", 1))
        return await self._accounts.create_account(
            replace(account, user_id=user_id), OperationId(secrets.token_bytes(OPERATION_ID_BYTES))
        )

    async def set_password(
        self, user_id: UserId, password: str, *, must_change: bool = True
    ) -> None:
        """Set a password and log out every device.

        Args:
            must_change: the user must choose another one before anything else.

        Raises:
            InvalidRequest: WEAK_PASSWORD.
            NotFound: USER_NOT_FOUND.
        """
        await self._get(user_id)
        password_hash = await self._hash(password)
        await self._accounts.update_account(
            user_id, password_hash=password_hash, must_change_password=must_change
        )
        await self._devices.end_all(user_id, KickReason.PASSWORD_CHANGED)

    async def reset_password(self, user_id: UserId) -> str:
        """Set a password of chance, which must be changed; returns it.

        Raises:
            NotFound: USER_NOT_FOUND.
        """
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        await self.set_password(user_id, password)
        return password

    async def set_disabled(self, user_id: UserId, disabled: bool) -> None:
        """Shut an account out, or let it in again. Its tokens are gone for good, a bot's too.

        Raises:
            NotFound: USER_NOT_FOUND.
        """
        await self._get(user_id)
        await self._accounts.update_account(user_id, is_disabled=disabled)
        if disabled:
            await self._devices.end_all(user_id, KickReason.ACCOUNT_DISABLED)

    async def log_out(self, user_id: UserId) -> None:
        """Log out every device; its tokens are gone for good, a bot's too.

        Raises:
            NotFound: USER_NOT_FOUND.
        """
        await self._get(user_id)
        await self._devices.end_all(user_id, KickReason.REVOKED)

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        """The devices of an account, the most recently seen first.

        Raises:
            NotFound: USER_NOT_FOUND.
        """
        await self._get(user_id)
        return await self._accounts.list_devices(user_id)

    async def find_users(self, query: str, after: UserId, limit: int) -> tuple[Account, ...]:
        """A page of accounts by number, also disabled ones, but not deleted ones."""
        found: list[Account] = []
        while len(found) < limit:
            page = await self._accounts.list_accounts(after, limit, query)
            found += [one for one in page if not one.deleted_at_ms]
            if len(page) < limit:
                break
            after = page[-1].user_id
        return tuple(found[:limit])

    async def iter_accounts(self) -> AsyncIterator[Account]:
        """All accounts by number, also disabled and deleted ones."""
        after = UserId(0)
        while accounts := await self._accounts.list_accounts(after, _LIST_BATCH):
            for account in accounts:
                yield account
            after = accounts[-1].user_id

    async def mint_bot_token(self, user_id: UserId, *, name: str = "") -> str:
        """A token for a bot; it does not run out, and its device is in the bot's list.

        Raises:
            NotFound: USER_NOT_FOUND.
            Conflict: the account is a person's.
        """
        account = await self._get(user_id)
        if not account.is_bot:
            raise Conflict(ErrorCode.CONFLICT, user_id=user_id, reason="not a bot")
        device_name = check_line(
            name, MAX_DEVICE_NAME_CHARS, ErrorCode.INVALID_REQUEST, may_be_empty=True
        )
        device, minted = self._new_device(user_id, DeviceKind.BOT, device_name)
        await self._devices.put(device)
        return minted.token

    async def mint_accounts(
        self, count: int, *, nickname: str = "load", kind: DeviceKind = DeviceKind.CLI
    ) -> tuple[Minted, ...]:
        """Many accounts with one device each and no password; for load tests.

        Args:
            nickname: prefix of the nicknames; the number follows.
        """
        first = await self._accounts.take_numbers("user", count)
        minted: list[Minted] = []
        for start in range(first, first + count, _MINT_BATCH):
            numbers = range(start, min(start + _MINT_BATCH, first + count))
            accounts = [
                Account(
                    UserId(number),
                    nickname=f"{nickname}{number}",
                    password_hash="",
                    is_welcomed=True,
                    created_at_ms=self._clock.now_ms(),
                )
                for number in numbers
            ]
            devices = [self._new_device(UserId(number), kind, nickname) for number in numbers]
            await self._accounts.create_accounts(accounts, [device for device, _ in devices])
            minted += [one for _, one in devices]
        return tuple(minted)

    def _new_device(self, user_id: UserId, kind: DeviceKind, name: str) -> tuple[Device, Minted]:
        device_id = DeviceId(secrets.token_bytes(16))
        token, token_hash = new_refresh_token()
        now_ms = self._clock.now_ms()
        device = Device(user_id, device_id, kind, name, token_hash, now_ms, now_ms)
        return device, Minted(user_id, device_id, token)

    async def _hash(self, password: str) -> str:
        check_password(password)
        return await self._passwords.hash(password)

    async def _get(self, user_id: UserId) -> Account:
        account = await self._accounts.find_account(user_id)
        if account is None or account.deleted_at_ms:
            raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=user_id)
        return account
