"""Two units with MariaDB, Redis and ZooKeeper between them, and gRPC from one to the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tinyqq.app.build import App, build
from tinyqq.app.settings import Settings
from tinyqq.client import Client
from tinyqq.errors import Unauthenticated
from tinyqq.lab.servers.process import wait_until
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import HELPER_ID
from tinyqq.ports.registry import Node

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb", "redis", "zookeeper")]

PASSWORD = "correct horse"
TIMEOUT_S = 60.0


class Cluster:
    """Settings that all units share."""

    def __init__(self, folder: Path, database: str, presence: str, registry: str) -> None:
        self.folder = folder
        self.shared = {
            "database_url": database,
            "presence": presence,
            "registry": registry,
            "cluster": {"secret": "sixteen bytes or more"},
            "listen": {"tcp_port": 0, "http_port": 0, "node_port": 0},
            "accounts": {"argon2_memory_kib": 8, "argon2_passes": 1},
        }

    @asynccontextmanager
    async def unit(self, name: str, **own: object) -> AsyncIterator[App]:
        """One more unit; *own*: groups of settings that take the place of the shared ones."""
        folder = {"data_dir": self.folder / name}
        settings = Settings.model_validate({**folder, **self.shared, **own})
        async with build(settings) as app:
            yield app


async def sees_nodes(app: App, count: int) -> None:
    """Wait until a unit sees that many."""
    enough = asyncio.Event()

    def look(nodes: tuple[Node, ...]) -> None:
        if len(nodes) >= count:
            enough.set()

    app.registry.watch(look)
    look(app.registry.nodes())
    await enough.wait()


async def nothing_crossed(app: App) -> None:
    """Whether a unit has handed nothing to the only other one, but what it could not locate in
    time: that goes to everybody."""
    assert await delivered(app, "handed_on") <= await delivered(app, "unlocated")


async def delivered(app: App, what: str) -> float:
    """How many pushes, hints and kicks a unit has ``handed_on`` to others, say."""
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        [line] = re.findall(rf"^tinyqq_delivery_{what}_total (.*)$", await answer.text(), re.M)
        return float(line)


@asynccontextmanager
async def person(app: App, name: str) -> AsyncIterator[Client]:
    async with Client(app.tcp_url) as me:
        made = await me.register(name, PASSWORD)
        await me.login(made.user_id, PASSWORD)
        yield me


async def befriend(one: Client, other: Client) -> None:
    await one.friends.request(other.user_id)
    await other.friends.accept(one.user_id)


async def texts(me: Client, count: int) -> list[str]:
    """The next messages by others, of any conversation but the helper's."""
    seen: list[str] = []
    async with asyncio.timeout(TIMEOUT_S):
        async for message in me.messages():
            if message.sender != HELPER_ID:
                seen.append(message.text)
            if len(seen) == count:
                return seen
    raise AssertionError("the stream ended")


async def test_two_people_on_two_units_then_they_talk(units: tuple[App, App]) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        for number in range(20):
            await ming.send(hong.user_id, f"#{number}")
        assert await texts(hong, 20) == [f"#{number}" for number in range(20)]
        await hong.send(ming.user_id, "收到")
        assert await texts(ming, 1) == ["收到"]


async def test_group_over_two_units_then_everybody_has_everything(units: tuple[App, App]) -> None:
    async with AsyncExitStack() as stack:
        ming, hong, gang = [
            await stack.enter_async_context(person(units[number % 2], name))
            for number, name in enumerate(("小明", "小红", "小刚"))
        ]
        group = await ming.groups.create("群", join_policy=JoinPolicy.OPEN)
        for one in (hong, gang):
            await one.groups.join(group)
        for number in range(10):
            await ming.send_group(group, f"#{number}")
        for one in (hong, gang):
            assert await texts(one, 10) == [f"#{number}" for number in range(10)]


async def test_both_on_one_unit_then_nothing_crosses(units: tuple[App, App]) -> None:
    async with person(units[0], "小明") as ming, person(units[0], "小红") as hong:
        await befriend(ming, hong)
        await ming.send(hong.user_id, "你好")
        assert await texts(hong, 1) == ["你好"]
        await nothing_crossed(units[0])


async def test_receiver_away_then_offline_messages_from_the_database(
    units: tuple[App, App],
) -> None:
    async with person(units[0], "小明") as ming:
        async with person(units[1], "小红") as hong:
            await befriend(ming, hong)
            number = hong.user_id
        await ming.send(number, "你不在")
        async with Client(units[1].tcp_url) as again:
            await again.login(number, PASSWORD)
            assert await texts(again, 1) == ["你不在"]


async def test_redis_then_it_holds_who_is_where_while_they_are(
    units: tuple[App, App], redis: RedisServer
) -> None:
    def places(user_id: int) -> str:
        keys = redis.cli("KEYS", f"*{user_id}*").split()
        return " ".join(redis.cli("HGETALL", key) for key in keys)

    async with person(units[1], "小红") as hong:
        number = hong.user_id
        here = units[1].unit_id
        await asyncio.to_thread(wait_until, lambda: here in places(number), what="her place")
        await hong.log_out()
    await asyncio.to_thread(wait_until, lambda: not places(number), what="no place in Redis")
    async with Client(units[0].tcp_url) as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.login(number, "wrong horse")
    assert not await asyncio.to_thread(places, number)


async def test_unit_stops_then_its_clients_go_on_elsewhere(cluster: Cluster) -> None:
    async with cluster.unit("one") as one:
        async with AsyncExitStack() as second:
            two = await second.enter_async_context(cluster.unit("two"))
            async with person(one, "小明") as ming, person(two, "小红") as hong:
                await befriend(ming, hong)
                await second.aclose()
                await ming.send(hong.user_id, "还在吗")
            async with Client(one.tcp_url) as again:
                await again.login(hong.user_id, PASSWORD)
                assert await texts(again, 1) == ["还在吗"]


async def test_redis_killed_then_messages_still_cross(
    units: tuple[App, App], redis: RedisServer
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        await asyncio.to_thread(redis.kill)
        await ming.send(hong.user_id, "还在吗")
        assert await texts(hong, 1) == ["还在吗"]


async def test_redis_flushed_then_it_is_filled_again_and_messages_cross(
    units: tuple[App, App], redis: RedisServer
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        await asyncio.to_thread(redis.cli, "FLUSHALL")
        await asyncio.to_thread(
            wait_until,
            lambda: bool(redis.cli("KEYS", f"*{hong.user_id}*").strip()),
            what="presence again",
        )
        await ming.send(hong.user_id, "还在吗")
        assert await texts(hong, 1) == ["还在吗"]


async def test_zookeeper_killed_then_chats_go_on(
    units: tuple[App, App], zookeeper: ZookeeperServer
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        await asyncio.to_thread(zookeeper.kill)
        await ming.send(hong.user_id, "还在吗")
        assert await texts(hong, 1) == ["还在吗"]
