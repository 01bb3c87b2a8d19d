"""The first of several tries that works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from tinyqq.client.racing import first_of
from tinyqq.errors import ErrorCode, ProtocolError, TinyQQError, Unavailable

Try = Callable[[], Coroutine[Any, Any, str | TinyQQError]]


@pytest.fixture
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group:
        yield group


class Track:
    """Makes tries, and remembers which have begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def gives(self, name: str, outcome: str | TinyQQError) -> Try:
        async def run() -> str | TinyQQError:
            self.begun.append(name)
            return outcome

        return run

    def hangs(self, name: str) -> Try:
        async def run() -> str | TinyQQError:
            self.begun.append(name)
            await asyncio.Event().wait()
            return name

        return run


FAILED = Unavailable(ErrorCode.CONNECTION_LOST)


async def test_race_when_the_first_works_then_the_others_never_begin(
    tasks: asyncio.TaskGroup,
) -> None:
    track = Track()
    tries = [track.gives("a", "won"), track.gives("b", "late")]
    assert await first_of(tries, tasks=tasks) == "won"
    assert track.begun == ["a"]


async def test_race_when_one_fails_then_the_next_at_once(
    tasks: asyncio.TaskGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyqq.client.racing.HEAD_START_S", 60.0)
    track = Track()
    async with asyncio.timeout(30):
        assert await first_of([track.gives("a", FAILED), track.gives("b", "won")], tasks=tasks)
    assert track.begun == ["a", "b"]


async def test_race_when_one_hangs_then_the_next_beside_it(tasks: asyncio.TaskGroup) -> None:
    track = Track()
    assert await first_of([track.hangs("a"), track.gives("b", "won")], tasks=tasks) == "won"


async def test_race_when_all_fail_then_the_last_reason(tasks: asyncio.TaskGroup) -> None:
    track = Track()
    last = Unavailable(ErrorCode.BUSY)
    with pytest.raises(Unavailable) as caught:
        await first_of([track.gives("a", FAILED), track.gives("b", last)], tasks=tasks)
    assert caught.value is last


async def test_race_when_it_will_never_work_then_ends_at_once(tasks: asyncio.TaskGroup) -> None:
    track = Track()
    refusal = ProtocolError(ErrorCode.VERSION_UNSUPPORTED)
    with pytest.raises(ProtocolError):
        await first_of([track.gives("a", refusal), track.gives("b", "won")], tasks=tasks)
    assert track.begun == ["a"]


async def test_race_when_there_is_nobody_then_unavailable(tasks: asyncio.TaskGroup) -> None:
    tries: list[Try] = []
    with pytest.raises(Unavailable):
        await first_of(tries, tasks=tasks)


async def test_race_when_two_work_at_once_then_one_is_discarded(tasks: asyncio.TaskGroup) -> None:
    go = asyncio.Event()
    discarded: list[str] = []

    async def wait(name: str) -> str | TinyQQError:
        await go.wait()
        return name

    async def last() -> str | TinyQQError:
        go.set()
        return FAILED

    tries: list[Try] = [lambda: wait("a"), lambda: wait("b"), last]
    won = await first_of(tries, tasks=tasks, discard=discarded.append)
    assert sorted([won, *discarded]) == ["a", "b"]


async def test_race_when_cancelled_then_nothing_is_left(tasks: asyncio.TaskGroup) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await first_of([Track().hangs("a")], tasks=tasks)
