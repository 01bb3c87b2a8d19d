"""``tinyqq up`` and ``tinyqq down`` as people use them: a whole cluster from one command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.architecture.source_tree import ROOT
from tests.e2e.processes import ENVIRONMENT, TINYQQ, run_tinyqq

from tinyqq.cli.console import ExitCode
from tinyqq.lab.cluster_folder import ClusterFolder, ClusterState
from tinyqq.lab.servers.process import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper", "nginx"),
    pytest.mark.timeout(600),
]

END_TIMEOUT_S = 60.0
GONE_TIMEOUT_S = 30.0


@dataclass
class Running:
    """A `tinyqq up` that is ready, in a folder of its own."""

    process: subprocess.Popen[str]
    folder: ClusterFolder
    printed: str

    def state(self) -> ClusterState:
        state = self.folder.read()
        assert state is not None
        return state

    def urls(self, name: str) -> tuple[str, ...]:
        found = self.state().find(name)
        assert found is not None
        return found.urls

    def pids(self) -> list[int]:
        """Of all that it has started, directly or not."""
        groups = {one.pid for one in self.state().processes if one.pid is not None}
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc")))
                if group_of(pid) in groups]  # fmt: skip

    def read_to_the_end(self) -> tuple[int, str]:
        """Its exit code, and what it still said."""
        said, _ = self.process.communicate(timeout=END_TIMEOUT_S)
        return self.process.returncode, said


def group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def is_alive(pid: int) -> bool:
    """A dead one that nobody has waited for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_gone(pids: list[int]) -> None:
    assert pids
    wait_until(
        lambda: not any(map(is_alive, pids)), what="everybody's end", timeout_s=GONE_TIMEOUT_S
    )


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can get into, as Galera's wants."""
    with tempfile.TemporaryDirectory(prefix="tq-up-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def up(place: Path, *flags: str) -> Iterator[Running]:
    """A cluster; killed at the end if it still runs, and the rest must follow by itself."""
    with subprocess.Popen(
        [TINYQQ, "up", *flags],
        cwd=place,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if "Ctrl-C stops" in line:
                    break
            else:
                raise AssertionError(printed)
            yield Running(process, ClusterFolder(place / "tinyqq-cluster"), printed)
        finally:
            process.kill()


def two_friends(url: str) -> None:
    """The example, from here to its happy end."""
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "two_friends.py", "--url", url],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything arrived, in order, once." in done.stdout


def test_up_when_ready_then_friends_talk_by_every_way_and_down_ends_it(place: Path) -> None:
    with up(place, "--units", "2", "--roles-nodes", "user=1") as cluster:
        for name in ("unit-1", "unit-2", "user-1", "mariadb", "zookeeper-1", "redis-1", "nginx"):
            assert f"  {name} " in cluster.printed
        directory, tcp = cluster.urls("unit-1")
        front, front_tcp = cluster.urls("nginx")
        for url in (directory, tcp, front, front_tcp):
            assert url in cluster.printed
            two_friends(url)
        again = run_tinyqq(place, "up", "--units", "2")
        assert again.returncode == ExitCode.IN_USE
        pids = cluster.pids()
        down = run_tinyqq(place, "down")
        assert (down.returncode, down.stdout.splitlines()[-1]) == (0, "Stopped.")
        code, said = cluster.read_to_the_end()
        assert (code, said.count("  stopped\n")) == (0, 8)
        assert_gone(pids)
    assert "No cluster runs" in run_tinyqq(place, "down").stdout


def test_up_when_killed_then_nothing_outlives_it_and_the_next_one_goes_on(place: Path) -> None:
    with up(place, "--units", "1") as cluster:
        settings = str(cluster.folder.path / "tinyqq.toml")
        made = run_tinyqq(place, "user", "add", "小明", "--config", settings)
        assert made.returncode == 0, made.stdout + made.stderr
        urls, pids = cluster.urls("unit-1"), cluster.pids()
        assert len(pids) > 6  # nginx has workers
        cluster.process.kill()
        cluster.process.wait(END_TIMEOUT_S)
        assert_gone(pids)
    with up(place, "--units", "1") as cluster:
        assert cluster.urls("unit-1") == urls
        assert "小明" in run_tinyqq(place, "user", "list", "--config", settings).stdout
        two_friends(urls[0])
        cluster.process.send_signal(signal.SIGINT)
        assert cluster.read_to_the_end()[0] == 0


@pytest.mark.needs("galera")
def test_up_when_replicated_then_friends_talk_and_ctrl_c_ends_it(place: Path) -> None:
    with up(place, "--units", "1", "--ha") as cluster:
        kinds = [one.kind for one in cluster.state().processes]
        assert [kinds.count(kind) for kind in ("zookeeper", "redis", "sentinel", "galera")] == [
            *(3, 2, 3, 3)
        ]
        two_friends(cluster.urls("nginx")[0])
        pids = cluster.pids()
        cluster.process.send_signal(signal.SIGINT)
        assert cluster.read_to_the_end()[0] == 0
        assert_gone(pids)
