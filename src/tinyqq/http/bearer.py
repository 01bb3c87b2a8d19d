"""Who asks: the access token of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiohttp import web

from tinyqq.errors import ErrorCode, Unauthenticated, Unavailable
from tinyqq.model.account import Caller
from tinyqq.ports.media import Bearers

_TIMEOUT_S: Final = 10.0
_SCHEME: Final = "bearer"

_Result = TypeVar("_Result")


async def caller_of(request: web.Request, bearers: Bearers) -> Caller:
    """Whose token ``Authorization: Bearer …`` holds. A cookie proves nothing here, so that no page
    of another site can ask in somebody's name.

    Raises:
        Unauthenticated: there is none, or it is not good (any more).
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
    return await in_time(bearers.caller_of(token.strip()))


async def in_time(call: Awaitable[_Result], timeout_s: float = _TIMEOUT_S) -> _Result:
    """What a call of a service returns, if it does so in time.

    Raises:
        Unavailable: TIMED_OUT.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await call
    except TimeoutError as exc:
        raise Unavailable(ErrorCode.TIMED_OUT, retry_after_s=1.0) from exc
