"""Tokens that stand for a log-in: short-lived signed ones, and lasting opaque ones.

An access token is checked without asking who issued it, so it ends soon; a refresh token is a
random number of which only the SHA-256 is stored. Both are good for one device of one account.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

import jwt

from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.ports.storage import AccountStore

ACCESS_LIFETIME_S: Final = 15 * 60
_KEY_BYTES: Final = 32
_REFRESH_BYTES: Final = 32
_ALGORITHM: Final = "HS256"
_SECRET_NAME: Final = "access-token-key"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a genuine access token says.

    ``generation``: the time in milliseconds at which the device logged in by password; a later
    log-in of the same device makes tokens of an earlier one worthless.
    """

    user_id: UserId
    device_id: DeviceId
    generation: int


class AccessTokens:
    """Signs access tokens and reads them back.

    Args:
        key: the cluster's secret, 32 bytes.
        lifetime_s: how long a token is good.
    """

    def __init__(self, *, key: bytes, lifetime_s: int = ACCESS_LIFETIME_S) -> None:
        self._key = key
        self._lifetime_s = lifetime_s

    def issue(self, claims: AccessClaims, *, now_ms: int) -> tuple[str, int]:
        """A token for these claims, and the time in milliseconds at which it ends."""
        now_s = now_ms // 1000
        token = jwt.encode(
            {
                "sub": str(claims.user_id),
                "did": claims.device_id.hex(),
                "gen": claims.generation,
                "iat": now_s,
                "exp": now_s + self._lifetime_s,
            },
            self._key,
            algorithm=_ALGORITHM,
        )
        return token, (now_s + self._lifetime_s) * 1000

    def read(self, token: str, *, now_ms: int) -> AccessClaims:
        """What the token says.

        Raises:
            Unauthenticated: TOKEN_INVALID when we did not sign it, TOKEN_EXPIRED when its time is
                over.
        """
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                # The library would ask the machine's clock; ours is handed in.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]},
            )
            claims = AccessClaims(
                UserId(int(payload["sub"])),
                DeviceId(bytes.fromhex(payload["did"])),
                int(payload["gen"]),
            )
            expires_at_s = int(payload["exp"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as exc:
            raise Unauthenticated(ErrorCode.TOKEN_INVALID) from exc
        if now_ms >= expires_at_s * 1000:
            raise Unauthenticated(ErrorCode.TOKEN_EXPIRED)
        return claims


async def open_access_tokens(
    accounts: AccountStore, *, lifetime_s: int = ACCESS_LIFETIME_S
) -> AccessTokens:
    """Access tokens under the key that all nodes share; the first node ever makes it."""
    key = await accounts.get_secret(_SECRET_NAME, secrets.token_bytes(_KEY_BYTES))
    return AccessTokens(key=key, lifetime_s=lifetime_s)


def new_refresh_token() -> tuple[str, bytes]:
    """A fresh refresh token, and the hash to store."""
    token = urlsafe_b64encode(secrets.token_bytes(_REFRESH_BYTES)).rstrip(b"=").decode()
    return token, refresh_hash(token)


def refresh_hash(token: str) -> bytes:
    """What is stored of a refresh token. Plain SHA-256: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def is_access_token(token: str) -> bool:
    """Which of the two a token is: only the signed ones have dots."""
    return "." in token
