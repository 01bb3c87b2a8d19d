"""Threads behind a bounded queue."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.threads import BoundedPool


async def test_run_when_done_then_its_result_in_a_thread_of_that_name() -> None:
    async with BoundedPool("diggers", threads=1, max_waiting=0) as pool:
        assert (await pool.run(lambda: threading.current_thread().name)).startswith("diggers")
        assert (pool.inside, pool.refused) == (0, 0)


async def test_run_when_it_raises_then_so_does_the_call_and_the_place_is_free() -> None:
    async with BoundedPool("diggers", threads=1, max_waiting=0) as pool:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 // 0)
        assert pool.inside == 0


async def test_run_when_too_many_wait_then_busy() -> None:
    go = threading.Event()
    async with (
        BoundedPool("diggers", threads=1, max_waiting=1) as pool,
        asyncio.TaskGroup() as group,
    ):
        waiting = [group.create_task(pool.run(go.wait)) for _ in range(2)]
        await asyncio.sleep(0)  # both have come in
        with pytest.raises(Unavailable) as caught:
            await pool.run(go.wait)
        go.set()
    assert caught.value.code is ErrorCode.BUSY
    assert caught.value.retry_after_s > 0
    assert [task.result() for task in waiting] == [True, True]
    assert pool.refused == 1
