"""A node whose log lies on two servers, while one of them is away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tinyqq.app.build import App, build
from tinyqq.app.settings import Settings
from tinyqq.client import Client
from tinyqq.lab.servers.spider import SpiderServers
from tinyqq.model.ids import direct_conversation
from tinyqq.storage.shards import shards_of, spread

pytestmark = [pytest.mark.slow, pytest.mark.needs("spider")]
PASSWORD: Final = "correct horse"
TIMEOUT_S: Final = 60.0


def settings(folder: Path, url: str) -> Settings:
    """Of a node on its own."""
    fields: dict[str, Any] = {
        "data_dir": folder,
        "database_url": url,
        "listen": {"tcp_port": 0, "http_port": 0},
        "accounts": {"argon2_memory_kib": 8, "argon2_passes": 1},
        "helper": {"enabled": False},
    }
    return Settings.model_validate(fields)


async def texts(me: Client, count: int) -> list[str]:
    """The next messages."""
    seen: list[str] = []
    async with asyncio.timeout(TIMEOUT_S):
        async for message in me.messages():
            seen.append(message.text)
            if len(seen) == count:
                return seen
    raise AssertionError("the stream ended")


async def people(app: App, stack: AsyncExitStack, count: int) -> list[Client]:
    """People with consecutive numbers, logged in."""
    here = []
    for number in range(count):
        me = await stack.enter_async_context(Client(app.tcp_url))
        made = await me.register(f"{number}", PASSWORD)
        await me.login(made.user_id, PASSWORD)
        here.append(me)
    return here


async def test_shard_when_killed_then_chats_on_the_other_go_on_and_its_own_come_later(
    breakable_spider: SpiderServers, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(build(settings(tmp_path, breakable_spider.url)))
        one, two, _, four, five = await people(app, stack, 5)
        shard_of = shards_of(spread(2)).of
        assert shard_of(direct_conversation(one.user_id, two.user_id)) == 1
        assert shard_of(direct_conversation(four.user_id, five.user_id)) == 0
        for asks, accepts in ((one, two), (four, five)):
            await asks.friends.request(accepts.user_id)
            await accepts.friends.accept(asks.user_id)

        breakable_spider.shards[1].kill()
        async with asyncio.TaskGroup() as group:
            stuck = group.create_task(one.send(two.user_id, "later"))
            async with asyncio.timeout(30):
                for number in range(20):
                    await four.send(five.user_id, f"#{number}")
                assert await texts(five, 20) == [f"#{number}" for number in range(20)]
            again = await stack.enter_async_context(Client(app.tcp_url))
            await again.login(four.user_id, PASSWORD)
            assert not stuck.done()
            breakable_spider.shards[1].start()
        assert await texts(two, 1) == ["later"]
        await one.send(two.user_id, "and this")
        assert await texts(two, 1) == ["and this"]
