"""A whole cluster, started, watched and ended as one, by this process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tinyqq.lab.cluster import Cluster, Event
from tinyqq.lab.cluster_folder import ClusterFolder, ProcessState
from tinyqq.lab.cluster_plan import Layout, list_ports, make_plan
from tinyqq.lab.servers.process import ServerFailed, ask, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper", "nginx"),
    pytest.mark.timeout(600),
]


@dataclass
class Watched:
    """A cluster of one unit, and what it has told."""

    cluster: Cluster
    folder: ClusterFolder
    told: list[Event] = field(default_factory=list)

    def order(self, line: str) -> None:
        """As somebody in another terminal does."""
        self.folder.control.write_text(line + "\n")

    def until(self, name: str, what: str) -> Event:
        """Watch on until that has been told, and forget what came before."""
        while True:
            for number, event in enumerate(self.told):
                if (event.name, event.what) == (name, what):
                    del self.told[: number + 1]
                    return event
            self.cluster.watch()

    def process(self, name: str) -> ProcessState:
        """As others see it."""
        state = self.folder.read()
        assert state is not None
        found = state.find(name)
        assert found is not None
        return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def state_of(pid: int) -> str:
    """R, S, T …: as the system calls it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def running(path: Path, *overrides: str) -> Iterator[Watched]:
    environment = {name: value for name, value in os.environ.items() if "TINYQQ" not in name}
    with ClusterFolder(path) as folder:
        folder.prepare(is_replicated=False, is_fresh=False)
        layout = Layout(units=1)
        ports = folder.choose_ports(list_ports(layout))
        told: list[Event] = []
        cluster = Cluster(
            plan=make_plan(layout, folder=path, ports=ports, secret=folder.secret()),
            folder=folder,
            overrides=overrides,
            environment=environment,
            tell=told.append,
        )
        with cluster:
            yield Watched(cluster, folder, told)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One for all tests here; each leaves it whole."""
    with running(tmp_path_factory.mktemp("up") / "cluster") as watched:
        yield watched
    state = watched.folder.read()
    assert state is not None
    assert {(one.state, one.pid) for one in state.processes} == {("dead", None)}
    stopped = [event.name for event in watched.told if event.what == "stopped"]
    assert sorted(stopped) == sorted(one.name for one in state.processes)
    assert stopped.index("unit-1") < stopped.index("mariadb")


def test_cluster_when_started_then_everything_runs_and_is_shown(watched: Watched) -> None:
    state = watched.folder.read()
    assert state is not None
    assert (state.pid, state.is_ready) == (os.getpid(), True)
    assert {one.state for one in state.processes} == {"running"}
    kinds = ["zookeeper", "redis", "mariadb", "unit", "nginx-watch", "nginx"]
    assert [one.kind for one in state.processes] == kinds


def test_cluster_when_asked_at_its_front_door_then_a_unit_answers(watched: Watched) -> None:
    url = watched.process("nginx").urls[0]
    port, question = int(url.rpartition(":")[2]), b"GET /v1/units HTTP/1.0\r\nHost: a\r\n\r\n"
    wait_until(lambda: b" 200 " in ask(port, question), what="an answer")


def test_order_when_to_kill_and_start_then_it_lives_again(watched: Watched) -> None:
    before = watched.process("unit-1").pid
    watched.order("kill unit-1")
    watched.until("unit-1", "killed")
    assert watched.process("unit-1").pid is None
    watched.order("start unit-1")
    watched.until("unit-1", "starting")
    watched.until("unit-1", "ready")
    watched.cluster.watch()
    after = watched.process("unit-1")
    assert after.state == "running"
    assert after.pid not in {before, None}


def test_order_when_to_pause_then_it_hangs_until_it_may_go_on(watched: Watched) -> None:
    pid = watched.process("redis-1").pid
    assert pid is not None
    watched.order("pause redis-1")
    watched.until("redis-1", "paused")
    wait_until(lambda: state_of(pid) == "T", what="its pause")
    watched.cluster.watch()
    assert watched.process("redis-1").state == "paused"
    watched.order("resume redis-1")
    watched.until("redis-1", "resumed")
    wait_until(lambda: state_of(pid) != "T", what="its end")


def test_order_when_to_stop_then_it_ends_in_order(watched: Watched) -> None:
    watched.order("stop zookeeper-1")
    watched.until("zookeeper-1", "ended")
    watched.order("start zookeeper-1")
    watched.until("zookeeper-1", "ready")


def test_process_when_it_dies_then_it_is_told_why(watched: Watched) -> None:
    pid = watched.process("nginx-watch").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    event = watched.until("nginx-watch", "died")
    assert (event.detail, event.level) == ("signal 9, SIGKILL", "error")
    watched.order("start nginx-watch")
    watched.until("nginx-watch", "ready")


@pytest.mark.parametrize("order", ["kill nobody", "bogus unit-1", "start unit-1", "kill"])
def test_order_when_it_makes_no_sense_then_it_is_told(watched: Watched, order: str) -> None:
    watched.order(order)
    event = watched.until(order.partition(" ")[2] or "?", "unknown")
    assert event.detail == order


def test_cluster_when_a_node_logs_then_it_is_told(watched: Watched) -> None:
    watched.order("kill unit-1")
    watched.order("start unit-1")
    watched.until("unit-1", "starting")
    while not watched.until("unit-1", "log").detail.startswith("node.started tcp="):
        pass
    watched.cluster.watch()


def test_cluster_when_a_node_cannot_start_then_whatever_had_ends(tmp_path: Path) -> None:
    seen: list[Callable[[], bool]] = []
    with pytest.raises(ServerFailed, match="unknown setting"):
        with running(tmp_path / "cluster", "limits.nonsense=1"):
            seen.append(lambda: True)
    assert not seen
    state = ClusterFolder(tmp_path / "cluster").read()
    assert state is not None
    assert not any(one.pid for one in state.processes)
    assert not state.is_ready
