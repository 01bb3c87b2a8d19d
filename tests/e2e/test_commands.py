"""The commands as people run them: real processes, real ports."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.processes import ENVIRONMENT, run_tinyqq, serving

from tinyqq.cli.console import ExitCode
from tinyqq.client import Client, KickedOut

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_when_signalled_then_it_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as server:
        code, said = server.stop(number)
    assert (code, "everything is on disk" in said) == (0, True)


async def test_serve_when_signalled_with_people_on_it_then_still_with_0(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        async with Client(server.tcp_url) as me:
            made = await me.register("小明", "correct horse")
            await me.login(made.user_id, "correct horse")
            code, _ = await asyncio.to_thread(server.stop)
    assert code == 0


def test_serve_when_two_friends_meet_then_the_example_is_content(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "two_friends.py"), "--url", server.url],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_serve_when_a_chosen_port_is_taken_then_it_refuses_and_names_the_owner(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as first:
        taken = first.tcp_url.rpartition(":")[2]
        done = run_tinyqq(tmp_path, "serve", "--data-dir", "other", "--tcp-port", taken)
    assert done.returncode == ExitCode.PORT_TAKEN
    assert f"127.0.0.1:{taken} is in use by tinyqq (pid {first.process.pid})" in done.stderr


def test_serve_when_the_folder_is_in_use_then_it_refuses(tmp_path: Path) -> None:
    with serving(tmp_path):
        done = run_tinyqq(tmp_path, "serve", "--data-dir", "data", "--tcp-port", "0")
    assert done.returncode == ExitCode.IN_USE
    assert "--data-dir" in done.stderr


def test_user_when_the_server_runs_then_it_is_asked(tmp_path: Path) -> None:
    with serving(tmp_path):
        added = run_tinyqq(tmp_path, "user", "add", "小明")
        listed = run_tinyqq(tmp_path, "user", "list")
    assert "Made 10001" in added.stdout
    assert "10001  小明" in listed.stdout
    assert run_tinyqq(tmp_path, "user", "list").stdout == listed.stdout  # and without it too


async def test_user_when_disabled_while_logged_in_then_kicked_out_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        async with Client(server.tcp_url) as me:
            made = await me.register("小明", "correct horse")
            await me.login(made.user_id, "correct horse")
            await me.wait_synced()
            done = await asyncio.to_thread(
                run_tinyqq, tmp_path, "user", "disable", str(made.user_id)
            )
            assert done.returncode == 0
            with pytest.raises(KickedOut):
                await end_of(me)


async def end_of(me: Client) -> None:
    async with asyncio.timeout(30):
        async for _ in me.events():
            pass


def test_demo_when_started_then_it_names_people(tmp_path: Path) -> None:
    with serving(tmp_path, command="demo") as server:
        assert "小红" in server.printed
        assert server.stop()[0] == 0


def test_doctor_when_a_server_runs_then_the_owner_of_the_port_is_named(tmp_path: Path) -> None:
    with serving(tmp_path) as server, socket.create_server(("127.0.0.1", 0)) as free:
        port = server.tcp_url.rpartition(":")[2]
        free_port = free.getsockname()[1]
        done = run_tinyqq(
            tmp_path,
            *("doctor", "--set", f"listen.tcp_port={port}"),
            *("--set", f"listen.http_port={free_port}"),
        )
    assert done.returncode == ExitCode.FAILED
    assert f"tinyqq (pid {server.process.pid})" in done.stdout
