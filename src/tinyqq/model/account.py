"""Accounts, devices and profiles: the nouns, and what is asked and answered about them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.model.ids import DeviceId, OperationId, SessionId, UserId

MAX_NICKNAME_CHARS: Final = 32
MAX_SIGNATURE_CHARS: Final = 200
MAX_AVATAR_CHARS: Final = 128
MAX_DEVICE_NAME_CHARS: Final = 64
MIN_PASSWORD_CHARS: Final = 8
_JOINER: Final = "\u200d"
"""Joins emoji; every other format character is only good for tricks."""
_NOT_IN_A_LINE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Not Cn: emoji newer than this Python's Unicode are unassigned to it."""
MAX_PASSWORD_CHARS: Final = 128


class DeviceKind(IntEnum):
    """What a device is. One session per kind, unless the unit's policy says otherwise; bots:
    any."""

    UNSPECIFIED = 0
    DESKTOP = 1
    MOBILE = 2
    WEB = 3
    CLI = 4
    BOT = 5


class KickReason(IntEnum):
    """Why a session was ended by the server for good: the client must not come back by itself."""

    UNSPECIFIED = 0
    REPLACED = 1
    REVOKED = 2
    PASSWORD_CHANGED = 3
    ACCOUNT_DISABLED = 4
    ACCOUNT_DELETED = 5
    LOGGED_OUT = 6


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the authenticated user and the session, as every service sees them."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    is_bot: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """Wish for a new account. ``operation_id``: a repeat with the same password gets the same
    one."""

    operation_id: OperationId
    nickname: str
    password: str
    invite_code: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The new account's number, and the code that resets a forgotten password (shown once)."""

    user_id: UserId
    recovery_code: str


@dataclass(frozen=True, slots=True)
class LogIn:
    """Log in by password."""

    user_id: UserId
    password: str
    device_id: DeviceId
    device_kind: DeviceKind
    device_name: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Log in by a token given earlier to the same device."""

    token: str
    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session is open. ``refresh_token`` is empty after :class:`Resume`."""

    user_id: UserId
    access_token: str
    access_expires_at_ms: int
    refresh_token: str
    nickname: str
    must_change_password: bool
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class RecoverPassword:
    """Set a new password with the one-time recovery code."""

    user_id: UserId
    recovery_code: str
    new_password: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The next recovery code; the old one is used up."""

    recovery_code: str


@dataclass(frozen=True, slots=True)
class LogOut:
    """End this session and forget this device's tokens."""


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Change the password; every other device is logged out."""

    old_password: str
    new_password: str


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Delete the account for good. ``confirm_user_id`` must be the account's own number."""

    password: str
    confirm_user_id: UserId


@dataclass(frozen=True, slots=True)
class ListDevices:
    """Ask for the account's devices."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device that can log in by token; times in milliseconds."""

    device_id: DeviceId
    kind: DeviceKind
    name: str
    created_at_ms: int
    last_seen_at_ms: int
    current: bool = False


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The account's devices, the most recently seen first."""

    devices: tuple[DeviceInfo, ...]


@dataclass(frozen=True, slots=True)
class RevokeDevice:
    """Log a device out and forget its tokens."""

    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class GetProfile:
    """Ask for a user's profile."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class Profile:
    """What others see of a user; ``allow_strangers`` and ``is_admin`` only in one's own."""

    user_id: UserId
    nickname: str
    signature: str = ""
    avatar: str = ""
    created_at_ms: int = 0
    is_bot: bool = False
    allow_strangers: bool = False
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """A friend, or the user on another device, has another name or picture: both as they are."""

    user_id: UserId
    nickname: str
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Change one's profile and settings; ``None`` leaves a field as it is."""

    nickname: str | None = None
    signature: str | None = None
    avatar: str | None = None
    allow_strangers: bool | None = None


@dataclass(frozen=True, slots=True)
class SearchUsers:
    """Find users by number or by a part of the nickname."""

    query: str
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ProfileList:
    """What a search found."""

    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is stored."""

    user_id: UserId
    nickname: str
    password_hash: str
    recovery_hash: str = ""
    signature: str = ""
    avatar: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_disabled: bool = False
    must_change_password: bool = False
    allow_strangers: bool = False
    is_welcomed: bool = False
    created_at_ms: int = 0
    deleted_at_ms: int = 0
    last_seen_at_ms: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether it may log in and be written to."""
        return not self.is_disabled and not self.deleted_at_ms


@dataclass(frozen=True, slots=True)
class Device:
    """A device as it is stored; ``refresh_hash`` is the SHA-256 of its refresh token."""

    user_id: UserId
    device_id: DeviceId
    kind: DeviceKind
    name: str
    refresh_hash: bytes
    created_at_ms: int
    last_seen_at_ms: int


def check_nickname(nickname: str) -> str:
    """The nickname without surrounding blanks.

    Raises:
        InvalidRequest: BAD_NICKNAME when it is empty, too long, or has control characters.
    """
    return check_line(nickname, MAX_NICKNAME_CHARS, ErrorCode.BAD_NICKNAME)


def check_line(text: str, max_chars: int, code: ErrorCode, *, may_be_empty: bool = False) -> str:
    """One line of text for people, without surrounding blanks.

    Raises:
        InvalidRequest: with *code* when it is empty, longer than *max_chars*, or has line breaks,
            control or format characters (direction overrides make a name look like another).
    """
    line = unicodedata.normalize("NFC", text.strip())
    if not line.strip(_JOINER) and (line or not may_be_empty):
        raise InvalidRequest(code, reason="empty")
    if len(line) > max_chars:
        raise InvalidRequest(code, reason="too long", max_chars=max_chars)
    if any(char != _JOINER and unicodedata.category(char) in _NOT_IN_A_LINE for char in line):
        raise InvalidRequest(code, reason="control characters")
    return line


def check_password(password: str, *, user_id: UserId | None = None) -> None:
    """The password policy: length, not one character repeated, not the account's own number.

    NIST SP 800-63B: length counts, composition rules do not.

    Raises:
        InvalidRequest: WEAK_PASSWORD with a ``reason``.
    """
    if len(password) < MIN_PASSWORD_CHARS:
        raise InvalidRequest(
            ErrorCode.WEAK_PASSWORD, reason="too short", min_chars=MIN_PASSWORD_CHARS
        )
    if len(password) > MAX_PASSWORD_CHARS:
        raise InvalidRequest(
            ErrorCode.WEAK_PASSWORD, reason="too long", max_chars=MAX_PASSWORD_CHARS
        )
    if len(set(password)) < 4 or password.casefold() in _COMMON_PASSWORDS:
        raise InvalidRequest(ErrorCode.WEAK_PASSWORD, reason="too easy to guess")
    if user_id is not None and str(user_id) == password:
        raise InvalidRequest(ErrorCode.WEAK_PASSWORD, reason="the account's own number")


_COMMON_PASSWORDS: Final = frozenset(
    {
        "12345678", "123456789", "1234567890", "87654321", "password", "password1", "passw0rd",
        "qwertyui", "qwertyuiop", "1q2w3e4r", "1qaz2wsx", "iloveyou", "5201314520", "woaini1314",
        "abcd1234", "a1234567", "aa123456", "admin123", "letmein1", "tinyqq123",
    }
)  # fmt: skip
