"""What only the registry on ZooKeeper has: several nodes, and a ZooKeeper that fails."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from tests.support.eventually import eventually
from tests.support.relay import relay_to
from tests.support.servers import safe_name
from tests.support.zookeeper_node import make_node

from tinyqq.clock import SystemClock
from tinyqq.errors import InvalidRequest, Unavailable
from tinyqq.lab.servers.process import ServerProcess, free_port
from tinyqq.lab.servers.zookeeper import ZookeeperServer, zookeeper_ensemble
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.zookeeper import ZookeeperRegistry

pytestmark = pytest.mark.needs("zookeeper")

ONE, TWO = make_node("unit-1"), make_node("unit-2")
SHORT_S = 2.0
"""A session whose end a test waits for. The others outlast a machine that is held up."""


@pytest.fixture
def zookeeper(tmp_path: Path) -> Iterator[ZookeeperServer]:
    """A ZooKeeper that the test may end."""
    with ZookeeperServer(tmp_path) as server:
        yield server


@pytest.fixture
def url(zookeeper_server: ZookeeperServer, request: pytest.FixtureRequest) -> str:
    """A chroot of the test's own in the shared ZooKeeper."""
    return f"{zookeeper_server.url}/tests/{safe_name(request.node.name)}"


def open_registry(url: str, session_timeout_s: float = 6.0) -> ZookeeperRegistry:
    return ZookeeperRegistry(url=url, clock=SystemClock(), session_timeout_s=session_timeout_s)


def shows(registry: ZookeeperRegistry, *nodes: Node) -> Callable[[], bool]:
    return lambda: registry.nodes() == nodes


def kazoo_threads() -> set[threading.Thread]:
    """Threads that are not of the event loop's own pool."""
    return {one for one in threading.enumerate() if not one.name.startswith("asyncio")}


# ---- nodes come and go ---------------------------------------------------------------------------


async def test_nodes_when_another_comes_changes_and_goes_then_seen(url: str) -> None:
    async with open_registry(url) as one, open_registry(url) as two:
        seen: list[tuple[Node, ...]] = []
        one.watch(seen.append)
        await one.register(ONE)
        await two.register(TWO)
        await eventually(shows(one, ONE, TWO))
        await eventually(shows(two, ONE, TWO))
        draining = replace(TWO, load=0.5, draining=True)
        await two.register(draining)
        await eventually(shows(one, ONE, draining))
        await two.unregister()
        await eventually(shows(one, ONE))
        assert seen == [(ONE,), (ONE, TWO), (ONE, draining), (ONE,)]


async def test_nodes_when_another_comes_leaves_and_goes_then_both_log_each_once(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tinyqq.registry.zookeeper")
    leaving, again = replace(TWO, load=0.5, draining=True), replace(TWO, incarnation="second")
    async with open_registry(url) as one:
        async with open_registry(url) as two:
            for node in (TWO, replace(TWO, load=0.5), leaving, again):
                await two.register(node)
                await eventually(shows(one, node))
        await eventually(shows(one))
    records = [one.__dict__ for one in caplog.records if one.message.startswith("node.")]
    told = Counter((one["message"], one["node"], one["incarnation"]) for one in records)
    assert told == {
        ("node.came", "unit-2", "first"): 2,
        ("node.leaving", "unit-2", "first"): 2,
        ("node.came", "unit-2", "second"): 2,
        ("node.gone", "unit-2", "second"): 2,
    }


async def test_nodes_when_others_were_there_before_then_seen_from_the_start(url: str) -> None:
    async with open_registry(url) as one:
        await one.register(ONE)
        async with open_registry(url) as two:
            assert two.nodes() == (ONE,)


async def test_registry_when_it_ends_then_its_node_goes_and_its_threads(url: str) -> None:
    before = kazoo_threads()
    async with open_registry(url) as one:
        async with open_registry(url) as two:
            await two.register(TWO)
            await eventually(shows(one, TWO))
        await eventually(shows(one))
    assert kazoo_threads() == before


async def test_watch_when_called_then_in_the_event_loop(url: str) -> None:
    async with open_registry(url) as one, open_registry(url) as two:
        callers: list[asyncio.Task[None] | threading.Thread | None] = []
        one.watch(lambda _: callers.append(threading.current_thread()))
        await two.register(TWO)
        await eventually(shows(one, TWO))
        assert callers == [threading.main_thread()]


async def test_nodes_when_chroots_differ_then_clusters_do_not_see_each_other(url: str) -> None:
    async with open_registry(f"{url}/a") as one, open_registry(f"{url}/b") as other:
        await one.register(ONE)
        await other.register(TWO)
        async with open_registry(f"{url}/a") as third:
            assert (third.nodes(), other.nodes()) == ((ONE,), (TWO,))


async def test_nodes_when_a_process_is_killed_then_gone_after_its_session(
    url: str, tmp_path: Path
) -> None:
    async with open_registry(url) as one:
        process = ServerProcess(
            name="node",
            command=[
                sys.executable,
                "-m",
                "tests.support.zookeeper_node",
                url,
                "unit-2",
                str(SHORT_S),
            ],
            folder=tmp_path,
            is_ready=lambda: True,
            environment={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        with process:
            await eventually(shows(one, TWO))
            process.kill()
            assert one.nodes() == (TWO,)
            await eventually(shows(one))


async def test_node_when_malformed_then_left_out(
    url: str, zookeeper_server: ZookeeperServer
) -> None:
    async with open_registry(url) as one:
        await one.register(ONE)
        path = "/" + url.split("/", 3)[3] + "/nodes/odd"
        await asyncio.to_thread(_create, zookeeper_server, path)
        async with open_registry(url) as two:
            assert two.nodes() == (ONE,)


def _create(server: ZookeeperServer, path: str) -> None:
    client = KazooClient(hosts=f"127.0.0.1:{server.port}")
    client.start()
    client.create(path, b"not json")
    client.stop()
    client.close()


# ---- one place, two processes --------------------------------------------------------------------


async def test_register_when_an_earlier_process_left_its_node_then_replaced(url: str) -> None:
    async with open_registry(url) as old, open_registry(url) as new:
        await old.register(ONE)
        fresh = make_node("unit-1", "second")
        await new.register(fresh)
        await eventually(shows(old, fresh))
        await eventually(shows(new, fresh))
        await old.register(replace(ONE, load=0.5))
        assert (old.state, new.state) == ("replaced", "ok")
        assert old.nodes() == (fresh,)
        await new.unregister()
        await eventually(shows(old))
        await old.register(ONE)
        await eventually(shows(new, ONE))
        assert old.state == "ok"


async def test_register_when_its_session_was_lost_and_another_took_its_place_then_left_to_it(
    url: str, zookeeper_server: ZookeeperServer
) -> None:
    chroot = url.split("/", 3)[3]
    fresh = make_node("unit-1", "second")
    async with relay_to("127.0.0.1", zookeeper_server.port) as relay, open_registry(url) as new:
        through = f"zookeeper://{relay.url.partition('://')[2]}/{chroot}"
        async with open_registry(through, SHORT_S) as old:
            await old.register(ONE)
            await eventually(shows(new, ONE))
            relay.loses_answers = True
            await eventually(shows(new))
            await new.register(fresh)
            relay.loses_answers = False
            await eventually(lambda: old.state == "replaced")
            await eventually(shows(old, fresh))
            assert new.state == "ok"


# ---- rights --------------------------------------------------------------------------------------


async def test_registry_when_it_has_a_user_then_others_are_not_let_in(
    zookeeper_server: ZookeeperServer, request: pytest.FixtureRequest
) -> None:
    place = f"127.0.0.1:{zookeeper_server.port}/{safe_name(request.node.name)}"
    async with open_registry(f"zookeeper://im:secret@{place}") as one:
        await one.register(ONE)
        async with open_registry(f"zookeeper://im:secret@{place}") as two:
            assert two.nodes() == (ONE,)
        stranger = ZookeeperRegistry(
            url=f"zookeeper://{place}", clock=SystemClock(), start_timeout_s=0.5
        )
        with pytest.raises(Unavailable):
            await stranger.__aenter__()


async def test_registry_when_nobody_answers_at_the_start_then_unavailable() -> None:
    place = f"127.0.0.1:{free_port()}"
    registry = ZookeeperRegistry(
        url=f"zookeeper://im:secret@{place}", clock=SystemClock(), start_timeout_s=0.2
    )
    with pytest.raises(Unavailable) as caught:
        await registry.__aenter__()
    assert caught.value.fields == {"registry": place}


async def test_registry_when_the_url_is_wrong_then_an_error() -> None:
    with pytest.raises(InvalidRequest):
        open_registry("memory")


# ---- ZooKeeper fails -----------------------------------------------------------------------------


async def test_registry_when_zookeeper_goes_then_the_last_picture_stays_and_says_so(
    zookeeper: ZookeeperServer,
) -> None:
    async with open_registry(zookeeper.url) as one, open_registry(zookeeper.url) as two:
        await one.register(ONE)
        await two.register(TWO)
        await eventually(shows(one, ONE, TWO))
        assert one.is_live(UnitId("unit-2"), "first")
        assert not one.is_live(UnitId("unit-2"), "second")
        zookeeper.kill()
        await eventually(lambda: one.state == "suspended")
        busier = replace(ONE, load=0.5)
        await one.register(busier)
        assert one.nodes() == (ONE, TWO)
        assert one.is_live(UnitId("unit-2"), "second")
        assert one.counters()["up"] == 0
        zookeeper.start()
        await eventually(shows(two, busier, TWO))
        await eventually(lambda: one.state == "ok")


async def test_registry_when_all_sessions_are_lost_then_registered_again_and_nobody_vanished(
    url: str, zookeeper_server: ZookeeperServer
) -> None:
    chroot = url.split("/", 3)[3]
    async with relay_to("127.0.0.1", zookeeper_server.port) as relay:
        through = f"zookeeper://{relay.url.partition('://')[2]}/{chroot}"
        async with open_registry(through, SHORT_S) as one, open_registry(through, SHORT_S) as two:
            await one.register(ONE)
            await two.register(TWO)
            await eventually(shows(one, ONE, TWO))
            await eventually(shows(two, ONE, TWO))
            seen: list[tuple[Node, ...]] = []
            two.watch(seen.append)
            async with open_registry(url) as outside:
                relay.loses_answers = True
                await eventually(shows(outside))
                await eventually(lambda: one.state == two.state == "suspended")
                assert one.nodes() == two.nodes() == (ONE, TWO)
                relay.loses_answers = False
                await eventually(shows(outside, ONE, TWO))
            await eventually(lambda: one.state == two.state == "ok")
            assert seen == []


async def test_registry_when_one_comes_back_before_the_others_then_it_waits_for_them(
    url: str, zookeeper_server: ZookeeperServer
) -> None:
    chroot = url.split("/", 3)[3]
    async with relay_to("127.0.0.1", zookeeper_server.port) as relay, open_registry(url) as one:
        await one.register(ONE)
        through = f"zookeeper://{relay.url.partition('://')[2]}/{chroot}"
        async with open_registry(through, session_timeout_s=2.0) as two:
            assert two.nodes() == (ONE,)
            seen: list[tuple[Node, ...]] = []
            two.watch(seen.append)
            relay.loses_answers = True
            async with open_registry(url) as outside:
                await two.register(TWO)
                await eventually(lambda: two.state == "suspended")
                await one.unregister()
                await eventually(shows(outside))
            relay.loses_answers = False
            await eventually(lambda: two.state == "ok")
            assert two.nodes() == (ONE, TWO)
            await eventually(shows(two, TWO))
            assert seen == [(ONE, TWO), (TWO,)]


async def test_registry_when_zookeeper_hangs_then_calls_return_and_the_end_comes(
    zookeeper: ZookeeperServer,
) -> None:
    async with open_registry(zookeeper.url) as one:
        await one.register(ONE)
        zookeeper.pause()
        await eventually(lambda: one.state == "suspended")
        await one.register(replace(ONE, load=0.5))
        assert one.nodes() == (ONE,)


@pytest.mark.slow
async def test_registry_when_the_leader_of_three_dies_then_nobody_vanishes(tmp_path: Path) -> None:
    with zookeeper_ensemble(tmp_path) as servers:
        url = f"zookeeper://{','.join(f'127.0.0.1:{one.port}' for one in servers)}/im"
        async with open_registry(url) as one, open_registry(url) as two:
            await one.register(ONE)
            await two.register(TWO)
            await eventually(shows(one, ONE, TWO))
            await eventually(shows(two, ONE, TWO))
            seen: list[tuple[Node, ...]] = []
            one.watch(seen.append)
            servers[0].kill()
            for registry in (one, two):
                await eventually(lambda it=registry: it.counters()["outages_total"] >= 1)  # type: ignore[misc]
            await eventually(lambda: one.state == two.state == "ok")
            busier = replace(TWO, load=0.5)
            await two.register(busier)
            await eventually(shows(one, ONE, busier))
            assert seen == [(ONE, busier)]
