"""Redis: a single server, Sentinels, a cluster. Nothing is kept on disk."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
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

    def __init__(self, folder: Path, *arguments: str, port: int | None = None) -> None:
        self.port = port or free_port()
        super().__init__(
            name=f"redis-{self.port}",
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

    def __init__(self, folder: Path, *, primary_port: int, port: int | None = None) -> None:
        self.port = port or free_port()
        config = folder / f"sentinel-{self.port}.conf"
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
            name=f"sentinel-{self.port}",
            command=[program("redis-server"), config, "--sentinel"],
            folder=folder,
            is_ready=lambda: _answers(self.port),
        )


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
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{MASTER}"


@contextmanager
def watched_redis(folder: Path) -> Iterator[Watched]:
    """A primary, a replica and three Sentinels that agree about them."""
    quick = ("--repl-diskless-sync-delay", "0")
    with ExitStack() as stack:
        primary = stack.enter_context(RedisServer(folder, *quick))
        replica = stack.enter_context(
            RedisServer(folder, "--replicaof", f"127.0.0.1 {primary.port}", *quick)
        )
        wait_until(
            lambda: "master_link_status:up" in replica.cli("INFO", "replication"),
            what="the replica",
        )
        sentinels = tuple(
            stack.enter_context(SentinelServer(folder, primary_port=primary.port)) for _ in range(3)
        )
        wait_until(lambda: all(map(_knows_all, sentinels)), what="the Sentinels")
        yield Watched(primary, replica, sentinels)


def _knows_all(sentinel: SentinelServer) -> bool:
    words = redis_cli(sentinel.port, "SENTINEL", "MASTER", MASTER).split()
    known = dict(itertools.pairwise(words))
    return (known.get("num-other-sentinels"), known.get("num-slaves")) == ("2", "1")


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
