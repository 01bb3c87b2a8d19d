"""Whether Redis answers at all, for whoever looks before a node starts."""

from __future__ import annotations

import asyncio

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.presence.redis_client import REDIS_ERRORS, open_redis
from tinyqq.presence.redis_commands import RedisCommands
from tinyqq.presence.redis_url import parse_redis_url


async def ask_redis(url: str, *, timeout_s: float) -> None:
    """Read from every part of it, write nothing.

    Raises:
        InvalidRequest: *url* is no address of Redis.
        Unavailable: it does not answer, or not to this user; ``reason`` says which.
    """
    address = parse_redis_url(url)
    try:
        async with asyncio.timeout(timeout_s), open_redis(address) as client:
            commands = RedisCommands(
                client=client, prefix=address.prefix, value="nobody", lifetime_s=1
            )
            await commands.read_numbers()
    except REDIS_ERRORS as exc:
        reason = str(exc) or "no answer in time"
        raise Unavailable(ErrorCode.UNAVAILABLE, reason=reason) from exc
