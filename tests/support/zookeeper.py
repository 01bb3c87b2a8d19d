"""ZooKeeper for tests."""

from __future__ import annotations

from pathlib import Path

from tests.support.servers import ServerProcess, ask, free_port, program

TICK_MS = 100
_CLASSPATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"


class ZookeeperServer(ServerProcess):
    """One ZooKeeper; what it was told is kept over a restart."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        home = folder / f"zookeeper-{self.port}"
        home.mkdir()
        config = home / "zoo.cfg"
        lines = [
            f"tickTime={TICK_MS}",
            f"dataDir={home}",
            "clientPortAddress=127.0.0.1",
            f"clientPort={self.port}",
            "maxClientCnxns=0",
            "minSessionTimeout=500",
            "maxSessionTimeout=20000",
            "autopurge.purgeInterval=0",
            "preAllocSize=64",
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
            is_ready=lambda: ask(self.port, b"ruok").startswith(b"imok"),
        )

    @property
    def url(self) -> str:
        """As the registry takes it; add a chroot."""
        return f"zookeeper://127.0.0.1:{self.port}"
