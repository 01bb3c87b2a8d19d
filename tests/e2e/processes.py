"""Servers as real processes, started by the command line as people start them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.lab.servers.process import free_ports

TINYQQ: Final = str(Path(sys.executable).with_name("tinyqq"))
START_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 60.0
ENVIRONMENT: Final = {
    **{name: value for name, value in os.environ.items() if not name.startswith("TINYQQ_")},
    "TINYQQ_LANG": "en",
    "TINYQQ_ACCOUNTS__ARGON2_MEMORY_KIB": "8",
    "TINYQQ_ACCOUNTS__ARGON2_PASSES": "1",
}
ENVIRONMENT.pop("MAKELEVEL", None)


@dataclass
class Server:
    """A running server and what it printed until it was ready."""

    process: subprocess.Popen[str]
    printed: str

    @property
    def url(self) -> str:
        """Its HTTP address."""
        return self._found(r"https?://\S+")

    @property
    def tcp_url(self) -> str:
        """Its TCP address."""
        return self._found(r"tinyqqs?://\S+")

    def ports(self) -> list[str]:
        """The flags that make the next server listen where this one does."""
        tcp, http = (url.rpartition(":")[2] for url in (self.tcp_url, self.url))
        return ["--tcp-port", tcp, "--http-port", http]

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it in order; returns its exit code and what it said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=STOP_TIMEOUT_S)
        return self.process.returncode, said

    def _found(self, pattern: str) -> str:
        match = re.search(pattern, self.printed)
        assert match is not None, self.printed
        return match.group()


def lasting_ports() -> list[str]:
    """The flags of a server that is to come back where it was: ports that the system gives to
    nobody else while it is away."""
    tcp, http = free_ports(2)
    return ["--tcp-port", str(tcp), "--http-port", str(http)]


@contextlib.contextmanager
def serving(folder: Path, *flags: str, command: str = "serve") -> Iterator[Server]:
    """A server on *folder*; killed at the end if it still runs."""
    has_ports = {"--tcp-port", "--http-port"} & set(flags)
    ports = [] if has_ports else ["--tcp-port", "0", "--http-port", "0"]
    with (
        (folder / "server.log").open("a") as log,
        subprocess.Popen(
            [TINYQQ, command, "--data-dir", str(folder / "data"), *ports, *flags],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield Server(process, _read_until_ready(process, folder))
        finally:
            process.kill()


def unit_folder(folder: Path, database: str, presence: str, registry: str) -> Path:
    """A folder in which `tinyqq serve` finds the settings of a unit of a cluster."""
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


def run_tinyqq(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [TINYQQ, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )


def _read_until_ready(process: subprocess.Popen[str], folder: Path) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            return printed
    raise AssertionError(printed + (folder / "server.log").read_text(encoding="utf-8"))
