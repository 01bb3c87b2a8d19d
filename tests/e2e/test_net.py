"""What the net is for: pushes that go nowhere, and receivers who have everything within two seconds
all the same, without being asked to do anything."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.test_cluster import Cluster, befriend, person, sees_nodes
from tests.support.eventually import eventually
from tests.support.lane_fixtures import RecordingDelivery, operation_id
from tests.support.relay import relay_to

from tinyqq.app.build import App
from tinyqq.client import Client
from tinyqq.clock import SystemClock
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.redis import QUICK_COPY, RedisServer, replica_of
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model import membership
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import GroupId, UserId, group_conversation
from tinyqq.model.message import Content, Kind
from tinyqq.services.lane import Draft, Lane
from tinyqq.storage.open import migrate_storage, open_storage
from tinyqq.wire.content import encode_content

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb", "redis", "zookeeper")]

BOUND_S = 2.0
"""How long after its commit an online receiver may wait for a message."""
ON_TIME_S = 0.4
"""What is not later than this was pushed, not repaired."""


class Ear:
    """What one person hears, and how long after it was sent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.heard: list[str] = []
        self.longest_s = 0.0

    async def listen(self) -> None:
        async for message in self.client.messages():
            number, _, sent_s = message.text.partition(" at ")
            if sent_s:
                self.heard.append(number)
                self.longest_s = max(self.longest_s, time.monotonic() - float(sent_s))

    async def has(self, count: int) -> None:
        await eventually(lambda: len(self.heard) >= count)
        assert self.heard == [str(number) for number in range(count)]


@asynccontextmanager
async def listening(client: Client) -> AsyncIterator[Ear]:
    ear = Ear(client)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ear.listen())
        try:
            yield ear
        finally:
            task.cancel()


def text(number: int) -> str:
    return f"{number} at {time.monotonic()}"


async def figures(app: App, name: str) -> dict[str, float]:
    """A figure of the net by its label (none: an empty one)."""
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        shown = await answer.text()
    found = re.findall(rf'^tinyqq_net_{name}(?:{{reason="(\w+)"}})? (\S+)$', shown, re.M)
    return {label: float(value) for label, value in found}


async def repairs(*apps: App) -> dict[str, float]:
    total: dict[str, float] = {}
    for app in apps:
        for label, value in (await figures(app, "repairs_total")).items():
            if value:
                total[label] = total.get(label, 0) + value
    return total


async def some_ticks(app: App, count: int = 4) -> None:
    """Wait until the net has looked that often more."""
    wanted = (await figures(app, "ticks_total"))[""] + count

    async def is_enough() -> bool:
        return (await figures(app, "ticks_total"))[""] >= wanted

    await eventually(is_enough)


def check_lost_and_found(what: str, ear: Ear, counted: dict[str, float]) -> None:
    """Everything came in time; and if nothing had to be repaired, then nothing was late."""
    say(what, ear, counted)
    assert ear.longest_s < BOUND_S
    assert counted or ear.longest_s < ON_TIME_S


def say(what: str, ear: Ear, counted: dict[str, float]) -> None:
    print(f"\n{what}: {ear.longest_s:.2f} s at most, repairs {counted}")  # noqa: T201 - for -rP


# ---- a ChatServer that dies after the commit -----------------------------------------------------


@asynccontextmanager
async def dying_lane(cluster: Cluster) -> AsyncIterator[Lane]:
    """A ChatServer that commits, and dies before it pushes."""
    url = cluster.shared["database_url"]
    assert isinstance(url, str)
    async with open_storage(url) as storage:
        nobody = RecordingDelivery()
        async with Lane(log=storage.log_writer, delivery=nobody, clock=SystemClock()) as lane:
            yield lane


async def send_by(lane: Lane, sender_id: UserId, conversation_id: int, number: int) -> None:
    sent = asyncio.get_running_loop().create_future()
    body = encode_content(Content(text(number)))
    lane.submit(
        Draft(conversation_id, sender_id, operation_id(), sent.set_result, Kind.TEXT, body)  # type: ignore[arg-type]  # a conversation's number
    )
    await sent


async def test_chat_node_dies_before_the_push_then_the_receiver_has_it_in_time(
    cluster: Cluster, units: tuple[App, App]
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        async with listening(hong) as ear, dying_lane(cluster) as lane:
            await some_ticks(units[1])
            await send_by(lane, ming.user_id, ming.conversation_with(hong.user_id), 0)
            await ear.has(1)
        counted = await repairs(units[1])
        say("dead writer", ear, counted)
        assert ear.longest_s < BOUND_S
        assert counted == {"dead_writer": 1}


async def test_somebody_is_brought_into_a_group_by_one_that_dies_then_they_hear_it_in_time(
    cluster: Cluster, units: tuple[App, App]
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        group_id = await ming.groups.create("群", join_policy=JoinPolicy.OPEN)
        group = group_conversation(GroupId(group_id))
        join = partial(membership.join, user_id=hong.user_id, note="")
        async with listening(hong) as ear, dying_lane(cluster) as lane:
            await some_ticks(units[1])
            await lane.change(group, hong.user_id, operation_id(), join)
            # Of the group there is nobody else on her unit yet.
            await ming.send_group(group_id, text(0))
            await ear.has(1)
            await ming.send_group(group_id, text(1))
            await ear.has(2)
        say("joined by a dead writer", ear, await repairs(units[1]))
        assert ear.longest_s < BOUND_S


# ---- presence that is wrong ----------------------------------------------------------------------


async def talk(ming: Client, hong: Client, numbers: range) -> None:
    """A hundred messages a second."""
    for number in numbers:
        await ming.send(hong.user_id, text(number))
        await asyncio.sleep(0.01)


async def knows(redis: RedisServer, user_id: UserId) -> bool:
    """Whether Redis has an entry of a user."""
    return bool((await asyncio.to_thread(redis.cli, "KEYS", f"*u{user_id}")).strip())


async def test_redis_flushed_in_the_middle_of_load_then_everything_in_time(
    units: tuple[App, App], redis: RedisServer
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        async with listening(hong) as ear:
            await talk(ming, hong, range(50))
            await asyncio.to_thread(redis.cli, "FLUSHALL")
            await talk(ming, hong, range(50, 300))
            await ear.has(300)
        counted = await repairs(*units)
        check_lost_and_found("FLUSHALL", ear, counted)
        assert await knows(redis, hong.user_id)


async def test_replica_that_lacks_the_last_writes_takes_over_then_everything_in_time(
    tmp_path: Path, mariadb: MariaDb, zookeeper: ZookeeperServer
) -> None:
    database = mariadb.make_database()
    await migrate_storage(database)
    async with AsyncExitStack() as stack:
        primary = stack.enter_context(RedisServer(tmp_path, *QUICK_COPY))
        replica = stack.enter_context(RedisServer(tmp_path, *replica_of(primary.port)))
        relay = await stack.enter_async_context(relay_to("127.0.0.1", primary.port))
        presence = relay.url.replace("tinyqq", "redis")
        cluster = Cluster(tmp_path, database, presence, f"{zookeeper.url}/tests")
        one = await stack.enter_async_context(cluster.unit("one"))
        two = await stack.enter_async_context(cluster.unit("two"))
        await sees_nodes(one, 2)
        await sees_nodes(two, 2)
        ming = await stack.enter_async_context(person(one, "小明"))
        await eventually(lambda: knows(replica, ming.user_id))
        await asyncio.to_thread(replica.cli, "REPLICAOF", "NO", "ONE")
        hong = await stack.enter_async_context(person(two, "小红"))
        await befriend(ming, hong)
        ear = await stack.enter_async_context(listening(hong))
        await talk(ming, hong, range(50))
        relay.lead_to("127.0.0.1", replica.port)
        relay.cut()
        await talk(ming, hong, range(50, 300))
        await ear.has(300)
        counted = await repairs(one, two)
        check_lost_and_found("replica without the last writes", ear, counted)
        assert await knows(replica, hong.user_id)


# ---- links ---------------------------------------------------------------------------------------


async def test_stream_between_units_broken_then_everything_in_time(cluster: Cluster) -> None:
    node_port = free_port()
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(relay_to("127.0.0.1", node_port))
        one = await stack.enter_async_context(cluster.unit("one"))
        cluster.shared |= {
            "listen": {"tcp_port": 0, "http_port": 0, "node_port": node_port},
            "cluster": {
                "secret": "sixteen bytes or more",
                "advertise": relay.url.removeprefix("tinyqq://"),
            },
        }
        two = await stack.enter_async_context(cluster.unit("two"))
        await sees_nodes(one, 2)
        await sees_nodes(two, 2)
        ming = await stack.enter_async_context(person(one, "小明"))
        hong = await stack.enter_async_context(person(two, "小红"))
        await befriend(ming, hong)
        ear = await stack.enter_async_context(listening(hong))
        await talk(ming, hong, range(50))
        relay.loses_all = True
        await talk(ming, hong, range(50, 80))
        relay.loses_all = False
        relay.cut()
        await talk(ming, hong, range(80, 150))
        await ear.has(150)
        counted = await repairs(one, two)
        check_lost_and_found("broken stream", ear, counted)
        assert relay.connections > 1


# ---- nothing fails -------------------------------------------------------------------------------


async def test_calm_then_nothing_is_repaired(units: tuple[App, App]) -> None:
    pairs, messages, window = 4, 500, 32
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(person(units[number % 2], f"用户{number}"))
            for number in range(2 * pairs)
        ]
        ears = [await stack.enter_async_context(listening(one)) for one in people[1::2]]
        for ming, hong in zip(people[::2], people[1::2], strict=True):
            await befriend(ming, hong)
        for one in people:
            await one.wait_synced()

        async def speak(ming: Client, hong: Client) -> None:
            room = asyncio.Semaphore(window)

            async def send(number: int) -> None:
                async with room:
                    await ming.send(hong.user_id, text(number))

            async with asyncio.TaskGroup() as group:
                for number in range(messages):
                    group.create_task(send(number))

        for ming, hong in zip(people[::2], people[1::2], strict=True):
            await speak(ming, hong)
        for ear in ears:
            await ear.has(messages)
        for app in units:
            await some_ticks(app)
        read = sum([(await figures(app, "keys_total"))[""] for app in units])
        arrivals = sum([(await figures(app, "arrivals_total"))[""] for app in units])
        print(f"\ncalm: {read:.0f} keys read, {arrivals:.0f} arrivals")  # noqa: T201 - for -rP
        assert read >= pairs * messages
        assert await repairs(*units) == {}
