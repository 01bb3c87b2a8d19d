"""Servers under load as processes: ours, and the floor."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

SERVER_CORE = 0
GENERATOR_CORE = 1
_START_S = 30.0
_STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes of a server, and the machine, have used so far."""

    cpu_s: float
    rss_bytes: int
    machine_s: float
    """CPU time of everything on the machine, idling left out."""
    counted: Mapping[str, float] = field(default_factory=dict)
    """What else the server counts, by name."""


class RunningServer(Protocol):
    """A server, or a cluster, that takes connections."""

    @property
    def ports(self) -> tuple[int, ...]:
        """Where, on 127.0.0.1."""
        ...

    @property
    def directory(self) -> str:
        """A URL by which clients find it, or its units."""
        ...

    def sample(self) -> Sample:
        """What it has used, as of now."""
        ...

    def act(self, order: str) -> None:
        """Do what a scenario wants done to it."""
        ...


@dataclass(frozen=True, slots=True)
class OneProcess:
    """A server that is one process; implements :class:`RunningServer`."""

    ports: tuple[int]
    process: subprocess.Popen[str]
    directory: str = ""
    http_port: int = 0

    def sample(self) -> Sample:
        """Its CPU time (all threads) and resident memory, as of now."""
        process = psutil.Process(self.process.pid)
        with process.oneshot():
            times = process.cpu_times()
            memory = process.memory_info()
        return Sample(times.user + times.system, memory.rss, machine_s())

    def act(self, order: str) -> None:
        """Nothing is done to it."""
        raise ValueError(order)


def can_pin() -> bool:
    """Whether this system lets processes be kept on a core of their own."""
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1


def pin(pid: int, core: int) -> None:
    """Keep a process that has just begun on a core; its threads inherit it."""
    if can_pin():
        psutil.Process(pid).cpu_affinity([core])


@contextlib.contextmanager
def serve(which: str, template: Path, directory: Path) -> Iterator[OneProcess]:
    """``ours`` or ``floor`` on a fresh copy of the prepared data, until the end of the block."""
    data = directory / which
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)
    start = {"ours": _start_ours, "floor": _start_floor}[which]
    with start(data) as server:
        try:
            yield server
        finally:
            server.process.terminate()
            try:
                server.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                server.process.kill()
    shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def _start_ours(data: Path) -> Iterator[OneProcess]:
    port, http_port = _free_port(), _free_port()
    environment = {
        **os.environ,
        "TINYQQ_DATA_DIR": str(data),
        "TINYQQ_LISTEN__TCP_PORT": str(port),
        "TINYQQ_LISTEN__HTTP_PORT": str(http_port),
        "TINYQQ_LOG__LEVEL": "warning",
        # All clients share one address here, and one of them fills a mailbox at full speed.
        "TINYQQ_ACCOUNTS__LOG_INS_PER_ADDRESS_PER_MINUTE": "0",
        "TINYQQ_LIMITS__SENDS_PER_S": "100000",
        "TINYQQ_LIMITS__LOG_INS_PER_S": "0",
    }
    log = data / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("tinyqq"), "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        pin(process.pid, SERVER_CORE)
        _wait_for_port(process, port, log)
        yield OneProcess((port,), process, http_port=http_port)
    if said := log.read_text().strip():
        sys.stderr.write(f"the server said:\n{said[-2000:]}\n")


@contextlib.contextmanager
def _start_floor(data: Path) -> Iterator[OneProcess]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tinyqq.lab.floor_server",
            str(data),
            str(data / "population.json"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    pin(process.pid, SERVER_CORE)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the floor did not start")
    yield OneProcess((int(line),), process)


def machine_s() -> float:
    """CPU time of everything on the machine so far, idling left out."""
    times = psutil.cpu_times()._asdict()
    return sum(
        times[name] for name in ("user", "nice", "system", "irq", "softirq") if name in times
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(process: subprocess.Popen[str], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
