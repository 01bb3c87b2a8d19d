"""nginx as processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinyqq.lab.servers.nginx import NginxServer
from tinyqq.lab.servers.process import ask, free_port, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx")]

STARTER = """
import sys, time
from pathlib import Path
from tinyqq.lab.servers.nginx import NginxServer
home = Path(sys.argv[1])
NginxServer(home, config=home / "nginx.conf", port=int(sys.argv[2])).start()
print("started", flush=True)
time.sleep(60)
"""


def greets(port: int) -> bool:
    return b"200 OK" in ask(port, b"GET / HTTP/1.0\r\n\r\n")


def until_it_greets(port: int) -> None:
    wait_until(lambda: greets(port), what="nginx")


def is_gone(port: int) -> bool:
    try:
        return not greets(port)
    except ConnectionError:
        return True


@pytest.fixture
def port(tmp_path: Path) -> int:
    """Of an nginx that says hello."""
    port = free_port()
    folders = "".join(
        f"{kind}_temp_path {tmp_path / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid; events {{}} http {{ access_log off; {folders} server"
        f' {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }} }}'
    )
    return port


def test_server_when_started_stopped_and_killed_then_it_serves_while_it_runs(
    tmp_path: Path, port: int
) -> None:
    server = NginxServer(tmp_path, config=tmp_path / "nginx.conf", port=port)
    with server:
        until_it_greets(port)
        server.kill()
        assert is_gone(port)
        server.kill()
        server.start()
        until_it_greets(port)
    assert is_gone(port)


def test_server_when_its_starter_is_killed_then_no_worker_is_left(
    tmp_path: Path, port: int
) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        until_it_greets(port)
        starter.kill()
    wait_until(lambda: is_gone(port), what="the end of nginx")
