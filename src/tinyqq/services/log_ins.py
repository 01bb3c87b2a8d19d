"""Logging in, by password or by token, and out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unauthenticated
from tinyqq.model.account import (
    MAX_DEVICE_NAME_CHARS,
    Account,
    Caller,
    Device,
    DeviceKind,
    LoggedIn,
    LogIn,
    Resume,
    check_line,
)
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.ports.services import Login
from tinyqq.ports.storage import ACCOUNT_DEVICE, AccountChanges, AccountStore, Seen
from tinyqq.services.credentials import Credentials
from tinyqq.services.devices import Devices
from tinyqq.services.tokens import (
    AccessClaims,
    AccessTokens,
    is_access_token,
    new_refresh_token,
    refresh_hash,
)

logger = logging.getLogger(__name__)

REFRESH_LIFETIME_S: Final = 90 * 24 * 3600
_TOUCH_AFTER_MS: Final = 3600 * 1000
"""A reconnecting device's last-seen time is written at most this often."""

_WELCOME_TIMEOUT_S: Final = 5.0

Welcome = Callable[[UserId, str], Awaitable[None]]
"""Makes a newcomer at home, in a language; may be repeated."""


class LogIns:
    """Opens sessions for who can prove who they are.

    Args:
        welcome: called for accounts that were not welcomed yet; None: nobody welcomes.
        refresh_lifetime_s: how long a device that does not come back may still log in by token;
            bots: for ever.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        credentials: Credentials,
        devices: Devices,
        tokens: AccessTokens,
        clock: Clock,
        welcome: Welcome | None,
        refresh_lifetime_s: int = REFRESH_LIFETIME_S,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._devices = devices
        self._tokens = tokens
        self._clock = clock
        self._welcome = welcome
        self._refresh_lifetime_ms = refresh_lifetime_s * 1000
        self._seen: dict[tuple[UserId, DeviceId], int] = {}
        self._noting_seen = asyncio.Lock()

    async def log_in(
        self, request: LogIn, *, address: str, session_id: SessionId, language: str
    ) -> Login:
        """Check the password, and give the device its tokens."""
        name = _check_device(request)
        account = await self._credentials.check(request.user_id, request.password, address=address)
        new_hash = await self._credentials.rehash(account, request.password)
        token, token_hash = new_refresh_token()
        now_ms = self._clock.now_ms()
        kind = DeviceKind.BOT if account.is_bot else request.device_kind
        device = Device(account.user_id, request.device_id, kind, name, token_hash, now_ms, now_ms)
        await self._devices.put(device)
        await self._confirm(account, device, new_hash)
        await self._greet(account, language)
        return self._open(account, device, session_id, language, refresh_token=token)

    async def resume(self, request: Resume, *, session_id: SessionId, language: str) -> Login:
        """Check the token and what became of its device and account since."""
        now_ms = self._clock.now_ms()
        if is_access_token(request.token):
            device = await self._device_of_access(request.token, now_ms)
        else:
            device = await self._device_of_refresh(request.token, now_ms)
        # A bot's token is all that its owner was given, so it brings its device along.
        if device.kind != DeviceKind.BOT and device.device_id != request.device_id:
            raise Unauthenticated(ErrorCode.TOKEN_INVALID)
        account = await self._accounts.find_account(device.user_id)
        if account is None or account.deleted_at_ms:
            raise Unauthenticated(ErrorCode.DEVICE_REVOKED)
        if account.is_disabled:
            raise Unauthenticated(ErrorCode.ACCOUNT_DISABLED)
        if now_ms - device.last_seen_at_ms >= _TOUCH_AFTER_MS:
            await self._note_seen(device.user_id, device.device_id)
        await self._greet(account, language)
        return self._open(account, device, session_id, language)

    async def seen(self, caller: Caller) -> None:
        """Note when the user and the device were last here."""
        await self._note_seen(caller.user_id, caller.device_id)

    async def _note_seen(self, user_id: UserId, device_id: DeviceId) -> None:
        """Who comes while a write is under way waits for the next one, which takes them all: a
        thousand connections that break at once must not queue up before messages."""
        self._seen[user_id, device_id] = self._clock.now_ms()
        async with self._noting_seen:
            seen, self._seen = self._seen, {}
            if seen:
                await self._accounts.note_seen([Seen(*who, at) for who, at in seen.items()])

    async def _greet(self, account: Account, language: str) -> None:
        """Welcome a newcomer. A welcome that fails is tried again at the next log-in."""
        if self._welcome is None or account.is_welcomed or account.is_bot:
            return
        try:
            async with asyncio.timeout(_WELCOME_TIMEOUT_S):
                await self._welcome(account.user_id, language)
                await self._accounts.update_account(account.user_id, is_welcomed=True)
        except (TinyQQError, TimeoutError) as exc:
            logger.warning(
                "account.welcome_failed",
                extra={"user_id": account.user_id, "reason": repr(exc)},
            )

    async def _confirm(self, account: Account, device: Device, new_hash: str | None) -> None:
        """Whoever changes the password or disables the account does so first and deletes the
        devices then. So a device stored in between is either deleted there or found out here."""
        fresh = await self._accounts.find_account(account.user_id)
        if fresh is None or not fresh.is_usable or fresh.password_hash != account.password_hash:
            await self._accounts.delete_devices(account.user_id, only=device.device_id)
            raise Unauthenticated(ErrorCode.BAD_CREDENTIALS)
        if new_hash is not None:
            await self._accounts.update_account(
                account.user_id, **AccountChanges(password_hash=new_hash)
            )

    async def _device_of_access(self, token: str, now_ms: int) -> Device:
        claims = self._tokens.read(token, now_ms=now_ms)
        device = await self._accounts.find_device(claims.user_id, claims.device_id)
        if device is None or device.created_at_ms != claims.generation:
            raise Unauthenticated(ErrorCode.DEVICE_REVOKED)
        return device

    async def _device_of_refresh(self, token: str, now_ms: int) -> Device:
        device = await self._accounts.find_device_by_refresh(refresh_hash(token))
        if device is None:
            raise Unauthenticated(ErrorCode.TOKEN_INVALID)
        idle_ms = now_ms - device.last_seen_at_ms
        if idle_ms >= self._refresh_lifetime_ms and device.kind != DeviceKind.BOT:
            raise Unauthenticated(ErrorCode.TOKEN_EXPIRED)
        return device

    def _open(
        self,
        account: Account,
        device: Device,
        session_id: SessionId,
        language: str,
        *,
        refresh_token: str = "",
    ) -> Login:
        claims = AccessClaims(account.user_id, device.device_id, device.created_at_ms)
        access_token, expires_at_ms = self._tokens.issue(claims, now_ms=self._clock.now_ms())
        answer = LoggedIn(
            user_id=account.user_id,
            access_token=access_token,
            access_expires_at_ms=expires_at_ms,
            refresh_token=refresh_token,
            nickname=account.nickname,
            must_change_password=account.must_change_password,
            session_id=session_id,
        )
        caller = Caller(account.user_id, device.device_id, session_id, account.is_bot, language)
        return Login(answer, caller, device.kind, device.name)


def _check_device(request: LogIn) -> str:
    """The device's name, as it is stored; a device id that could be the account's is refused."""
    if request.device_id == ACCOUNT_DEVICE:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="device_id")
    return check_line(
        request.device_name,
        MAX_DEVICE_NAME_CHARS,
        ErrorCode.INVALID_REQUEST,
        may_be_empty=True,
    )
