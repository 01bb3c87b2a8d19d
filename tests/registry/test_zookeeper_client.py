"""One session with a real ZooKeeper, as the event loop sees it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError
from kazoo.protocol.states import KazooState
from tests.support.servers import safe_name

from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.registry.zookeeper_client import ZookeeperClient
from tinyqq.registry.zookeeper_url import ZookeeperAddress, parse_zookeeper_url

pytestmark = pytest.mark.needs("zookeeper")


class Heard:
    """What a client calls back with, in the order in which it came."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.paths: list[str] = []
        self.threads: set[threading.Thread] = set()
        self._news = asyncio.Event()

    def on_state(self, state: str) -> None:
        self._note(self.states, state)

    def on_event(self, path: str) -> None:
        self._note(self.paths, path)

    async def wait_for(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _note(self, kept: list[str], value: str) -> None:
        kept.append(value)
        self.threads.add(threading.current_thread())
        self._news.set()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[ZookeeperClient, Heard]]:
    heard = Heard()
    client = ZookeeperClient(
        parse_zookeeper_url(url),
        session_timeout_s=10.0,
        on_state=heard.on_state,
        on_event=heard.on_event,
    )
    client.start()
    try:
        await heard.wait_for(lambda: KazooState.CONNECTED in heard.states)
        yield client, heard
    finally:
        await client.close()


@pytest.fixture
def url(zookeeper_server: ZookeeperServer) -> str:
    return zookeeper_server.url


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> str:
    """A place of the test's own."""
    return f"/tests/{safe_name(request.node.name)}"


async def test_node_when_written_then_read_with_its_version_and_owner(
    url: str, folder: str
) -> None:
    async with connected(url) as (one, _), connected(url) as (two, _):
        await one.ensure_path(folder)
        await one.create(f"{folder}/a", b"first")
        assert await one.write(f"{folder}/a", b"second", 0) == 1
        assert await one.read(f"{folder}/a") == (b"second", 1, True)
        assert await two.read(f"{folder}/a") == (b"second", 1, False)


async def test_node_when_its_session_ends_then_it_goes(url: str, folder: str) -> None:
    async with connected(url) as (one, heard):
        await one.ensure_path(folder)
        async with connected(url) as (two, _):
            await two.create(f"{folder}/a", b"")
            assert await one.list_names(folder) == ["a"]
        await heard.wait_for(lambda: folder in heard.paths)
        assert await one.list_names(folder) == []


async def test_watch_when_something_changes_then_heard_in_the_loop_and_once(
    url: str, folder: str
) -> None:
    async with connected(url) as (one, _), connected(url) as (two, heard):
        await one.ensure_path(folder)
        await two.list_names(folder)
        await one.create(f"{folder}/a", b"")
        await two.read(f"{folder}/a")
        await one.write(f"{folder}/a", b"unwatched", 0)
        await two.read(f"{folder}/a", is_watched=True)
        await one.write(f"{folder}/a", b"watched", 1)
        await one.write(f"{folder}/a", b"watched no more", 2)
        await two.read(f"{folder}/a")
        await heard.wait_for(lambda: len(heard.paths) >= 2)
        assert heard.paths == [folder, f"{folder}/a"]
        assert heard.threads == {threading.main_thread()}


async def test_question_when_it_does_not_fit_then_the_reason(url: str, folder: str) -> None:
    async with connected(url) as (one, _):
        await one.ensure_path(folder)
        await one.create(f"{folder}/a", b"")
        with pytest.raises(NodeExistsError):
            await one.create(f"{folder}/a", b"")
        with pytest.raises(BadVersionError):
            await one.write(f"{folder}/a", b"", 7)
        with pytest.raises(BadVersionError):
            await one.delete(f"{folder}/a", 7)
        await one.delete(f"{folder}/a", 0)
        with pytest.raises(NoNodeError):
            await one.read(f"{folder}/a")


async def test_client_when_closed_without_having_connected_then_no_thread_stays() -> None:
    before = _threads()
    heard = Heard()
    client = ZookeeperClient(
        ZookeeperAddress(f"127.0.0.1:{free_port()}"),
        session_timeout_s=10.0,
        on_state=heard.on_state,
        on_event=heard.on_event,
    )
    client.start()
    await client.close()
    assert _threads() == before


def _threads() -> set[threading.Thread]:
    """Threads that are not of the event loop's own pool."""
    return {one for one in threading.enumerate() if not one.name.startswith("asyncio")}
