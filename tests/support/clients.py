"""Whole clients on a server in miniature, and what they hand out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

from tests.support.entries import ANN

from tinyqq.client import Client, Event, Message

_Event = TypeVar("_Event")


@asynccontextmanager
async def logged_in(url: str, *, user_id: int = ANN, **settings: Any) -> AsyncIterator[Client]:
    """A client that has logged in and caught up."""
    async with Client(url, random=Hasty(), **settings) as me:
        if not me.user_id:
            await me.login(user_id, "password")
        async with asyncio.timeout(30):
            await me.wait_synced()
        yield me


class Hasty(Random):
    """Draws the shortest delay that there is: none."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


async def next_of(me: Client, wanted: type[_Event]) -> _Event:
    """The next event of one kind."""
    async with asyncio.timeout(30):
        async for event in me.events():
            if isinstance(event, wanted):
                return event
    raise AssertionError("the stream ended")


async def next_texts(me: Client, count: int, *, own: bool = True) -> list[str]:
    """What the next messages say."""
    found: list[str] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            message = await next_of(me, Message)
            if own or not message.is_own:
                found.append(message.text)
    return found


async def all_left(me: Client) -> list[Event]:
    """What comes until the stream ends."""
    async with asyncio.timeout(30):
        return [event async for event in me.events()]
