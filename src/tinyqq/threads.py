"""Threads for work that takes long, behind a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, TypeVar

from tinyqq.errors import ErrorCode, Unavailable

RETRY_AFTER_S: Final = 2.0
_T = TypeVar("_T")


class BoundedPool:
    """Runs jobs in threads of its own. ``async with pool`` starts and stops them.

    Args:
        name: of the threads.
        threads: jobs at a time.
        max_waiting: jobs that may wait for a thread; further ones are refused as busy.
    """

    def __init__(self, name: str, *, threads: int, max_waiting: int) -> None:
        self.inside = 0
        """Jobs that run or wait."""
        self.refused = 0
        self._name = name
        self._threads = threads
        self._capacity = threads + max_waiting
        self._executor: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix=self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        executor, self._executor = self._executor, None
        assert executor is not None
        await asyncio.to_thread(executor.shutdown, cancel_futures=True)

    async def run(self, job: Callable[[], _T]) -> _T:
        """What *job* returns, or raises.

        Raises:
            Unavailable: BUSY when too many wait already.
        """
        assert self._executor is not None, "the pool is not running"
        if self.inside >= self._capacity:
            self.refused += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=RETRY_AFTER_S)
        self.inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, job)
        finally:
            self.inside -= 1
