"""kill -9 in the middle of a storm: what was acknowledged is there, once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.processes import lasting_ports, serving

from tinyqq.client import Client, FileStore, Message
from tinyqq.model.ids import UserId

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
MESSAGES = 3_000
WINDOW = 64
KILLED_AFTER = (400, 1_500)
TIMEOUT_S = 250.0


@asynccontextmanager
async def newcomer(url: str, store: Path) -> AsyncIterator[Client]:
    async with Client(url, store=FileStore(store)) as me:
        made = await me.register(store.stem, PASSWORD)
        await me.login(made.user_id, PASSWORD)
        yield me


async def make_friends(one: Client, other: Client) -> None:
    await one.friends.request(other.user_id)
    await other.friends.accept(one.user_id)


async def send_all(me: Client, peer: UserId, acknowledged: list[str], news: asyncio.Event) -> None:
    """A storm: WINDOW sends at a time, each remembered when the server has acknowledged it."""
    places = asyncio.Semaphore(WINDOW)

    async def send(text: str) -> None:
        try:
            await me.send(peer, text)
            acknowledged.append(text)
            news.set()
        finally:
            places.release()

    async with asyncio.TaskGroup() as group:
        for number in range(MESSAGES):
            await places.acquire()
            group.create_task(send(f"#{number}"))


async def receive_all(me: Client) -> list[str]:
    texts = []
    async for message in me.messages():
        if message.text.startswith("#"):
            texts.append(message.text)
        if len(texts) == MESSAGES:
            break
    return texts


async def read_history(me: Client, peer: UserId) -> list[str]:
    texts: list[str] = []
    before = 0
    while True:
        page = await me.history(me.conversation_with(peer), before=before, limit=500)
        messages = [one for one in page.entries if isinstance(one, Message)]
        texts[:0] = [one.text for one in messages if one.text.startswith("#")]
        if not page.more:
            return texts
        before = messages[0].seq


async def test_power_cut_when_in_the_middle_of_a_storm_then_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    expected = [f"#{number}" for number in range(MESSAGES)]
    acknowledged: list[str] = []
    news = asyncio.Event()
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        servers = stack.enter_context(ExitStack())
        ports = lasting_ports()
        server = servers.enter_context(serving(tmp_path, *ports))
        url = server.tcp_url
        one = await stack.enter_async_context(newcomer(url, tmp_path / "one.db"))
        other = await stack.enter_async_context(newcomer(url, tmp_path / "other.db"))
        await make_friends(one, other)
        async with asyncio.TaskGroup() as group:
            group.create_task(send_all(one, other.user_id, acknowledged, news))
            received = group.create_task(receive_all(other))
            for count in KILLED_AFTER:
                while len(acknowledged) < count:
                    news.clear()
                    await news.wait()
                await asyncio.to_thread(server.kill)
                restarted = serving(tmp_path, *ports)
                server = await asyncio.to_thread(servers.enter_context, restarted)
        assert sorted(acknowledged) == sorted(expected)
        assert received.result() == expected
        assert await read_history(one, other.user_id) == expected
