"""Every unit is restarted, one after the other, while people talk; and what operators see of it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.processes import Server, lasting_ports, run_tinyqq, serving, unit_folder
from tests.e2e.storm import gathering
from tests.e2e.test_cluster import befriend, person, texts
from tests.e2e.test_power_cut import PASSWORD, newcomer
from tests.support.eventually import eventually
from tests.support.relay import relay_to

from tinyqq.app.build import App
from tinyqq.client import Client, Disconnected, MemoryStore
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.storage.open import migrate_storage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
]

TIMEOUT_S = 250.0
UNITS = 3
BYSTANDERS = 18
LOG_INS_PER_S = 8.0
"""Of each unit. Those who leave a unit use half of what the other two take."""
WINDOW_S = 1.0
BETWEEN = 150
"""Messages between two restarts."""
POLL_S = 0.1


class Units:
    """Units as processes; their names as the registry has them."""

    def __init__(self, running: ExitStack, folders: list[Path]) -> None:
        self._running = running
        self.folders = folders
        self.servers: list[Server] = []

    async def start(self) -> None:
        """All of them."""
        for folder in self.folders:
            self.servers.append(await self._open(folder, *lasting_ports()))

    async def restart(self, number: int) -> None:
        """One that has stopped, at the same ports."""
        ports = self.servers[number].ports()
        self.servers[number] = await self._open(self.folders[number], *ports)

    async def _open(self, folder: Path, *ports: str) -> Server:
        return await asyncio.to_thread(self._running.enter_context, serving(folder, *ports))

    async def ask(self, *arguments: str) -> str:
        """What a command of the operator says."""
        done = await asyncio.to_thread(run_tinyqq, self.folders[0], *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def names(self) -> dict[str, str]:
        """Name → state of the nodes that the registry shows."""
        return {row["node"]: row["state"] for row in json.loads(await self.ask("nodes", "--json"))}

    async def stop(self, number: int) -> int:
        """SIGTERM; the exit code."""
        code, _ = await asyncio.to_thread(self.servers[number].stop)
        return code

    async def drain(self, number: int) -> int:
        """As an operator does from elsewhere; the exit code."""
        port = self.servers[number].tcp_url.rpartition(":")[2]
        [name] = [one for one in await self.names() if one.endswith(f"-{port}")]
        assert "is leaving" in await self.ask("drain", name, "--wait")
        process = self.servers[number].process
        return await asyncio.to_thread(process.wait, TIMEOUT_S)


class LogIns:
    """When the units took log-ins, and how many they sent away, by their own count."""

    def __init__(self, urls: list[str]) -> None:
        self.moments: list[tuple[float, float, float]] = []
        """Since when, until when, how many."""
        self.refused: dict[str, float] = defaultdict(float)
        self._urls = urls
        self._taken: dict[str, float] = {}
        self._looked_s: dict[str, float] = {}

    async def watch(self) -> None:
        """Look, again and again."""
        async with aiohttp.ClientSession() as http:
            while True:
                for url in self._urls:
                    await self._look(http, url)
                await asyncio.sleep(POLL_S)

    def in_a_second(self) -> float:
        """The most that all units took together within a second."""
        return max(
            sum(
                taken
                for since, until, taken in self.moments
                if start <= since and until <= start + 1
            )
            for start, _, _ in self.moments
        )

    async def _look(self, http: aiohttp.ClientSession, url: str) -> None:
        try:
            async with http.get(f"{url}/metrics") as answer:
                text = await answer.text()
        except aiohttp.ClientError:
            return  # it is being restarted
        taken = _counter(text, "log_ins_total")
        before = self._taken.get(url, 0.0)
        self._taken[url] = taken
        self.refused[url] = max(self.refused[url], _counter(text, "refused_log_ins_total"))
        now_s = time.monotonic()
        since_s, self._looked_s[url] = self._looked_s.get(url, now_s), now_s
        if taken != before:
            more = taken - before if taken > before else taken
            self.moments.append((since_s, now_s, more))


def _counter(metrics: str, name: str) -> float:
    [line] = re.findall(rf"^tinyqq_gateway_{name} (.*)$", metrics, re.MULTILINE)
    return float(line)


@pytest.fixture
async def processes(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> AsyncIterator[Units]:
    shared = mariadb.make_database(), f"{redis.url}/0", f"{zookeeper.url}/rolling"
    await migrate_storage(shared[0])
    folders = [unit_folder(tmp_path / f"unit{number}", *shared) for number in range(UNITS)]
    for folder in folders:
        with (folder / "tinyqq.toml").open("a") as file:
            file.write(f"[limits]\nlog_ins_per_s = {LOG_INS_PER_S}\n")
            file.write(f"[drain]\nwindow_s = {WINDOW_S}\n")
    with ExitStack() as running:
        made = Units(running, folders)
        await made.start()
        yield made


@asynccontextmanager
async def bystanders(url: str, folder: Path) -> AsyncIterator[list[Client]]:
    """People who are there and say nothing."""
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(newcomer(url, folder / f"by{number}.db"))
            for number in range(BYSTANDERS)
        ]
        yield people


async def count_losses(me: Client, losses: list[str]) -> None:
    """Note every moment in which somebody was without a connection."""
    async for event in me.events():
        if isinstance(event, Disconnected):
            losses.append(str(event.error))


async def test_units_restarted_one_after_the_other_under_load_then_nobody_notices(
    processes: Units, tmp_path: Path
) -> None:
    urls = [server.url for server in processes.servers]
    log_ins = LogIns(urls)
    losses: list[str] = []
    async with (
        asyncio.timeout(TIMEOUT_S),
        gathering(urls, tmp_path, pairs=2) as storm,
        bystanders(urls[0], tmp_path) as people,
        asyncio.TaskGroup() as watching,
    ):
        tasks = [watching.create_task(count_losses(me, losses)) for me in people]
        tasks.append(watching.create_task(log_ins.watch()))
        async with storm.raging():
            await storm.reaches(BETWEEN)
            log_ins.moments.clear()
            refused = dict(log_ins.refused)
            for number in range(UNITS):
                leave = processes.drain if number == 1 else processes.stop
                assert await leave(number) == 0
                await processes.restart(number)
                await storm.reaches(BETWEEN)
            names = await processes.names()
        await storm.check()
        for task in tasks:
            task.cancel()
    storm.report("rolling restart")
    print(f"at most {log_ins.in_a_second():.0f} log-ins in a second")  # noqa: T201 - for pytest -rP
    assert losses == []
    assert list(names.values()) == ["ok"] * UNITS
    assert log_ins.in_a_second() <= LOG_INS_PER_S * (UNITS - 1)
    assert {url: count - refused.get(url, 0.0) for url, count in log_ins.refused.items()} == (
        dict.fromkeys(urls, 0.0)
    )


async def test_device_moves_while_its_old_connection_lingers_then_neither_confuses_the_other(
    units: tuple[App, App],
) -> None:
    """The network to the first unit is gone, and that unit does not know yet."""
    store = MemoryStore()
    async with (
        asyncio.timeout(TIMEOUT_S),
        relay_to(*_address(units[0])) as relay,
        person(units[0], "小明") as ming,
        Client(relay.url, store=store) as old,
    ):
        made = await old.register("小红", PASSWORD)
        await old.login(made.user_id, PASSWORD)
        await befriend(ming, old)
        await ming.send(made.user_id, "#0")
        assert await texts(old, 1) == ["#0"]
        relay.loses_all = True
        async with Client(units[1].tcp_url, store=store) as new:
            for number in range(1, 21):
                await ming.send(made.user_id, f"#{number}")
            assert await texts(new, 20) == [f"#{number}" for number in range(1, 21)]
            relay.cut()  # only now the first unit cleans up
            await eventually(lambda: _sessions(units[0], 1))
            [contact] = [one for one in await ming.friends.list() if one.user_id == made.user_id]
            assert contact.online
            await ming.send(made.user_id, "#21")
            assert await texts(new, 1) == ["#21"]
            await new.send(ming.user_id, "收到")
            assert await texts(ming, 1) == ["收到"]


async def _sessions(app: App, count: int) -> bool:
    """Whether a unit holds so many."""
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        return _counter(await answer.text(), "open_connections") == count


def _address(app: App) -> tuple[str, int]:
    assert app.tcp_address is not None
    return app.tcp_address
