"""Who asks over HTTP: the user whose access token comes with the request."""

from __future__ import annotations

from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.model.account import Caller, DeviceKind
from tinyqq.model.ids import SessionId
from tinyqq.ports.storage import AccountStore
from tinyqq.services.tokens import AccessTokens

_NO_SESSION: Final = SessionId(0)


class AccessBearers:
    """Implements :class:`tinyqq.ports.media.Bearers`, wherever the role user is: every node has the
    key and the accounts."""

    def __init__(self, *, accounts: AccountStore, tokens: AccessTokens, clock: Clock) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._clock = clock

    async def caller_of(self, token: str) -> Caller:
        """Who that is; see the port for what it raises."""
        claims = self._tokens.read(token, now_ms=self._clock.now_ms())
        device = await self._accounts.find_device(claims.user_id, claims.device_id)
        if device is None or device.created_at_ms != claims.generation:
            raise Unauthenticated(ErrorCode.DEVICE_REVOKED)
        account = await self._accounts.find_account(claims.user_id)
        if account is None or account.deleted_at_ms:
            raise Unauthenticated(ErrorCode.DEVICE_REVOKED)
        if account.is_disabled:
            raise Unauthenticated(ErrorCode.ACCOUNT_DISABLED)
        if account.must_change_password:
            raise Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)
        is_bot = device.kind is DeviceKind.BOT
        return Caller(claims.user_id, claims.device_id, _NO_SESSION, is_bot)
