"""Tasks that belong to a part."""

from __future__ import annotations

import asyncio

import pytest

from tinyqq.errors import Unavailable
from tinyqq.gateway.tasks import TaskPool


async def give(value: int) -> int:
    return value


async def fail(error: Exception) -> int:
    raise error


async def hang() -> int:
    await asyncio.Event().wait()
    return 0


async def test_spawn_when_a_call_breaks_then_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with TaskPool() as pool:
        pool.spawn(fail(ZeroDivisionError()))
        other = pool.spawn(give(7))
        assert await other == 7
    assert len(caplog.records) == 1


async def test_spawn_when_several_then_they_start_in_order() -> None:
    started: list[int] = []

    async def start(number: int) -> None:
        started.append(number)

    async with TaskPool() as pool:
        for number in range(5):
            last = pool.spawn(start(number))
        await last
    assert started == list(range(5))


async def test_pool_when_left_then_what_runs_is_cancelled() -> None:
    async with TaskPool() as pool:
        task = pool.spawn(hang(), timeout_s=None)
        assert len(pool) == 1
    assert task.cancelled()
    assert not len(pool)


async def test_spawn_when_the_pool_is_closed_then_refused() -> None:
    pool = TaskPool()
    with pytest.raises(Unavailable, match="DRAINING"):
        pool.spawn(give(1))


async def test_pool_when_its_body_fails_then_the_error_comes_out_as_it_is() -> None:
    async def break_off() -> None:
        async with TaskPool() as pool:
            pool.spawn(hang())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
