"""The supervised edge of a call: what it returned, or what whoever asked is told instead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final, TypeVar

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable

logger = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 1.0
_Result = TypeVar("_Result")


async def outcome_of(
    call: Awaitable[_Result], *, timeout_s: float | None, event: str
) -> _Result | TinyQQError:
    """Await a call: its result, or the error to tell whoever asked. Raises nothing but its
    cancellation.

    Args:
        timeout_s: then TIMED_OUT; None: the call has a deadline of its own.
        event: under which an unexpected exception is logged, once; it becomes INTERNAL without
            details.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await call
    except TinyQQError as error:
        return error
    except TimeoutError:
        return Unavailable(ErrorCode.TIMED_OUT, retry_after_s=RETRY_AFTER_S)
    except Exception:
        logger.exception(event)
        return Unavailable(ErrorCode.INTERNAL, retry_after_s=RETRY_AFTER_S)
