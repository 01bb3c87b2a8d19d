"""The first of several tries that works, each begun when the one before it fails or hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable

HEAD_START_S: Final = 0.5
"""What does not answer within this time may be hung: the next one is tried beside it."""

_Prize = TypeVar("_Prize")
Try = Callable[[], Coroutine[Any, Any, _Prize | TinyQQError]]


async def first_of(
    tries: Iterable[Try[_Prize]],
    *,
    tasks: asyncio.TaskGroup,
    discard: Callable[[_Prize], None] | None = None,
) -> _Prize:
    """Begin the tries in their order until one of them works.

    Args:
        tries: make coroutines that return what was tried for, or why there is none; they raise
            nothing.
        tasks: owns them.
        discard: called for a prize that came too late.

    Raises:
        TinyQQError: the last failure; one that is not Unavailable ends the race.
    """
    waiting = list(tries)
    error: TinyQQError = Unavailable(ErrorCode.CONNECTION_LOST, reason="no unit")
    running: set[asyncio.Task[_Prize | TinyQQError]] = set()
    try:
        while waiting or running:
            if waiting:
                running.add(tasks.create_task(waiting.pop(0)()))
            done, running = await asyncio.wait(
                running,
                timeout=HEAD_START_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            prizes = []
            for one in done:
                outcome = one.result()
                if isinstance(outcome, TinyQQError):
                    error = outcome
                else:
                    prizes.append(outcome)
            if prizes:
                _discard(prizes[1:], discard)
                return prizes[0]
            if not isinstance(error, Unavailable):
                break
    finally:
        for late in running:
            if not late.cancel() and not isinstance(prize := late.result(), TinyQQError):
                _discard([prize], discard)
    raise error


def _discard(prizes: Iterable[_Prize], discard: Callable[[_Prize], None] | None) -> None:
    if discard is not None:
        for prize in prizes:
            discard(prize)
