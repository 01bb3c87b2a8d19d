"""ZooKeeper: a single server, or an ensemble of three."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.packages import program
from tinyqq.lab.servers.process import ServerProcess, ask, free_port, free_ports, wait_until

TICK_MS: Final = 100
_CLASSPATH: Final = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"


class ZookeeperServer(ServerProcess):
    """One ZooKeeper; what it was told is kept over a restart.

    Args:
        ensemble: ``server.N=…`` lines of the whole ensemble (:func:`ensemble_lines`).
        number: which of them it is, from 1.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ensemble: Sequence[str] = (),
        number: int = 0,
        port: int | None = None,
        name: str = "",
    ) -> None:
        self.port = port or free_port()
        home = folder / (name or f"zookeeper-{self.port}")
        home.mkdir(exist_ok=True)
        (home / "myid").write_text(f"{number}\n", encoding="ascii")
        config = home / "zoo.cfg"
        lines = [
            f"tickTime={TICK_MS}",
            "initLimit=100",
            "syncLimit=50",
            f"dataDir={home}",
            "clientPortAddress=127.0.0.1",
            f"clientPort={self.port}",
            "maxClientCnxns=0",
            "minSessionTimeout=500",
            "maxSessionTimeout=20000",
            "autopurge.purgeInterval=0",
            "preAllocSize=64",
            *ensemble,
        ]
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        super().__init__(
            name=home.name,
            command=[
                program("java"),
                *("-Xmx64m", "-Xms16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                "-Dzookeeper.forceSync=no",
                "-Dzookeeper.admin.enableServer=false",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dzookeeper.4lw.commands.whitelist=ruok,srvr,mntr",
                *("-cp", _CLASSPATH, "org.apache.zookeeper.server.quorum.QuorumPeerMain"),
                config,
            ],
            folder=home,
            is_ready=lambda: self.mode() != "",
        )

    @property
    def url(self) -> str:
        """As the registry takes it; add a chroot."""
        return f"zookeeper://127.0.0.1:{self.port}"

    def mode(self) -> str:
        """``standalone``, ``leader`` or ``follower``; empty while it does not serve."""
        key = b"zk_server_state\t"
        lines = ask(self.port, b"mntr").splitlines()
        return next((line[len(key) :].decode() for line in lines if line.startswith(key)), "")


def ensemble_lines(ports: Sequence[tuple[int, int]]) -> list[str]:
    """What every member is told about all: by which ports they talk, and elect."""
    return [f"server.{n}=127.0.0.1:{one}:{two}" for n, (one, two) in enumerate(ports, 1)]


@contextmanager
def zookeeper_ensemble(folder: Path) -> Iterator[tuple[ZookeeperServer, ...]]:
    """Three that elect a leader; the leader of the start comes first."""
    lines = ensemble_lines(list(zip(free_ports(3), free_ports(3), strict=True)))
    servers = [ZookeeperServer(folder, ensemble=lines, number=number) for number in (1, 2, 3)]
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start(wait=False)
        for server in servers:
            server.wait_ready()

        def has_leader() -> bool:
            """It comes first from now on."""
            servers.sort(key=lambda one: one.mode() != "leader")
            return servers[0].mode() == "leader"

        wait_until(has_leader, what="a leader")
        yield tuple(servers)
