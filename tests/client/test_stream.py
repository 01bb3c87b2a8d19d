"""The stream: order, bound, end."""

from __future__ import annotations

import asyncio

import pytest

from tinyqq.client.stream import Stream
from tinyqq.errors import ErrorCode, Unauthenticated


def stream_with(*items: str, max_weight: int = 100) -> tuple[Stream[str], list[str]]:
    room: list[str] = []
    stream: Stream[str] = Stream(on_room=lambda: room.append("room"), max_weight=max_weight)
    for item in items:
        stream.put(item, 1)
    return stream, room


async def test_take_when_items_wait_then_in_order() -> None:
    stream, _ = stream_with("a", "b")
    assert [await stream.take(), await stream.take()] == ["a", "b"]


async def test_take_when_empty_then_waits_for_the_next() -> None:
    stream, _ = stream_with()
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(stream.take())
        await asyncio.sleep(0)
        stream.put("a", 1)
    assert taken.result() == "a"


async def test_take_when_somebody_waits_already_then_refused() -> None:
    stream, _ = stream_with()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(stream.take())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await stream.take()
        stream.put("a", 1)
    assert first.result() == "a"


async def test_take_when_cancelled_then_nothing_is_lost() -> None:
    stream, _ = stream_with()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.take(), 0)
    stream.put("a", 1)
    assert await stream.take() == "a"


async def test_end_when_items_wait_then_they_come_first() -> None:
    stream, _ = stream_with("a")
    stream.end(None)
    stream.put("late", 1)
    assert await stream.take() == "a"
    with pytest.raises(StopAsyncIteration):
        await stream.take()


async def test_end_when_error_then_raised_every_time() -> None:
    stream, _ = stream_with()
    stream.end(Unauthenticated(ErrorCode.TOKEN_INVALID))
    stream.end(None)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await stream.take()


async def test_is_full_when_heavy_then_until_half_empty() -> None:
    stream, room = stream_with("a", "b", "c", "d", max_weight=4)
    seen = [(stream.is_full, len(room))]
    for _ in range(2):
        await stream.take()
        seen.append((stream.is_full, len(room)))
    assert seen == [(True, 0), (True, 0), (False, 1)]


async def test_on_room_when_never_full_then_not_called() -> None:
    stream, room = stream_with("a")
    await stream.take()
    assert room == []
