"""Tasks that belong to one part of the gateway: none outlives it, none takes it down."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final, Self, TypeVar

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.outcomes import outcome_of

DEFAULT_TIMEOUT_S: Final = 10.0
CALL_FAILED: Final = "gateway.call_failed"
"""What is logged of a call that broke."""
_Result = TypeVar("_Result")


class TaskPool:
    """A task group as a member of an object: ``async with pool``, then :meth:`spawn`.

    Leaving it cancels what still runs and waits for that.
    """

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        group, self._group = self._group, None
        for task in self._tasks:
            task.cancel()
        if group is not None:
            # The error is not the tasks': it goes on as it is, and not in an ExceptionGroup.
            await group.__aexit__(None, None, None)

    def spawn(
        self, call: Coroutine[Any, Any, _Result], *, timeout_s: float | None = DEFAULT_TIMEOUT_S
    ) -> asyncio.Task[_Result | TinyQQError]:
        """Run *call* as a task with a deadline (None: it has its own). Tasks start in the order
        of the calls.

        The task's result is that of :func:`tinyqq.outcomes.outcome_of`: it raises nothing but its
        cancellation.

        Raises:
            Unavailable: DRAINING when the pool is not open.
        """
        if self._group is None:
            call.close()
            raise Unavailable(ErrorCode.DRAINING)
        task = self._group.create_task(outcome_of(call, timeout_s=timeout_s, event=CALL_FAILED))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, call))
        return task

    def _ended(self, call: Coroutine[Any, Any, Any], task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        call.close()  # has no effect, unless the task was cancelled before it began
