"""The folder of a cluster: whose turn it is, what it remembers, and what it shows to others.

``cluster.json`` is what other programs read: which processes there are, where they listen, and
which still live. Ports stay the same from one start to the next.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tinyqq.errors import Unavailable
from tinyqq.lab.servers.process import free_port
from tinyqq.storage.file_lock import FileLock

_STATE: Final = "cluster.json"
_PORTS: Final = "ports.json"
_SECRET: Final = "secret"
_LOCK: Final = "cluster.lock"
_CONTROL: Final = "control"
_POLL_S: Final = 0.05


class FolderError(Exception):
    """The folder cannot be used. ``reason``: ``in_use``, ``not_ours`` or ``other_database``."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason
        self.path = path


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process of a cluster.

    Args:
        kind: zookeeper, redis, sentinel, mariadb, galera, unit, role, nginx or nginx-watch.
        state: running, starting, paused or dead.
        pid: also the number of its process group; None: it does not live.
        port: where it listens for clients; 0: nowhere.
        urls: of a unit or nginx, HTTP first.
    """

    name: str
    kind: str
    state: str
    pid: int | None
    port: int
    urls: tuple[str, ...]
    log: str


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What ``cluster.json`` holds.

    Args:
        pid: of ``tinyqq up``.
        is_ready: everything has started.
        is_replicated: see :class:`tinyqq.lab.cluster_plan.Layout`.
        settings: a file for commands that ask about the cluster.
    """

    pid: int
    is_ready: bool
    is_replicated: bool
    settings: str
    processes: tuple[ProcessState, ...]

    def find(self, name: str) -> ProcessState | None:
        """One process by its name."""
        return next((one for one in self.processes if one.name == name), None)


class ClusterFolder:
    """``with ClusterFolder(path):`` while the cluster runs; :meth:`read`, :meth:`is_in_use` and
    :meth:`wait_unused` from elsewhere.

    Args:
        path: absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / _LOCK)

    @property
    def logs(self) -> Path:
        """What every process printed."""
        return self.path / "logs"

    @property
    def control(self) -> Path:
        """Takes lines like ``kill unit-2``."""
        return self.path / _CONTROL

    def __enter__(self) -> Self:
        """Make the folder, if need be, and keep others from running a cluster in it.

        Raises:
            FolderError: somebody runs one here, or the folder holds something else.
            OSError: it cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / _LOCK).exists() and any(self.path.iterdir()):
            raise FolderError("not_ours", self.path)
        try:
            self._lock.__enter__()
        except Unavailable as exc:
            raise FolderError("in_use", self.path) from exc
        (self.path / _STATE).unlink(missing_ok=True)  # of a process that is gone
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._lock.__exit__(*exc_info)

    def prepare(self, *, is_replicated: bool, is_fresh: bool) -> None:
        """Take up what an earlier cluster left.

        Args:
            is_replicated: with which kind of database.
            is_fresh: all of it is thrown away instead.

        Raises:
            FolderError: the other kind of database is there.
        """
        if is_fresh:
            self._clear()
        elif (self.path / ("mariadb" if is_replicated else "galera-1")).exists():
            raise FolderError("other_database", self.path)
        self.logs.mkdir(exist_ok=True)

    def is_in_use(self) -> bool:
        """Whether somebody runs a cluster here."""
        path = self.path / _LOCK
        if not path.exists():
            return False
        try:
            with FileLock(path):
                return False
        except Unavailable:
            return True

    def wait_state(self) -> ClusterState | None:
        """How things are, of a cluster that may just begin; None: nobody runs one here."""
        while self.is_in_use():
            if state := self.read():
                return state
            time.sleep(_POLL_S)  # as below
        return None

    def wait_unused(self, timeout_s: float) -> bool:
        """Whether whoever ran a cluster here has gone before the time is over."""
        deadline = time.monotonic() + timeout_s
        while self.is_in_use():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)  # the other side is a process: there is no event to wait for
        return True

    def choose_ports(self, names: Sequence[str]) -> dict[str, int]:
        """A port for each name: that of the last time, or a free one if that is taken or there was
        none. Remembered for the next time."""
        path = self.path / _PORTS
        known: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        chosen: dict[str, int] = {}
        for name in names:
            port = known.get(name)
            while port is None or not _is_free(port) or port in chosen.values():
                port = free_port()
            chosen[name] = port
        self._write(_PORTS, {**known, **chosen})
        return chosen

    def secret(self) -> str:
        """What the nodes know each other by; made once."""
        path = self.path / _SECRET
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text("ascii")

    def write(self, state: ClusterState) -> None:
        """Show how things are."""
        self._write(_STATE, dataclasses.asdict(state))

    def read(self) -> ClusterState | None:
        """How things were when somebody last said; None: nobody has."""
        path = self.path / _STATE
        if not path.exists():
            return None
        row: dict[str, Any] = json.loads(path.read_text("utf-8"))
        processes = [
            ProcessState(**{**one, "urls": tuple(one["urls"])}) for one in row.pop("processes")
        ]
        return ClusterState(**row, processes=tuple(processes))

    def _write(self, name: str, value: Mapping[str, object]) -> None:
        """In one step: whoever reads sees the whole."""
        path = self.path / name
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)

    def _clear(self) -> None:
        for path in self.path.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def write_private(path: Path, text: str) -> None:
    """A file that only its owner can read."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
