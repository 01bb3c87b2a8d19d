"""Galera: MariaDB nodes that all hold the same, each commit on a majority of them.

As root the nodes run as the system user ``mysql``: their way of copying a database (rsync) does not
work for root. Every folder above theirs must then be open to it (``x`` for others).
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.mariadb import MariaDb, is_root
from tinyqq.lab.servers.process import ServerFailed, free_port, runs_as, wait_until

_USER: Final = "mysql"
_RECOVER_TIMEOUT_S: Final = 60
_NO_CLUSTER: Final = "00000000-0000-0000-0000-000000000000"

_OPTIONS: Final = """\
binlog-format=ROW
innodb-autoinc-lock-mode=2
wsrep-on=ON
wsrep-provider=/usr/lib/galera/libgalera_smm.so
wsrep-cluster-name=tinyqq
wsrep-cluster-address=gcomm://{members}
wsrep-node-name={name}
wsrep-node-address=127.0.0.1
wsrep-node-incoming-address=127.0.0.1:{sql}
wsrep-sst-method=rsync
wsrep-sst-receive-address=127.0.0.1:{copy}
wsrep-provider-options="{provider}"
"""
_PROVIDER: Final = (
    "gmcast.listen_addr=tcp://127.0.0.1:{group};base_host=127.0.0.1;base_port={group}",
    "ist.recv_addr=127.0.0.1:{catch_up};gcache.size=16M",
    # A dead node is noticed after 1.5 s, not 5. Still shorter: quorum lost on a busy machine.
    "evs.keepalive_period=PT0.25S;evs.inactive_check_period=PT0.25S",
    "evs.suspect_timeout=PT1.5S;evs.inactive_timeout=PT5S;evs.install_timeout=PT5S",
)


@dataclass(frozen=True, slots=True)
class GaleraPorts:
    """Where one node listens: for clients, for the group, for the entries that a node missed, and
    for a copy of everything."""

    sql: int
    group: int
    catch_up: int
    copy: int

    @classmethod
    def free(cls) -> GaleraPorts:
        """Four that nobody uses."""
        return cls(free_port(), free_port(), free_port(), free_port())


class GaleraNode(MariaDb):
    """One node. The first start of a cluster, or one after all were down, is
    :func:`start_together`; :meth:`start` alone is for a node whose cluster runs.

    Args:
        number: which of *ports* is its own, from 0.
        ports: of all nodes of the cluster.
        template: made by :func:`make_galera_template`.
    """

    def __init__(
        self,
        *,
        folder: Path,
        number: int,
        ports: Sequence[GaleraPorts],
        template: Path | None = None,
        durable: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        own = ports[number]
        self.number = number
        name = f"galera-{number + 1}"
        user = _USER if is_root() else None
        super().__init__(
            folder=folder,
            template=template,
            durable=durable,
            name=name,
            port=own.sql,
            options=[*_options(name, own, ports), *options],
            user=user,
        )
        if user:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, user, user)

    def start(self, *, wait: bool = True, arguments: Sequence[str] = ()) -> None:
        """Start it where it stopped: what it missed is sent to it, not everything."""
        super().start(wait=wait, arguments=[*self._position(), *arguments])

    def status(self, name: str) -> str:
        """One of its ``wsrep_…`` figures; empty while it does not answer."""
        try:
            rows = self.ask(f"SHOW STATUS LIKE '{name}'")
        except subprocess.SubprocessError:
            return ""
        return rows[0][1] if rows else ""

    def is_synced(self) -> bool:
        """Whether it is a full member of a majority."""
        return self.status("wsrep_local_state_comment") == "Synced" and (
            self.status("wsrep_ready") == "ON"
        )

    def _is_ready(self) -> bool:
        return super()._is_ready() and self.is_synced()

    def _position(self) -> list[str]:
        """As told to the server; only InnoDB knows it after a crash."""
        saved = self.data / "grastate.dat"
        state = saved.read_text(encoding="ascii") if saved.exists() else ""
        if _NO_CLUSTER in state or not re.search(r"^seqno:\s*-1$", state, re.MULTILINE):
            return []
        log = self.folder / "recovered.log"
        log.unlink(missing_ok=True)
        subprocess.run(
            [*runs_as(self.user), *self.command, "--wsrep-recover", f"--log-error={log}"],
            check=True, capture_output=True, timeout=_RECOVER_TIMEOUT_S, cwd=self.folder,
        )  # fmt: skip
        found = re.search(r"Recovered position:\s*(\S+)", log.read_text(encoding="utf-8"))
        return [f"--wsrep-start-position={found.group(1)}"] if found else []


def start_together(nodes: Sequence[GaleraNode]) -> None:
    """Start all nodes of a cluster of which none runs; returns when all serve.

    Each finds a note that all of them were there when it stopped, so nobody has to begin alone and
    be joined by the others; whoever has most gives the others what they lack.

    Raises:
        ServerFailed: as :meth:`ServerProcess.start`.
        TimeoutError: each was ready, but never all of them at once.
    """
    for node in nodes:
        view = node.data / "gvwstate.dat"
        view.write_text(_view(node.number, len(nodes)), encoding="ascii")
        if node.user:
            shutil.chown(view, node.user, node.user)
    try:
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_ready()
        # While the last ones come in, the first may stand aside once more.
        wait_until(lambda: all(node.is_synced() for node in nodes), what="all are synced")
    except (ServerFailed, TimeoutError):
        for node in nodes:
            node.kill()
        raise


def make_galera_template(folder: Path, template: Path) -> Path:
    """A data folder that nodes of one cluster start from without a transfer; takes a second.

    Args:
        folder: an empty one.
        template: made by :func:`tinyqq.lab.servers.mariadb.make_template`.
    """
    open_to_others(folder)
    node = GaleraNode(folder=folder, number=0, ports=[GaleraPorts.free()], template=template)
    node.start(arguments=["--wsrep-new-cluster"])
    node.stop()
    for name in ("galera.cache", "gvwstate.dat"):
        (node.data / name).unlink(missing_ok=True)
    return node.data


def cluster_url(nodes: Sequence[MariaDb], database: str) -> str:
    """The address of a database, with all nodes to be tried in turn."""
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return f"mysql+asyncmy://root@{hosts}/{database}"


@contextlib.contextmanager
def galera_cluster(
    galera_template: Path, *, count: int = 3, durable: bool = False, options: Sequence[str] = ()
) -> Iterator[tuple[GaleraNode, ...]]:
    """A cluster in folders of its own, all nodes synced, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="tq-galera-") as name:
        folder = Path(name)
        open_to_others(folder)
        ports = [GaleraPorts.free() for _ in range(count)]
        nodes = []
        for number in range(count):
            (own := folder / f"{number + 1}").mkdir()
            nodes.append(
                GaleraNode(
                    folder=own,
                    number=number,
                    ports=ports,
                    template=galera_template,
                    durable=durable,
                    options=options,
                )
            )
        try:
            start_together(nodes)
            yield tuple(nodes)
        finally:
            for node in nodes:
                node.kill()  # quicker than an orderly end, and nobody needs the data


def open_to_others(folder: Path) -> None:
    """Let the nodes' own user pass through a folder."""
    folder.chmod(folder.stat().st_mode | 0o011)


def _options(name: str, own: GaleraPorts, ports: Sequence[GaleraPorts]) -> list[str]:
    provider = ";".join(_PROVIDER).format(group=own.group, catch_up=own.catch_up)
    text = _OPTIONS.format(
        members=",".join(f"127.0.0.1:{one.group}" for one in ports),
        name=name,
        sql=own.sql,
        copy=own.copy,
        provider=provider,
    )
    return text.splitlines()


def _view(own: int, count: int) -> str:
    """What Galera itself notes while it is a member of a majority."""
    ids = [f"aaaaaaa{number}-0000-11f1-8000-00000000000{number}" for number in range(count)]
    members = [f"member: {one} 0" for one in ids]
    lines = [
        f"my_uuid: {ids[own]}",
        "#vwbeg",
        f"view_id: 3 {ids[0]} 3",
        "bootstrap: 0",
        *members,
        "#vwend",
    ]
    return "\n".join(lines) + "\n"
