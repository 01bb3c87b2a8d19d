"""Clusters under load: units as processes, with a ZooKeeper, a Redis and a MariaDB of their own.

All of them share the server's core, so that the CPU time of the parts can be added up. MariaDB
really waits for its disk at every commit; it has the memory and the log of a small real server,
not those of a test's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from bench.server import SERVER_CORE, Sample, can_pin, machine_s
from tinyqq.clock import SystemClock
from tinyqq.lab.population import PasswordCost
from tinyqq.lab.prepare import prepare
from tinyqq.lab.servers.mariadb import MariaDb, make_template
from tinyqq.lab.servers.process import ServerProcess, free_port
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.storage.open import migrate_storage, open_storage

PEOPLE: Final = 2_000
PAIRS: Final = 1_000
MEMBERS: Final = 1_000
_DATABASE: Final = "bench"
_REAL_SIZES: Final = (
    "--innodb-buffer-pool-size=512M",
    "--innodb-log-file-size=256M",
    "--innodb-doublewrite=1",
)
_METRIC: Final = re.compile(r"^(tinyqq_\w+) (\S+)$", re.M)
_HTTP_TIMEOUT_S: Final = 10


def make_cluster_template(directory: Path) -> Path:
    """A folder with MariaDB's data after a busy first day, and ``population.json``."""
    directory.mkdir(parents=True)
    empty = make_template(directory)
    with short_folder(directory) as folder:
        server = MariaDb(folder=folder, template=empty, durable=True)
        server.start(arguments=_REAL_SIZES)
        server.ask(f"CREATE DATABASE {_DATABASE}")
        asyncio.run(_populate(server.url(_DATABASE), directory / "population.json"))
        server.stop()
        shutil.move(folder / "data", directory / "data")
    return directory


async def _populate(url: str, population: Path) -> None:
    await migrate_storage(url)
    async with open_storage(url) as storage:
        people = await prepare(
            accounts=storage.accounts,
            log_writer=storage.log_writer,
            clock=SystemClock(),
            people=PEOPLE,
            pairs=PAIRS,
            members=MEMBERS,
            cost=PasswordCost(),
        )
    people.save(population)


@dataclass(frozen=True, slots=True)
class RunningCluster:
    """Units that see each other, and what they stand on; implements ``server.RunningServer``."""

    units: tuple[ServerProcess, ...]
    ports: tuple[int, ...]
    http_ports: tuple[int, ...]
    mariadb: MariaDb
    redis: RedisServer
    struck: list[int] = field(default_factory=list)
    """Units to which something was done; they are asked nothing any more."""

    @property
    def directory(self) -> str:
        """At the last unit; it is the first one to which things are done."""
        return f"http://127.0.0.1:{self.http_ports[-1]}"

    def sample(self) -> Sample:
        """CPU time of all parts but ZooKeeper's, which idles; the units' memory and counters."""
        units = [one for place, one in enumerate(self.units) if place not in self.struck]
        cpu = {
            "cpu_units": sum(map(_cpu_s, units)),
            "cpu_database": _cpu_s(self.mariadb),
            "cpu_redis": _cpu_s(self.redis),
        }
        rss = sum(psutil.Process(one.pid).memory_info().rss for one in units)
        counted = {**self._counters(), **self._questions(), **cpu}
        return Sample(sum(cpu.values()), rss, machine_s(), counted)

    def act(self, order: str) -> None:
        """``kill`` or ``hang``: what becomes of the first unit."""
        self.struck.append(0)
        {"kill": self.units[0].kill, "hang": self.units[0].pause}[order]()

    def _counters(self) -> Counter[str]:
        """The metrics of all units added up."""
        total: Counter[str] = Counter()
        ports = [port for place, port in enumerate(self.http_ports) if place not in self.struck]
        for port in ports:
            for name, value in _METRIC.findall(_get(port, "/metrics")):
                total[name.removeprefix("tinyqq_")] += float(value)  # type: ignore[assignment]  # of a Counter, floats are as good
        return total

    def _questions(self) -> Mapping[str, float]:
        """What the shared servers were asked."""
        [row] = self.mariadb.ask("SHOW GLOBAL STATUS LIKE 'Questions'")
        stats = self.redis.cli("INFO", "stats")
        commands = re.search(r"total_commands_processed:(\d+)", stats)
        assert commands is not None
        return {"statements": float(row[1]), "redis_commands": float(commands[1])}


@contextlib.contextmanager
def serve_units(
    count: int, settings: Mapping[str, str], template: Path, directory: Path
) -> Iterator[RunningCluster]:
    """A cluster of so many units on a fresh copy of the data, until the end of the block.

    Args:
        settings: more than they have in common anyway, as environment variables name them.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(short_folder(directory))
        stack.enter_context(_on_server_core())
        mariadb = MariaDb(folder=folder, template=template / "data", durable=True)
        stack.callback(mariadb.stop)
        mariadb.start(arguments=_REAL_SIZES)
        redis = stack.enter_context(RedisServer(folder))
        zookeeper = stack.enter_context(ZookeeperServer(folder))
        shared = {
            "DATABASE_URL": mariadb.url(_DATABASE),
            "PRESENCE": f"{redis.url}/0",
            "REGISTRY": f"{zookeeper.url}/bench",
            "REGISTRY_SESSION_TIMEOUT_S": "2",
            "CLUSTER__SECRET": "a secret of the bench",
            "LOG__LEVEL": "warning",
            # All clients share one address here, and one of them may send at full speed.
            "ACCOUNTS__LOG_INS_PER_ADDRESS_PER_MINUTE": "0",
            "LIMITS__SENDS_PER_S": "100000",
            "LIMITS__LOG_INS_PER_S": "0",
            "LIMITS__REQUESTS_PER_S": "0",
            **settings,
        }
        units, ports, http_ports = [], [], []
        for number in range(count):
            ports.append(free_port())
            http_ports.append(free_port())
            is_ready = partial(_sees_units, http_ports[-1], count)
            units.append(_unit(folder, number, (ports[-1], http_ports[-1]), is_ready, shared))
            stack.callback(units[-1].stop)
            units[-1].start(wait=False)
        for unit in units:
            unit.wait_ready()
        yield RunningCluster(tuple(units), tuple(ports), tuple(http_ports), mariadb, redis)


def _unit(
    folder: Path,
    number: int,
    ports: tuple[int, int],
    is_ready: Callable[[], bool],
    shared: Mapping[str, str],
) -> ServerProcess:
    own = {
        "DATA_DIR": str(folder / f"unit-{number}"),
        "LISTEN__TCP_PORT": str(ports[0]),
        "LISTEN__HTTP_PORT": str(ports[1]),
        "LISTEN__NODE_PORT": str(free_port()),
    }
    return ServerProcess(
        name=f"unit-{number}",
        command=[Path(sys.executable).with_name("tinyqq"), "serve"],
        folder=folder,
        is_ready=is_ready,
        environment={
            **os.environ,
            **{f"TINYQQ_{name}": value for name, value in {**shared, **own}.items()},
        },
    )


@contextlib.contextmanager
def short_folder(directory: Path) -> Iterator[Path]:
    """A folder for servers, removed at the end; paths of unix sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="tq-", dir=directory.parent) as name:
        yield Path(name)


@contextlib.contextmanager
def _on_server_core() -> Iterator[None]:
    """What is started in the block stays on the server's core, with all its threads."""
    if not can_pin():
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_s(server: ServerProcess) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


def _sees_units(http_port: int, count: int) -> bool:
    return len(json.loads(_get(http_port, "/v1/units"))["units"]) == count


def _get(port: int, path: str) -> str:
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, timeout=_HTTP_TIMEOUT_S) as answer:
        text: str = answer.read().decode()
        return text
