"""kill -9 of one unit after the other, in a storm: clients go on elsewhere, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from tests.e2e.processes import serving
from tests.e2e.test_power_cut import (
    MESSAGES,
    make_friends,
    newcomer,
    read_history,
    receive_all,
    send_all,
)

from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.storage.open import migrate_storage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
    pytest.mark.timeout(180),
]

TIMEOUT_S = 150.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def zookeeper(tmp_path: Path) -> Iterator[ZookeeperServer]:
    with ZookeeperServer(tmp_path) as server:
        yield server


def unit_folder(folder: Path, database: str, presence: str, registry: str) -> Path:
    """A folder in which `tinyqq serve` finds its settings."""
    folder.mkdir()
    (folder / "tinyqq.toml").write_text(
        f"""
database_url = "{database}"
presence = "{presence}"
registry = "{registry}"
registry_session_timeout_s = 2.0
[listen]
node_port = 0
[cluster]
secret = "sixteen bytes or more"
"""
    )
    return folder


async def test_units_killed_in_turn_in_a_storm_then_nothing_is_lost_or_doubled(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> None:
    shared = mariadb.make_database(), f"{redis.url}/0", f"{zookeeper.url}/storm"
    await migrate_storage(shared[0])
    folders = [unit_folder(tmp_path / name, *shared) for name in ("one", "two")]
    expected = [f"#{number}" for number in range(MESSAGES)]
    acknowledged: list[str] = []
    news = asyncio.Event()

    async def reached(count: int) -> None:
        while len(acknowledged) < count:
            news.clear()
            await news.wait()

    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        running = stack.enter_context(ExitStack())
        units = [
            await asyncio.to_thread(running.enter_context, serving(folder)) for folder in folders
        ]
        ports = [unit.ports() for unit in units]
        directory = units[1].url
        one = await stack.enter_async_context(newcomer(directory, tmp_path / "one.db"))
        other = await stack.enter_async_context(newcomer(directory, tmp_path / "other.db"))
        await make_friends(one, other)
        async with asyncio.TaskGroup() as group:
            group.create_task(send_all(one, other.user_id, acknowledged, news))
            received = group.create_task(receive_all(other))
            for number, count in enumerate((MESSAGES // 4, MESSAGES // 2)):
                await reached(count)
                await asyncio.to_thread(units[number].kill)
                again = serving(folders[number], *ports[number])
                await asyncio.to_thread(running.enter_context, again)
        assert sorted(acknowledged) == sorted(expected)
        assert received.result() == expected
        assert await read_history(one, other.user_id) == expected
