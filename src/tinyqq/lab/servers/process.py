"""A server as a process on ports of 127.0.0.1, in a folder of its own.

What every kind of server shares; the kinds themselves are in modules beside this one. Where the
system has ``setpriv`` a server dies with the process that started it, even when that is killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0
PROBE_TIMEOUT_S: Final = 1.0
_POLL_S: Final = 0.01
_LOG_TAIL_CHARS: Final = 4_000

# Below the range from which systems take the ports of outgoing connections (32768 upwards on Linux,
# 49152 elsewhere), so that between finding and listening nobody else gets one by chance.
_FIRST_PORT: Final = 12_000
_PORT_COUNT: Final = 18_000


def _candidates() -> Iterator[int]:
    start = os.getpid() * 7_919  # test processes that run at once begin far from each other
    while True:
        for step in range(_PORT_COUNT):
            yield _FIRST_PORT + (start + step) % _PORT_COUNT


_CANDIDATES: Final = _candidates()


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens; never the same one twice in a process."""
    for port in _CANDIDATES:
        with socket.socket() as probe:
            # As servers do: a port whose last connections still linger is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable: the candidates do not end")


def free_ports(count: int) -> list[int]:
    """As many ports as are wanted."""
    return [free_port() for _ in range(count)]


def accepts(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S):
        return True


def ask(port: int, question: bytes) -> bytes:
    """Send a question to a server and read until it has answered with a line or closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S) as connection:
        connection.sendall(question)
        answer = b""
        while not answer.endswith(b"\n"):
            part = connection.recv(65_536)
            if not part:
                break
            answer += part
        return answer


def wait_until(holds: Callable[[], bool], *, what: str, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Block until a condition of another process holds; OSError counts as "not yet".

    Raises:
        TimeoutError: it did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if holds():
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(_POLL_S)  # the other side is a process: there is no event to wait for


class ServerFailed(Exception):
    """A server ended by itself, or was not ready in time. The text tells the end of its log."""


class ServerProcess:
    """One server process: ``with`` it, or :meth:`start` and :meth:`stop` it.

    Call it from the main thread only: a thread that started a server takes it along when it ends.

    Args:
        name: for messages.
        command: the program in the foreground, as one process.
        folder: the server's own; it must exist. What it prints goes to ``<name>.log`` in it.
        is_ready: whether it serves; may raise OSError while it does not.
        user: run as this system user (None: as who starts it); needs root.
        environment: all of it; None: that of this process.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        is_ready: Callable[[], bool],
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        ready_timeout_s: float = READY_TIMEOUT_S,
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.command = [str(word) for word in command]
        self._ready = is_ready
        self.user = user
        self._environment = environment
        self._ready_timeout_s = ready_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the running server itself, not of a wrapper; processes that it starts are in the
        process group of this number."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and nobody has ended it since; see :meth:`find_exit_code`."""
        return self._process is not None

    def find_exit_code(self) -> int | None:
        """How it ended by itself since it was started (negative: by that signal); None if it did
        not. Told once: from then on it is one that does not run."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._process = None
        return code

    def start(self, *, wait: bool = True, arguments: Sequence[str] = ()) -> None:
        """Start it, after a :meth:`stop` or :meth:`kill` also again.

        Args:
            wait: return when it is ready.
            arguments: added to the command, this time only.

        Raises:
            ServerFailed: it ended, or was not ready in time; the end of its log is told.
        """
        assert self._process is None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*runs_as(self.user), *self.command, *arguments],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for who started it, who ends it in order
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Return when it serves.

        Raises:
            ServerFailed: it ended, or was not ready in time; the end of its log is told.
        """
        try:
            wait_until(self._ready_or_dead, what=self.name, timeout_s=self._ready_timeout_s)
        except TimeoutError:
            self.kill()
            raise ServerFailed(f"{self.name} is not ready in time\n{self._tail()}") from None

    def is_serving(self) -> bool:
        """Whether it answers now."""
        try:
            return self.is_running and self._is_ready()
        except OSError:
            return False

    def terminate(self) -> None:
        """Ask it to end, without waiting; no effect when it does not run."""
        if self._process is not None:
            self.resume()
            self._process.terminate()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it in order, by force when that takes too long; no effect when it does not run."""
        if self._process is None:
            return
        self.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._kill()
        self._process = None

    def kill(self) -> None:
        """End it, and all that it started, as a power cut does; no effect when it does not run."""
        if self._process is not None:
            self._kill()

    def pause(self) -> None:
        """SIGSTOP: it hangs with all that it started, its connections stay."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} does not run"
        if self._process.returncode is not None:
            return  # nobody keeps its number for us any more
        with contextlib.suppress(PermissionError):  # macOS: it has ended, and nobody has noticed
            os.killpg(self._process.pid, number)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self._process = None

    def _ready_or_dead(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            raise ServerFailed(f"{self.name} ended with {code}\n{self._tail()}")
        return self._is_ready()

    def _is_ready(self) -> bool:
        return self._ready()

    def _tail(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return f"{' '.join(self.command)}\n{text[-_LOG_TAIL_CHARS:]}"


def runs_as(user: str | None = None) -> list[str]:
    """The words before a command that make it end when this process ends, however that happens,
    and run as a system user (None: as who starts it). No words where there is no ``setpriv``."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        assert user is None, "only setpriv can change the user and keep the signal"
        return []
    # A server that changes its user by itself would lose the signal: setpriv sets it afterwards.
    change = ["--reuid", user, "--regid", user, "--clear-groups"] if user else []
    return [setpriv, *change, "--pdeathsig", "KILL", "--"]
