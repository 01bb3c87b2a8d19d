"""What proves who somebody is: passwords and recovery codes, checked and changed in one place."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from typing import Final

from tinyqq.errors import ErrorCode, Unauthenticated, Unavailable
from tinyqq.model.account import MAX_PASSWORD_CHARS, Account, check_password
from tinyqq.model.ids import UserId
from tinyqq.ports.storage import AccountStore
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.throttle import Throttle

logger = logging.getLogger(__name__)

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it looks like something else."""
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_CODE_GROUPS: Final = 4
_GROUP_CHARS: Final = 5


class Credentials:
    """Checks and sets what accounts log in with."""

    def __init__(
        self, *, accounts: AccountStore, passwords: PasswordPool, throttle: Throttle
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._throttle = throttle

    async def check(self, user_id: UserId, password: str, *, address: str = "") -> Account:
        """The account, if the password is its own.

        Args:
            address: where the attempt comes from; empty for a user who is logged in already.

        Raises:
            Unauthenticated: BAD_CREDENTIALS, in the same words and after the same work for a wrong
                password, an unknown or deleted account and one without a password;
                ACCOUNT_DISABLED only to who knows the password.
            RateLimited: TOO_MANY_LOG_INS.
            Unavailable: BUSY.
        """
        self._throttle.take_log_in(user_id, address)
        try:
            account = await self._accounts.find_account(user_id)
            stored = None if account is None or account.deleted_at_ms else account.password_hash
            # A longer one can't have been set, and is not worth hashing.
            is_right = await self._passwords.verify(
                stored if len(password) <= MAX_PASSWORD_CHARS else None,
                password[:MAX_PASSWORD_CHARS],
            )
        except Unavailable:
            self._throttle.forgive_log_in(user_id)
            raise
        if account is None or not is_right:
            raise Unauthenticated(ErrorCode.BAD_CREDENTIALS)
        self._throttle.forgive_log_in(user_id)
        return _usable(account)

    async def check_recovery_code(self, user_id: UserId, code: str, *, address: str) -> Account:
        """The account, if the recovery code is its own.

        Raises:
            Unauthenticated: BAD_RECOVERY_CODE, also for an unknown account; ACCOUNT_DISABLED only
                to who has the code.
            RateLimited: TOO_MANY_LOG_INS.
        """
        self._throttle.take_log_in(user_id, address)
        account = await self._accounts.find_account(user_id)
        stored = "" if account is None or account.deleted_at_ms else account.recovery_hash
        is_right = hmac.compare_digest(stored, recovery_hash(code))
        if account is None or not is_right:
            raise Unauthenticated(ErrorCode.BAD_RECOVERY_CODE)
        self._throttle.forgive_log_in(user_id)
        return _usable(account)

    async def hash_new(self, password: str, *, user_id: UserId | None = None) -> str:
        """The hash of a password that is to be set.

        Raises:
            InvalidRequest: WEAK_PASSWORD.
            Unavailable: BUSY.
        """
        check_password(password, user_id=user_id)
        return await self._passwords.hash(password)

    async def is_password(self, account: Account, password: str) -> bool:
        """Whether the password is this account's; the caller bounds how often it may ask."""
        return await self._passwords.verify(account.password_hash, password)

    async def rehash(self, account: Account, password: str) -> str | None:
        """The hash of the right *password* at today's cost; None: the stored one will do.

        A busy pool is no reason to refuse a log-in: the next one is as good.
        """
        if not self._passwords.needs_rehash(account.password_hash):
            return None
        try:
            return await self._passwords.hash(password)
        except Unavailable:
            logger.info("password.rehash_postponed", extra={"user_id": account.user_id})
            return None


def _usable(account: Account) -> Account:
    if account.is_disabled:
        raise Unauthenticated(ErrorCode.ACCOUNT_DISABLED)
    return account


def new_recovery_code() -> str:
    """A one-time code of 100 random bits, such as ``7QX2M-0ZK4D-HWB9C-1N8TR``."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_CODE_GROUPS)
    )


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code, however it was typed. Plain SHA-256: 100 random bits need
    no slow hash."""
    plain = code.upper().translate(_LOOKALIKES)
    return hashlib.sha256(plain.encode()).hexdigest()
