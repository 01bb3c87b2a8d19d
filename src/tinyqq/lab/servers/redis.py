"""Redis: a single server, Sentinels, a cluster. Nothing is kept on disk."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.packages import program
from tinyqq.lab.servers.process import ServerProcess, ask, free_port, free_ports, wait_until

MASTER: Final = "tinyqq"
"""What the Sentinels call the primary."""


class RedisServer(ServerProcess):
    """A Redis that keeps nothing on disk."""

    def __init__(
        self, folder: Path, *arguments: str, port: int | None = None, name: str = ""
    ) -> None:
        self.port = port or free_port()
        super().__init__(
            name=name or f"redis-{self.port}",
            command=[
                program("redis-server"),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)),
                *("--daemonize", "no", "--save", "", "--appendonly", "no"),
                *arguments,
            ],
            folder=folder,
            is_ready=lambda: _answers(self.port),
        )

    @property
    def url(self) -> str:
        """As presence takes it."""
        return f"redis://127.0.0.1:{self.port}"

    def cli(self, *words: str) -> str:
        """What it answers to a command."""
        return redis_cli(self.port, *words)


class SentinelServer(ServerProcess):
    """A Sentinel that watches one primary."""

    def __init__(
        self, folder: Path, *, primary_port: int, port: int | None = None, name: str = ""
    ) -> None:
        self.port = port or free_port()
        name = name or f"sentinel-{self.port}"
        config = folder / f"{name}.conf"
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            "protected-mode no",
            f"dir {folder}",
            f"sentinel monitor {MASTER} 127.0.0.1 {primary_port} 2",
            f"sentinel down-after-milliseconds {MASTER} 500",
            f"sentinel failover-timeout {MASTER} 2000",
        ]
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        super().__init__(
            name=name,
            command=[program("redis-server"), config, "--sentinel"],
            folder=folder,
            is_ready=lambda: _answers(self.port),
        )

    def knows_all(self) -> bool:
        """Whether it has found the replica and two other Sentinels; no failover before that."""
        words = redis_cli(self.port, "SENTINEL", "MASTER", MASTER).split()
        known = dict(itertools.pairwise(words))
        return (known.get("num-other-sentinels"), known.get("num-slaves")) == ("2", "1")


QUICK_COPY: Final = ("--repl-diskless-sync-delay", "0")
"""Arguments of a primary: a replica is sent its copy at once."""


def replica_of(primary_port: int) -> tuple[str, ...]:
    """Arguments of a replica."""
    return ("--replicaof", f"127.0.0.1 {primary_port}", *QUICK_COPY)


def sentinel_url(ports: Iterable[int]) -> str:
    """The primary that the Sentinels know, as presence takes it."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"redis+sentinel://{hosts}/{MASTER}"


def _answers(port: int) -> bool:
    return ask(port, b"PING\r\n") == b"+PONG\r\n"


def redis_cli(port: int, *words: str) -> str:
    """What Redis answers to a command."""
    return subprocess.run(
        [program("redis-cli"), "-p", str(port), *words],
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    ).stdout


@dataclass(frozen=True)
class Watched:
    """A primary with its replica, and the Sentinels that watch them."""

    primary: RedisServer
    replica: RedisServer
    sentinels: tuple[SentinelServer, ...]

    @property
    def url(self) -> str:
        """As presence takes it."""
        return sentinel_url([one.port for one in self.sentinels])


@contextmanager
def watched_redis(folder: Path) -> Iterator[Watched]:
    """A primary, a replica and three Sentinels that agree about them."""
    with ExitStack() as stack:
        primary = stack.enter_context(RedisServer(folder, *QUICK_COPY))
        replica = stack.enter_context(RedisServer(folder, *replica_of(primary.port)))
        wait_until(
            lambda: "master_link_status:up" in replica.cli("INFO", "replication"),
            what="the replica",
        )
        sentinels = tuple(
            stack.enter_context(SentinelServer(folder, primary_port=primary.port)) for _ in range(3)
        )
        wait_until(lambda: all(one.knows_all() for one in sentinels), what="the Sentinels")
        yield Watched(primary, replica, sentinels)


@contextmanager
def redis_cluster(folder: Path) -> Iterator[tuple[RedisServer, ...]]:
    """Three primaries, each with a replica; the primaries come first."""
    with ExitStack() as stack:
        servers = tuple(
            stack.enter_context(_cluster_node(folder, port, bus))
            for port, bus in zip(free_ports(6), free_ports(6), strict=True)
        )
        addresses = [f"127.0.0.1:{one.port}" for one in servers]
        servers[0].cli(
            *("--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes")
        )
        wait_until(lambda: all(map(_is_whole, servers)), what="the Redis Cluster")
        yield servers


def _cluster_node(folder: Path, port: int, bus: int) -> RedisServer:
    return RedisServer(
        folder,
        *("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{port}.conf"),
        *("--cluster-node-timeout", "1000", "--cluster-port", str(bus)),
        *("--cluster-announce-ip", "127.0.0.1", "--cluster-require-full-coverage", "no"),
        *("--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"),
        port=port,
    )


def _is_whole(server: RedisServer) -> bool:
    info, nodes = server.cli("CLUSTER", "INFO"), server.cli("CLUSTER", "NODES")
    return (
        "cluster_state:ok" in info and "cluster_known_nodes:6" in info and nodes.count("slave") == 3
    )
