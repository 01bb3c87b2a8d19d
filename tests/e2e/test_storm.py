"""kill -9 and SIGSTOP, one at a time, in a storm: people go on, nothing is lost, doubled or out of
order, and everybody hears everything."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.processes import Server, lasting_ports, serving
from tests.e2e.storm import PAUSE_S, Storm, gathering

from tinyqq.client import Client
from tinyqq.lab.servers.galera import GaleraNode, cluster_url
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.redis import RedisServer, watched_redis
from tinyqq.lab.servers.zookeeper import ZookeeperServer, zookeeper_ensemble
from tinyqq.storage.open import migrate_storage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
]

TIMEOUT_S = 250.0
BEFORE = 300
AFTER = 1_500
IDLE_S = 3.0
"""Silence after which a client takes a unit for dead is two thirds of it at most."""
LONGEST_S = 15.0
"""That anybody may wait for an acknowledgement or a message. Without a figure in the goals it is
generous: the machine may have other work."""
AWAY_S = 8.0
"""Many times the time-out of every session with ZooKeeper."""
ALL = "proxy,user,friend,group,chat,offline"


class Cluster:
    """Nodes as processes on one set of servers."""

    def __init__(self, folder: Path, *, database: str, presence: str, registry: str) -> None:
        self.folder = folder
        self.nodes: dict[str, Server] = {}
        self._shared = f"""
database_url = "{database}"
presence = "{presence}"
registry = "{registry}"
registry_session_timeout_s = 1.0
"""
        self._running = ExitStack()

    async def start(self, name: str, roles: str = ALL, *, ports: Sequence[str] = ()) -> Server:
        """One more node, or one again that was killed, with its *ports*."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "tinyqq.toml").write_text(
            f"""{self._shared}
roles = {roles.split(",")}
[listen]
node_port = 0
[limits]
idle_timeout_s = {IDLE_S}
[cluster]
secret = "sixteen bytes or more"
node_name = "{name}"
[accounts]
registrations_per_address_per_hour = 0
"""
        )
        flags = ports or (lasting_ports() if "proxy" in roles else ("--http-port", "0"))
        node = await asyncio.to_thread(self._running.enter_context, serving(folder, *flags))
        self.nodes[name] = node
        return node

    async def start_units(self) -> None:
        """Two nodes with all roles."""
        for name in ("one", "two"):
            await self.start(name)

    def urls(self) -> list[str]:
        """The directories of those that have one."""
        return [one.url for one in self.nodes.values()]

    def close(self) -> None:
        """End all nodes."""
        self._running.close()


@asynccontextmanager
async def a_cluster(
    folder: Path, database: str, presence: str, registry: str
) -> AsyncIterator[Cluster]:
    """Settings for nodes; those that were started end with the block."""
    await migrate_storage(database)
    cluster = Cluster(folder, database=database, presence=presence, registry=registry)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            yield cluster
    finally:
        cluster.close()


def busiest(cluster: Cluster, storm: Storm) -> Server:
    """The node that most people of a storm are on."""
    at = [one._session.connection.unit_id for one in storm.people if one._session.connection]
    return cluster.nodes[max(set(at), key=at.count)]


async def rage(storm: Storm, what: str, fault: Callable[[], object]) -> None:
    """The storm, with a fault in the middle."""
    async with storm.raging():
        await storm.reaches(BEFORE)
        storm.forget_times()
        await asyncio.to_thread(fault)
        await storm.reaches(AFTER)
    storm.report(what)
    await storm.check()
    assert max(storm.longest_ack_s, storm.longest_delivery_s) < LONGEST_S


async def test_units_when_killed_in_turn_in_a_storm_then_their_people_go_on_elsewhere(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> None:
    where = f"{redis.url}/0", f"{zookeeper.url}/storm"
    async with a_cluster(tmp_path, mariadb.make_database(), *where) as cluster:
        await cluster.start_units()
        async with gathering(cluster.urls(), tmp_path) as storm:
            async with storm.raging():
                for name, unit in list(cluster.nodes.items()):
                    await storm.reaches(BEFORE)
                    storm.forget_times()
                    await asyncio.to_thread(unit.kill)
                    await storm.reaches(AFTER // 2)
                    storm.report(f"unit {name} killed")
                    assert max(storm.longest_ack_s, storm.longest_delivery_s) < 3.0
                    await cluster.start(name, ports=unit.ports())
            await storm.check()


async def test_unit_when_stopped_in_a_storm_then_people_go_on_and_nothing_is_doubled_when_it_wakes(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> None:
    """It stops in the middle of an append, too: it holds no lock, and others write on."""
    where = f"{redis.url}/0", f"{zookeeper.url}/storm"
    async with a_cluster(tmp_path, mariadb.make_database(), *where) as cluster:
        await cluster.start_units()
        async with gathering(cluster.urls(), tmp_path) as storm:
            victim = busiest(cluster, storm).process
            async with storm.raging():
                await storm.reaches(BEFORE)
                storm.forget_times()
                victim.send_signal(signal.SIGSTOP)
                await storm.reaches(AFTER)
                storm.report("unit stopped")
                # A heartbeat, its answer that does not come, and three seconds.
                assert max(storm.longest_ack_s, storm.longest_delivery_s) < 2 * IDLE_S / 3 + 3.0
                victim.send_signal(signal.SIGCONT)
                await storm.reaches(BEFORE)
            await storm.check()


async def test_zookeeper_leader_when_killed_in_a_storm_then_nobody_notices(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer
) -> None:
    with zookeeper_ensemble(tmp_path) as ensemble:
        hosts = ",".join(one.url.removeprefix("zookeeper://") for one in ensemble)
        where = f"{redis.url}/0", f"zookeeper://{hosts}/storm"
        async with a_cluster(tmp_path, mariadb.make_database(), *where) as cluster:
            await cluster.start_units()
            async with gathering(cluster.urls(), tmp_path) as storm:
                await rage(storm, "ZooKeeper leader killed", ensemble[0].kill)


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_redis_primary_when_lost_in_a_storm_then_people_go_on(
    tmp_path: Path, mariadb: MariaDb, zookeeper: ZookeeperServer, how: str
) -> None:
    with watched_redis(tmp_path) as redis:
        where = redis.url, f"{zookeeper.url}/storm"
        async with a_cluster(tmp_path, mariadb.make_database(), *where) as cluster:
            await cluster.start_units()
            async with gathering(cluster.urls(), tmp_path) as storm:
                fault = redis.primary.kill if how == "killed" else redis.primary.pause
                await rage(storm, f"Redis primary {how}", fault)


@pytest.mark.needs("galera")
async def test_galera_node_when_killed_in_a_storm_then_the_others_go_on(
    tmp_path: Path,
    galera: tuple[GaleraNode, ...],
    redis: RedisServer,
    zookeeper: ZookeeperServer,
) -> None:
    galera[0].ask("CREATE DATABASE storm")
    where = f"{redis.url}/0", f"{zookeeper.url}/storm"
    async with a_cluster(tmp_path, cluster_url(galera, "storm"), *where) as cluster:
        await cluster.start_units()
        async with gathering(cluster.urls(), tmp_path) as storm:
            await rage(storm, "Galera node killed", galera[0].kill)


async def ask_for_profiles(one: Client) -> None:
    """Calls of role user, one after the other; none may fail."""
    while True:
        await one.account.profile()
        await asyncio.sleep(PAUSE_S)


@pytest.mark.parametrize(
    ("role", "blow"),
    [("user", signal.SIGKILL), ("chat", signal.SIGKILL), ("chat", signal.SIGSTOP)],
    ids=lambda one: getattr(one, "name", one),
)
async def test_node_of_a_role_when_lost_in_a_storm_then_its_sister_takes_over(
    tmp_path: Path,
    mariadb: MariaDb,
    redis: RedisServer,
    zookeeper: ZookeeperServer,
    role: str,
    blow: signal.Signals,
) -> None:
    where = f"{redis.url}/0", f"{zookeeper.url}/storm"
    front = ",".join(one for one in ALL.split(",") if one != role)
    async with a_cluster(tmp_path, mariadb.make_database(), *where) as cluster:
        backs = [await cluster.start(name, role) for name in ("back1", "back2")]
        await cluster.start("front", front)
        async with gathering([cluster.nodes["front"].url], tmp_path) as storm:
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(ask_for_profiles(storm.people[0]))
                victim = backs[0].process
                await rage(
                    storm,
                    f"{blow.name} for a node of role {role}",
                    lambda: victim.send_signal(blow),
                )
                asking.cancel()


async def test_zookeeper_when_away_longer_than_every_session_then_chats_go_on(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> None:
    """And two clusters on one ZooKeeper, which comes back, do not see each other."""
    async with AsyncExitStack() as stack:
        storms: list[Storm] = []
        clusters: list[Cluster] = []
        for number in (1, 2):
            (folder := tmp_path / f"{number}").mkdir()
            where = f"{redis.url}/0?prefix=c{number}", f"{zookeeper.url}/storm{number}"
            opened = a_cluster(folder, mariadb.make_database(), *where)
            cluster = await stack.enter_async_context(opened)
            await cluster.start_units()
            together = gathering(cluster.urls(), folder, pairs=2)
            storms.append(await stack.enter_async_context(together))
            clusters.append(cluster)
        async with storms[0].raging(), storms[1].raging():
            await storms[0].reaches(BEFORE)
            for storm in storms:
                storm.forget_times()
            await asyncio.to_thread(zookeeper.kill)
            await asyncio.sleep(AWAY_S)  # the outage itself, longer than every session
            await storms[0].reaches(BEFORE)
            await asyncio.to_thread(zookeeper.start)
            for cluster in clusters:
                await until_all_seen(cluster)
            await storms[1].reaches(BEFORE)
        for number, storm in enumerate(storms, 1):
            storm.report(f"ZooKeeper away, cluster {number}")
            await storm.check()
            assert max(storm.longest_ack_s, storm.longest_delivery_s) < 3.0


async def until_all_seen(cluster: Cluster) -> None:
    """Wait until every unit's directory names the units of its cluster, and no others."""
    while True:
        pictures = [await units_at(node) for node in cluster.nodes.values()]
        if all(picture == set(cluster.nodes) for picture in pictures):
            return
        await asyncio.sleep(0.05)  # the other side is a process: there is no event to wait for


async def units_at(node: Server) -> set[str]:
    async with aiohttp.ClientSession() as http, http.get(f"{node.url}/v1/units") as answer:
        return {unit["unit"] for unit in (await answer.json())["units"]}
