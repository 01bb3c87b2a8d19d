"""A whole cluster on this machine: started, watched, ended as one.

Everything happens in the main thread, which also owns the processes: where the system has
``setpriv`` they die with it, and a guard ends what is left everywhere.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from tinyqq.lab import cluster_servers as make
from tinyqq.lab.cluster_folder import ClusterFolder, ClusterState, ProcessState, write_private
from tinyqq.lab.cluster_log import LogFollower
from tinyqq.lab.cluster_plan import DATABASE, ClusterPlan, GaleraPlan, NodePlan
from tinyqq.lab.servers.galera import start_together
from tinyqq.lab.servers.guard import Guard
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.process import ServerProcess, wait_until
from tinyqq.storage.open import migrate_storage

_NODE_STOP_TIMEOUT_S: Final = 60.0
"""Longer than a node gives its clients to leave."""
_STOP_TIMEOUT_S: Final = 20.0
_TICK_S: Final = 0.25
_END_TICK_S: Final = 0.02
_IN_ORDER: Final = (0, -signal.SIGTERM, 128 + signal.SIGTERM)
"""Exit codes of a process that was asked to end; the last is a JVM's."""
_TELLS_EVENTS: Final = ("unit", "role", "nginx-watch")
"""Kinds whose log is shown line by line: ours."""

What = Literal[
    "starting", "ready", "log", "paused", "resumed", "died", "ended", "killed", "stopped", "unknown"
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a process.

    Args:
        what: ``died`` and ``ended`` are by itself, with a reason in *detail*; ``stopped`` is when
            all of the cluster stops; ``log`` is a line of its own; ``unknown`` is an order that
            nobody understands.
        level: of the log line; ``error`` where it died.
    """

    name: str
    what: What
    detail: str = ""
    level: str = "info"


@dataclass
class _Member:
    """One process of the cluster."""

    kind: str
    server: ServerProcess
    port: int = 0
    urls: tuple[str, ...] = ()
    follower: LogFollower | None = None
    state: str = "starting"

    @property
    def name(self) -> str:
        return self.server.name


@dataclass
class Cluster:
    """``with Cluster(...) as cluster:`` runs everything until the end of the block; meanwhile call
    :meth:`watch` again and again.

    Args:
        folder: locked by the caller, and prepared.
        overrides: settings of every node, ``NAME=VALUE``.
        environment: of the nodes.
        tell: is called with what happens.
    """

    plan: ClusterPlan
    folder: ClusterFolder
    overrides: Sequence[str]
    environment: Mapping[str, str]
    tell: Callable[[Event], None]
    _members: dict[str, _Member] = field(default_factory=dict)
    _guard: Guard = field(default_factory=Guard)
    _is_ready: bool = False
    _is_stopping: bool = False
    _shown: ClusterState | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _control: int = -1
    _order: bytes = b""

    def __enter__(self) -> Self:
        """Start everything.

        Raises:
            ServerFailed: something did not start; whatever had, has ended.
        """
        with ExitStack() as stack:
            stack.enter_context(self._guard)
            stack.callback(self._close)
            stack.callback(self._stop)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def processes(self) -> tuple[ProcessState, ...]:
        """All of them, in the order in which they started."""
        return tuple(
            ProcessState(
                name=one.name,
                kind=one.kind,
                state=one.state,
                pid=one.server.pid if one.server.is_running else None,
                port=one.port,
                urls=one.urls,
                log=str(one.server.log),
            )
            for one in self._members.values()
        )

    def watch(self) -> None:
        """Wait a moment for an order; tell what has happened meanwhile."""
        ready, _, _ = select.select([self._control], [], [], _TICK_S)
        if ready:
            self._order += os.read(self._control, 4096)
            *whole, self._order = self._order.split(b"\n")
            for line in whole:
                self._obey(line.decode("utf-8", errors="replace"))
        for one in self._members.values():
            self._look_at(one)
        self._show()

    def _stop(self) -> None:
        """End everything in order: whoever needs another ends before it."""
        self._is_ready, self._is_stopping = False, True
        self._show()
        self._end(self._of_kind("nginx-watch"), _STOP_TIMEOUT_S)
        self._end(self._of_kind("unit", "role"), _NODE_STOP_TIMEOUT_S)
        self._end(self._of_kind("nginx", "sentinel"), _STOP_TIMEOUT_S)
        self._end(self._members.values(), _STOP_TIMEOUT_S)

    # ---- orders ----------------------------------------------------------------------------------

    def _obey(self, line: str) -> None:
        verb, _, name = line.strip().partition(" ")
        one = self._members.get(name.strip())
        orders = {
            "start": self._start_again,
            "stop": self._ask_to_end,
            "kill": self._kill_one,
            "pause": self._pause,
            "resume": self._resume,
        }
        if one is None or verb not in orders or (verb == "start") == one.server.is_running:
            self.tell(Event(name.strip() or "?", "unknown", line.strip(), level="error"))
        else:
            orders[verb](one)

    def _start_again(self, one: _Member) -> None:
        one.state = "starting"
        one.server.start(wait=False)
        self.tell(Event(one.name, "starting"))

    def _kill_one(self, one: _Member) -> None:
        one.server.kill()
        one.state = "dead"
        self.tell(Event(one.name, "killed"))

    def _pause(self, one: _Member) -> None:
        one.server.pause()
        one.state = "paused"
        self.tell(Event(one.name, "paused"))

    def _resume(self, one: _Member) -> None:
        one.server.resume()
        one.state = "running"
        self.tell(Event(one.name, "resumed"))

    # ---- watching --------------------------------------------------------------------------------

    def _look_at(self, one: _Member) -> None:
        for line in one.follower.read() if one.follower else ():
            self.tell(Event(one.name, "log", line.text, line.level))
        code = one.server.find_exit_code()
        if code is not None:
            is_meant = code == 0 or (one.state == "stopping" and code in _IN_ORDER)
            one.state = "dead"
            if is_meant:
                self.tell(Event(one.name, "stopped" if self._is_stopping else "ended"))
            else:
                self.tell(Event(one.name, "died", _reason(code), "error"))
        elif one.state == "starting" and one.server.is_serving():
            one.state = "running"
            self.tell(Event(one.name, "ready"))

    def _show(self) -> None:
        """Tell the guard, and whoever reads the folder, how things are."""
        state = ClusterState(
            pid=os.getpid(),
            is_ready=self._is_ready,
            is_replicated=len(self.plan.databases) > 1,
            settings=str(self.plan.settings_file),
            processes=self.processes,
        )
        if state != self._shown:
            self._guard.watch(one.pid for one in state.processes if one.pid is not None)
            self.folder.write(state)
            self._shown = state

    # ---- starting --------------------------------------------------------------------------------

    def _start(self) -> None:
        plan = self.plan
        self._open_control()
        write_private(plan.settings_file, plan.settings)
        zookeepers = make.make_zookeepers(plan)
        redis = make.make_redis(plan)
        self._begin("zookeeper", zookeepers, [one.port for one in plan.zookeepers])
        self._begin("redis", redis, [one.port for one in plan.redis])
        database = self._start_database()
        self._await(zookeepers)
        self._await(redis)
        sentinels = make.make_sentinels(plan)
        self._begin("sentinel", sentinels, [one.port for one in plan.sentinels])
        database.ask(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        asyncio.run(migrate_storage(plan.database_url))
        nodes = self._start_nodes()
        writer = self._start_nginx_watch()
        self._await(nodes)
        self._await(sentinels)
        wait_until(lambda: all(one.knows_all() for one in sentinels), what="the Sentinels")
        self._await([writer])
        self._start_nginx()
        self._is_ready = True
        self._show()

    def _open_control(self) -> None:
        """A pipe with a name. Open to both directions, so that it never comes to its end."""
        path = self.folder.control
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        self._control = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def _start_database(self) -> MariaDb:
        members = self.plan.databases
        galera = [one for one in members if isinstance(one, GaleraPlan)]
        if galera:
            nodes = make.make_galera(self.plan, galera)
            self._add("galera", nodes, [one.ports.sql for one in galera])
            start_together(nodes)
            self._await(nodes)
            return nodes[0]
        [single] = [one for one in members if not isinstance(one, GaleraPlan)]
        server = make.make_mariadb(self.plan, single)
        self._begin("mariadb", [server], [single.port])
        self._await([server])
        return server

    def _start_nodes(self) -> list[ServerProcess]:
        nodes = [self._make_node(one) for one in self.plan.nodes]
        for one, server in zip(self.plan.nodes, nodes, strict=True):
            kind = "unit" if one.is_unit else "role"
            urls = tuple(filter(None, (one.http_url, one.tcp_url)))
            self._begin(kind, [server], [one.tcp_port or one.http_port], urls)
        return nodes

    def _start_nginx_watch(self) -> ServerProcess:
        writer = make.make_nginx_watch(self.plan, environment=self.environment)
        self._begin("nginx-watch", [writer], [0])
        return writer

    def _start_nginx(self) -> None:
        nginx = self.plan.nginx
        server = make.make_nginx(self.plan)
        urls = (nginx.http_url, nginx.tcp_url)
        self._begin("nginx", [server], [nginx.tcp_port], urls)
        self._await([server])

    def _make_node(self, node: NodePlan) -> ServerProcess:
        return make.make_node(
            self.plan, node, overrides=self.overrides, environment=self.environment
        )

    def _add(
        self,
        kind: str,
        servers: Sequence[ServerProcess],
        ports: Sequence[int],
        urls: tuple[str, ...] = (),
    ) -> None:
        for server, port in zip(servers, ports, strict=True):
            server.log = self.folder.logs / f"{server.name}.log"
            follower = LogFollower(server.log) if kind in _TELLS_EVENTS else None
            self._members[server.name] = _Member(kind, server, port, urls, follower)

    def _begin(
        self,
        kind: str,
        servers: Sequence[ServerProcess],
        ports: Sequence[int],
        urls: tuple[str, ...] = (),
    ) -> None:
        self._add(kind, servers, ports, urls)
        for server in servers:
            server.start(wait=False)
        self._show()

    def _await(self, servers: Iterable[ServerProcess]) -> None:
        for server in servers:
            server.wait_ready()
            one = self._members[server.name]
            one.state = "running"
            self._look_at(one)
            self.tell(Event(server.name, "ready"))

    # ---- ending ----------------------------------------------------------------------------------

    def _of_kind(self, *kinds: str) -> list[_Member]:
        return [one for one in self._members.values() if one.kind in kinds]

    def _end(self, members: Iterable[_Member], timeout_s: float) -> None:
        """Ask all of them at once, and wait; whoever is still there then is killed."""
        asked = [one for one in members if one.server.is_running]
        for one in asked:
            self._ask_to_end(one)
        deadline = time.monotonic() + timeout_s
        while any(one.server.is_running for one in asked) and time.monotonic() < deadline:
            for one in self._members.values():
                self._look_at(one)
            time.sleep(_END_TICK_S)  # the other side is a process: there is no event to wait for
        for one in asked:
            if one.server.is_running:
                self._kill_one(one)

    def _ask_to_end(self, one: _Member) -> None:
        one.state = "stopping"
        one.server.terminate()

    def _close(self) -> None:
        """What is left when everything has ended, in order or not."""
        for one in self._members.values():
            one.server.kill()
            one.state = "dead"
        self._show()
        if self._control >= 0:
            os.close(self._control)
        self.folder.control.unlink(missing_ok=True)


def _reason(code: int) -> str:
    """Why a process ended, in words."""
    if code < 0:
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"exit code {code}"
