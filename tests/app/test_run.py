"""A node as a process: signals, ports, limits."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.root_logger import same_logging

from tinyqq.app import run
from tinyqq.app.build import App
from tinyqq.app.listening import PortTaken
from tinyqq.app.run import (
    Ports,
    calm_collector,
    loop_factory,
    open_ports,
    raise_descriptor_limit,
    run_node,
)
from tinyqq.app.sources import LoadedSettings, load_settings

__all__ = ["same_logging"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedSettings:
    monkeypatch.chdir(tmp_path)
    return load_settings(flags={"listen.tcp_port": 0, "listen.http_port": 0})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("same_logging")
def test_run_when_signalled_then_it_stops_and_frees_its_ports(
    loaded: LoadedSettings, number: signal.Signals
) -> None:
    seen: list[App] = []

    def announce(app: App, _: Ports) -> None:
        seen.append(app)
        os.kill(os.getpid(), number)

    run_node(loaded, announce=announce)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(seen[0].http_address, timeout=30)


@pytest.mark.usefixtures("same_logging")
def test_run_when_something_attends_then_it_is_entered_and_left(loaded: LoadedSettings) -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def attend(_: App) -> AsyncIterator[None]:
        events.append("in")
        yield
        events.append("out")

    def announce(_: App, __: Ports) -> None:
        events.append("announced")
        os.kill(os.getpid(), signal.SIGTERM)

    run_node(loaded, announce=announce, attend=attend)
    assert events == ["in", "announced", "out"]


@pytest.mark.usefixtures("same_logging")
def test_log_when_in_a_cluster_then_the_node_is_on_every_line(
    loaded: LoadedSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = {
        "registry": "zookeeper://127.0.0.1:1/x",
        "cluster.secret": "x" * 16,
        "cluster.node_name": "unit-7",
    }
    settings = load_settings(flags=flags).settings
    ports = open_ports(loaded)
    for one in (settings, loaded.settings):
        run.begin_log(one, ports)
        logging.getLogger("tinyqq").info("told")
    for port in filter(None, (ports.tcp, ports.http)):
        port.sock.close()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("here") for line in told] == ["unit-7", None]


async def test_signals_when_the_block_ends_then_the_old_handlers_are_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with run.stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(30):
            await stop.wait()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # a second one ends at once
    assert signal.getsignal(signal.SIGTERM) is before


def test_open_ports_when_the_second_is_taken_then_the_first_is_let_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        tcp_port = free.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as holder:
        http_port = holder.getsockname()[1]
        flags = {"listen.tcp_port": tcp_port, "listen.http_port": http_port}
        with pytest.raises(PortTaken):
            open_ports(load_settings(flags=flags))
    socket.create_server(("127.0.0.1", tcp_port)).close()


def test_loop_factory_when_uvloop_is_installed_then_its_loop() -> None:
    loop = loop_factory()()
    assert "uvloop" in type(loop).__module__
    loop.close()


def test_descriptor_limit_when_raised_then_never_above_what_is_allowed() -> None:
    assert raise_descriptor_limit(1) >= 1
    resource = pytest.importorskip("resource")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY:
        assert raise_descriptor_limit(hard + 1) == hard


def test_collector_when_calmed_then_it_looks_less_often_until_the_end() -> None:
    before = gc.get_threshold()
    with calm_collector():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
