"""Roles on nodes of their own: units of proxies alone, and UserServers, ChatServers … behind."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.processes import Server, serving
from tests.e2e.test_cluster import (
    PASSWORD,
    Cluster,
    befriend,
    delivered,
    nothing_crossed,
    person,
    sees_nodes,
    texts,
)

from tinyqq.app.build import App, build
from tinyqq.app.control import ask_node
from tinyqq.app.settings import Settings
from tinyqq.client import Client
from tinyqq.model.group import JoinPolicy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
]

TIMEOUT_S = 100.0
CALLS = 100
PASSES = 8
"""Of one password's hash: it keeps a node busy for a while."""
LOADED = 0.1
"""Of a core; other tests want some of it too."""


@asynccontextmanager
async def node(cluster: Cluster, name: str, roles: str) -> AsyncIterator[App]:
    """One more node, in this process."""
    settings = Settings.model_validate(
        {"data_dir": cluster.folder / name, "roles": roles, **cluster.shared}
    )
    async with build(settings) as app:
        yield app


async def test_every_role_when_on_a_node_of_its_own_then_people_talk_as_ever(
    cluster: Cluster,
) -> None:
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        roles = ("user", "friend", "group", "chat", "offline")
        backs = {role: await enter(node(cluster, role, role)) for role in roles}
        assert all(back.tcp_address is None for back in backs.values())
        one, other = [await enter(node(cluster, name, "proxy")) for name in ("p1", "p2")]
        await sees_nodes(one, 7)
        await sees_nodes(other, 7)
        ming, hong = await enter(person(one, "小明")), await enter(person(other, "小红"))
        await befriend(ming, hong)
        await ming.send(hong.user_id, "在吗？")
        assert await texts(hong, 1) == ["在吗？"]
        group = await ming.groups.create("班级", join_policy=JoinPolicy.OPEN)
        await hong.groups.join(group)
        await hong.send_group(group, "大家好")
        assert await texts(ming, 1) == ["大家好"]
        # What crosses over comes from behind.
        assert await delivered(backs["chat"], "handed_on") >= 2
        await nothing_crossed(one)


class Calls:
    """How many calls a unit has sent to each node."""

    def __init__(self, unit: Server) -> None:
        self._url = f"{unit.url}/metrics"

    async def by_node(self) -> Counter[str]:
        async with aiohttp.ClientSession() as http, http.get(self._url) as answer:
            found = re.findall(
                r'^tinyqq_dispatch_calls_total\{node="(.+)"\} (.*)$', await answer.text(), re.M
            )
        return Counter({name: int(float(value)) for name, value in found})


def node_folder(folder: Path, cluster: Cluster, roles: str) -> Path:
    """A folder in which `tinyqq serve` finds its settings."""
    folder.mkdir()
    shared = cluster.shared
    (folder / "tinyqq.toml").write_text(
        f"""
database_url = "{shared["database_url"]}"
presence = "{shared["presence"]}"
registry = "{shared["registry"]}"
registry_session_timeout_s = 2.0
roles = {roles.split(",")}
[listen]
node_port = 0
[cluster]
secret = "sixteen bytes or more"
[accounts]
argon2_passes = {PASSES}
"""
    )
    return folder


async def nodes_of(unit: Server) -> dict[str, float]:
    """Loads by node, as the unit's directory of all nodes has them."""
    async with aiohttp.ClientSession() as http, http.get(f"{unit.url}/metrics") as answer:
        found = re.findall(
            r'^tinyqq_dispatch_user_load\{node="(.+)"\} (.*)$', await answer.text(), re.M
        )
    return {name: float(value) for name, value in found}


async def until_loads(unit: Server, count: int, busy: int) -> dict[str, float]:
    """Wait until a unit sees that many user nodes, so many of them busy."""
    while True:
        loads = await nodes_of(unit)
        if len(loads) == count and sum(load >= LOADED for load in loads.values()) == busy:
            return loads
        await asyncio.sleep(0.05)  # the other side is a process: there is no event to wait for


async def keep_busy(folder: Path) -> None:
    """Work for one user node alone: a password's hash after the other, as its operator."""
    wish = {"nickname": "来客", "password": PASSWORD, "is_bot": False, "is_admin": False}
    while True:
        assert await ask_node(folder / "data", "add", wish)


async def ask_for_profiles(client: Client, count: int) -> None:
    for _ in range(count):
        await client.account.profile()


async def test_third_user_node_when_it_joins_two_loaded_ones_then_most_calls_and_leaves_unnoticed(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with asyncio.timeout(250), AsyncExitStack() as stack:
        running = stack.enter_context(ExitStack())

        async def start(name: str, roles: str) -> Server:
            folder = node_folder(tmp_path / name, cluster, roles)
            flags = () if "proxy" in roles else ("--http-port", "0")
            return await asyncio.to_thread(running.enter_context, serving(folder, *flags))

        names = ("u1", "u2")
        for name in names:
            await start(name, "user")
        unit = await start("unit", "proxy,friend,group,chat,offline")
        me = await stack.enter_async_context(Client(unit.tcp_url))
        made = await me.register("小明", PASSWORD)
        await me.login(made.user_id, PASSWORD)
        async with asyncio.TaskGroup() as group:
            work = [
                group.create_task(keep_busy(tmp_path / name)) for name in names for _ in range(3)
            ]
            old = set(await until_loads(unit, 2, busy=2))
            third = await start("u3", "user")
            loads = await until_loads(unit, 3, busy=2)
            [new] = set(loads) - old
            before = await Calls(unit).by_node()
            await ask_for_profiles(me, CALLS)
            gained = await Calls(unit).by_node() - before
            assert gained.total() == CALLS
            assert gained[new] > CALLS / 2, (gained, loads)
            leaving = group.create_task(asyncio.to_thread(third.stop))
            while not leaving.done():
                await ask_for_profiles(me, 10)
            assert leaving.result()[0] == 0
            await ask_for_profiles(me, CALLS)
            assert (await Calls(unit).by_node())[new] == 0
            for task in work:
                task.cancel()
