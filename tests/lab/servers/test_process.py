"""A server as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.architecture.source_tree import ROOT

from tinyqq.lab.servers.process import (
    ServerFailed,
    ServerProcess,
    accepts,
    ask,
    free_port,
    free_ports,
    wait_until,
)

pytestmark = pytest.mark.slow

LISTENER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(100).upper())
        connection.close()
"""


def listener(folder: Path, **environment: str) -> ServerProcess:
    port = free_port()
    return ServerProcess(
        name="listener",
        command=[sys.executable, "-c", LISTENER, str(port)],
        folder=folder,
        is_ready=lambda: ask(port, b"ready?\n") == b"READY?\n",
        environment={**os.environ, **environment},
    )


def is_alive(pid: int) -> bool:
    """Also a dead child that nobody waited for is not alive."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_free_ports_when_taken_then_they_are_free_and_differ() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_wait_until_when_it_never_holds_then_a_timeout_that_names_it() -> None:
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, what="the moon", timeout_s=0.02)


def test_wait_until_when_nobody_answers_then_not_yet() -> None:
    with pytest.raises(TimeoutError):
        wait_until(lambda: accepts(free_port()), what="somebody", timeout_s=0.02)


def test_server_when_started_then_ready_and_after_stop_gone(tmp_path: Path) -> None:
    with listener(tmp_path) as server:
        pid = server.pid
        assert is_alive(pid)
    assert not is_alive(pid)


def test_server_when_killed_then_it_can_be_started_again(tmp_path: Path) -> None:
    with listener(tmp_path) as server:
        first = server.pid
        server.kill()
        server.start()
        assert server.pid != first


def test_server_when_paused_then_stop_ends_it_all_the_same(tmp_path: Path) -> None:
    with listener(tmp_path) as server:
        server.pause()
        server.stop()
        with pytest.raises(AssertionError):
            server.pid  # noqa: B018


def test_server_when_it_ends_at_the_start_then_its_last_words_are_told(tmp_path: Path) -> None:
    server = ServerProcess(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit('no such thing')"],
        folder=tmp_path,
        is_ready=lambda: False,
    )
    with pytest.raises(ServerFailed, match=r"broken ended with 1\n(.*\n)*no such thing"):
        server.start()


def test_server_when_not_ready_in_time_then_it_is_ended(tmp_path: Path) -> None:
    server = ServerProcess(
        name="slow",
        command=[sys.executable, "-c", "import time; time.sleep(100)"],
        folder=tmp_path,
        is_ready=lambda: False,
        ready_timeout_s=0.1,
    )
    with pytest.raises(ServerFailed, match="slow is not ready in time"):
        server.start()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no setpriv elsewhere")
def test_server_when_its_starter_is_killed_then_it_dies_too(tmp_path: Path) -> None:
    starter = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from tests.lab.servers.test_process import listener
        server = listener(Path(sys.argv[1]))
        server.start()
        print(server.pid, flush=True)
        time.sleep(100)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), what="its end", timeout_s=60)
