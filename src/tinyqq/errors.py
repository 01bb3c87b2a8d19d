"""The one error tree, and the stable codes that travel to clients and between nodes.

::

    TinyQQError(code, **fields)
    ├── InvalidRequest      1xxx  the request can never succeed as it stands: mend it
    ├── Unauthenticated     2xxx  log in (again)
    ├── Forbidden           3xxx  known, but not allowed
    ├── NotFound            4xxx  the thing named does not exist, or not for the caller
    ├── Conflict            5xxx  the state of things stands against it: look again, then decide
    ├── RateLimited         6xxx  too much, too fast: wait ``retry_after_s``
    ├── Unavailable         7xxx  not now: the same request may succeed after ``retry_after_s``
    └── ProtocolError       8xxx  the peer broke the rules of the protocol; the connection closes

The tree is split by what the caller can do. Codes are never renumbered or reused; the class follows
from the code's thousands (:func:`error_for`), so an old client understands the class of a new code.
Text for people is composed from the fields, never parsed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Final


class ErrorCode(IntEnum):
    """Stable numbers. The name is for people and logs, the number for the wire."""

    INVALID_REQUEST = 1000
    TEXT_TOO_LONG = 1001
    BAD_CONTENT = 1002
    BAD_NICKNAME = 1003
    WEAK_PASSWORD = 1004
    BAD_CONVERSATION = 1005
    BAD_INVITE_CODE = 1006
    NOT_CONFIRMED = 1007
    PAGE_TOO_LARGE = 1008
    UNSUPPORTED_KIND = 1009
    OPERATION_REUSED = 1010
    UNKNOWN_OPERATION = 1011
    MEDIA_TOO_LARGE = 1012
    MEDIA_TYPE_REFUSED = 1013
    BAD_MEDIA = 1014
    FILE_UNREADABLE = 1015

    BAD_CREDENTIALS = 2000
    TOKEN_INVALID = 2001
    TOKEN_EXPIRED = 2002
    DEVICE_REVOKED = 2003
    ACCOUNT_DISABLED = 2004
    NOT_LOGGED_IN = 2005
    PASSWORD_CHANGE_REQUIRED = 2006
    BAD_RECOVERY_CODE = 2007

    FORBIDDEN = 3000
    NOT_FRIENDS = 3001
    BLOCKED = 3002
    NOT_A_MEMBER = 3003
    NOT_AN_ADMIN = 3004
    NOT_THE_OWNER = 3005
    MENTION_ALL_DENIED = 3006
    RECALL_TOO_LATE = 3007
    GROUP_CLOSED = 3008
    INVITATION_NEEDED = 3009
    OUTRANKED = 3010
    REGISTRATION_CLOSED = 3011
    NOT_YOUR_MESSAGE = 3012
    HELPER_STAYS = 3013

    NOT_FOUND = 4000
    USER_NOT_FOUND = 4001
    GROUP_NOT_FOUND = 4002
    MESSAGE_NOT_FOUND = 4003
    DEVICE_NOT_FOUND = 4004
    REQUEST_NOT_FOUND = 4005
    MEDIA_NOT_FOUND = 4006

    CONFLICT = 5000
    ALREADY_FRIENDS = 5001
    ALREADY_A_MEMBER = 5002
    GROUP_FULL = 5003
    GROUP_DISMISSED = 5004
    OWNS_GROUPS = 5005
    OWNER_MUST_TRANSFER = 5006
    REQUEST_EXPIRED = 5007
    SELF_NOT_ALLOWED = 5008
    TOO_MANY_GROUPS = 5009
    MEDIA_QUOTA_EXCEEDED = 5010
    UPLOAD_ELSEWHERE = 5011

    RATE_LIMITED = 6000
    TOO_MANY_LOG_INS = 6001
    TOO_MANY_REGISTRATIONS = 6003

    UNAVAILABLE = 7000
    BUSY = 7001
    FLIGHT_BROKEN = 7002
    DRAINING = 7003
    TIMED_OUT = 7004
    INTERNAL = 7005
    CONNECTION_LOST = 7006

    PROTOCOL_ERROR = 8000
    FRAME_TOO_LARGE = 8001
    MALFORMED = 8002
    UNKNOWN_TYPE = 8003
    OUT_OF_ORDER = 8004
    VERSION_UNSUPPORTED = 8005
    LOG_IN_TIMEOUT = 8006
    IDLE_TIMEOUT = 8007
    BAD_REQUEST_ID = 8008
    TOO_MANY_IN_FLIGHT = 8009


class TinyQQError(Exception):
    """Root of everything that TinyQQ raises on purpose.

    Args:
        code: what happened, as a stable code.
        retry_after_s: earliest time at which the same request may succeed; 0 when retrying is no
            use or no time is known.
        fields: facts for people and logs (numbers and short strings, nothing secret, nothing
            internal).
    """

    def __init__(
        self, code: ErrorCode, /, *, retry_after_s: float = 0.0, **fields: str | int | float
    ) -> None:
        super().__init__(code, fields)
        self.code: Final = code
        self.retry_after_s: Final = retry_after_s
        self.fields: Final = fields

    def __str__(self) -> str:
        """``NOT_A_MEMBER group_id=7`` — the code's name, then its fields."""
        facts = " ".join(f"{name}={value}" for name, value in self.fields.items())
        return f"{self.code.name} {facts}".rstrip()

    def __repr__(self) -> str:
        """``Forbidden(NOT_A_MEMBER group_id=7)``, for logs."""
        return f"{type(self).__name__}({self})"


class InvalidRequest(TinyQQError):
    """The request can never succeed as it stands."""


class Unauthenticated(TinyQQError):
    """Who asks is not known, or no longer."""


class Forbidden(TinyQQError):
    """Who asks is known and may not."""


class NotFound(TinyQQError):
    """What is named does not exist, or not for the one who asks."""


class Conflict(TinyQQError):
    """The present state of things stands against the request."""


class RateLimited(TinyQQError):
    """Too many requests; ``retry_after_s`` says when the next may come."""


class Unavailable(TinyQQError):
    """Nothing is wrong with the request; the same one may succeed after ``retry_after_s``."""


class ProtocolError(TinyQQError):
    """The peer broke the rules of the protocol; the connection cannot go on."""


_BY_THOUSANDS: Final[dict[int, type[TinyQQError]]] = {
    1: InvalidRequest,
    2: Unauthenticated,
    3: Forbidden,
    4: NotFound,
    5: Conflict,
    6: RateLimited,
    7: Unavailable,
    8: ProtocolError,
}

_FALLBACK: Final[dict[int, ErrorCode]] = {
    thousands: ErrorCode(thousands * 1000) for thousands in _BY_THOUSANDS
}


def error_class(code: ErrorCode) -> type[TinyQQError]:
    """The class of the tree that *code* belongs to."""
    return _BY_THOUSANDS[code // 1000]


def error_for(
    code: int, /, *, retry_after_s: float = 0.0, **fields: str | int | float
) -> TinyQQError:
    """Rebuild the error that a peer reported.

    A code that this version does not know becomes the general code of its class, with the number
    kept in the field ``unknown_code``; one outside every class becomes ``UNAVAILABLE``.
    """
    try:
        known = ErrorCode(code)
    except ValueError:
        known = _FALLBACK.get(code // 1000, ErrorCode.UNAVAILABLE)
        fields["unknown_code"] = code
    return error_class(known)(known, retry_after_s=retry_after_s, **fields)


@contextlib.contextmanager
def needs_extra(setting: str) -> Iterator[None]:
    """Around the import of an adapter whose library is an optional extra.

    Raises:
        InvalidRequest: what *setting* asks for is not installed; ``extra`` names the setting.
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, extra=setting) from exc
