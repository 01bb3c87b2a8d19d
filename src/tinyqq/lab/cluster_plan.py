"""What a cluster on one machine consists of: a pure plan, which :mod:`tinyqq.lab.cluster` runs.

A plan says what is started, in which order, on which ports and with which settings. Ports and the
secret come in from outside, so the same layout always makes the same plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.app.settings import PROXY, ROLES
from tinyqq.lab.servers.galera import GaleraPorts
from tinyqq.lab.servers.redis import sentinel_url

DATABASE: Final = "tinyqq"
_DRAIN: Final = {"window_s": 3.0, "grace_s": 2.0}
"""Shorter than the default: somebody sits there and waits."""
_COPIES: Final = 3
"""Of whatever a quorum decides about."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What somebody asks for.

    Args:
        units: how many, 1 or more.
        role_nodes: per role, how many nodes have it alone; units then leave it to them.
        is_replicated: nothing that runs is there only once: three ZooKeepers, two Redis watched by
            three Sentinels, three Galera nodes; nginx and the machine still are.
    """

    units: int
    role_nodes: tuple[tuple[str, int], ...] = ()
    is_replicated: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of servers, as :mod:`tinyqq.lab.servers.packages` names them."""
        database = "galera" if self.is_replicated else "mariadb"
        return ("zookeeper", "redis", database, "nginx")


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """A server that listens on one port."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class ZookeeperPlan:
    """A ZooKeeper, and what the members of an ensemble talk over; 0: it is alone."""

    name: str
    port: int
    peer_port: int = 0
    election_port: int = 0


@dataclass(frozen=True, slots=True)
class GaleraPlan:
    """A Galera node."""

    name: str
    ports: GaleraPorts


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A unit, or a node of one role.

    Args:
        roles: none: all.
        tcp_port: 0: it takes no clients.
        settings: its ``tinyqq.toml``.
    """

    name: str
    roles: tuple[str, ...]
    tcp_port: int
    http_port: int
    settings: str

    @property
    def is_unit(self) -> bool:
        """Whether clients connect to it."""
        return self.tcp_port != 0

    @property
    def http_url(self) -> str:
        """Its page, directory, metrics and health."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def tcp_url(self) -> str:
        """As a client takes it; empty where there is none."""
        return f"tinyqq://127.0.0.1:{self.tcp_port}" if self.tcp_port else ""


@dataclass(frozen=True, slots=True)
class NginxPlan:
    """The front door."""

    name: str
    tcp_port: int
    http_port: int

    @property
    def http_url(self) -> str:
        """Any unit, over HTTP and WebSocket."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def tcp_url(self) -> str:
        """Any unit, over TCP."""
        return f"tinyqq://127.0.0.1:{self.tcp_port}"


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """The whole, in the order in which it starts; it stops the other way round.

    Args:
        redis: the primary of the start first; the others copy it.
        databases: one MariaDB, or the nodes of a Galera cluster.
        settings: for commands that ask about the cluster (``tinyqq nodes --config``), and for nodes
            that somebody adds (with a ``--data-dir``).
    """

    folder: Path
    zookeepers: tuple[ZookeeperPlan, ...]
    redis: tuple[ServerPlan, ...]
    sentinels: tuple[ServerPlan, ...]
    databases: tuple[ServerPlan, ...] | tuple[GaleraPlan, ...]
    nodes: tuple[NodePlan, ...]
    nginx: NginxPlan
    database_url: str
    settings: str

    @property
    def units(self) -> tuple[NodePlan, ...]:
        """Those that clients connect to."""
        return tuple(node for node in self.nodes if node.is_unit)

    @property
    def settings_file(self) -> Path:
        """Where ``settings`` are written."""
        return self.folder / "tinyqq.toml"

    def node_folder(self, node: NodePlan) -> Path:
        """Holds a node's settings and data."""
        return self.folder / node.name


def list_ports(layout: Layout) -> tuple[str, ...]:
    """The names of all ports that :func:`make_plan` needs for a layout."""
    return tuple(_port_names(layout))


def make_plan(
    layout: Layout,
    *,
    folder: Path,
    ports: Mapping[str, int],
    secret: str,
) -> ClusterPlan:
    """Put a cluster together.

    Args:
        folder: an absolute path; everything is kept below it.
        ports: by the names of :func:`list_ports`.
        secret: what the nodes know each other by, at least 16 bytes.
    """
    zookeepers = tuple(_zookeepers(layout, ports))
    redis = tuple(ServerPlan(name, ports[name]) for name in _redis_names(layout))
    sentinels = tuple(ServerPlan(name, ports[name]) for name in _sentinel_names(layout))
    databases, sql_ports = _databases(layout, ports)
    shared = {
        "database_url": f"mysql+asyncmy://root@{_hosts(sql_ports)}/{DATABASE}",
        "presence": _presence(redis, sentinels),
        "registry": f"zookeeper://{_hosts([one.port for one in zookeepers])}/tinyqq",
    }
    nodes = tuple(_nodes(layout, folder, ports, shared, secret))
    return ClusterPlan(
        folder=folder,
        zookeepers=zookeepers,
        redis=redis,
        sentinels=sentinels,
        databases=databases,
        nodes=nodes,
        nginx=NginxPlan("nginx", tcp_port=ports["nginx.tcp"], http_port=ports["nginx.http"]),
        database_url=shared["database_url"],
        # Commands about accounts ask a unit that runs; a node that somebody adds takes any ports.
        settings=_toml(
            {"data_dir": _data_dir(folder, nodes[-1].name), **shared},
            {
                "listen": {"tcp_port": 0, "http_port": 0, "node_port": 0},
                "cluster": {"secret": secret},
                "media": _media(folder),
            },
        ),
    )


def _port_names(layout: Layout) -> Iterator[str]:
    for name in _zookeeper_names(layout):
        yield name
        if layout.is_replicated:
            yield from (f"{name}.peer", f"{name}.election")
    yield from _redis_names(layout)
    yield from _sentinel_names(layout)
    for name in _database_names(layout):
        yield name
        if layout.is_replicated:
            yield from (f"{name}.group", f"{name}.catch_up", f"{name}.copy")
    for name, roles in _node_names(layout):
        if PROXY in roles:
            yield f"{name}.tcp"
        yield from (f"{name}.http", f"{name}.node")
    yield from ("nginx.tcp", "nginx.http")


def _zookeeper_names(layout: Layout) -> list[str]:
    return _numbered("zookeeper", _COPIES if layout.is_replicated else 1)


def _redis_names(layout: Layout) -> list[str]:
    return _numbered("redis", 2 if layout.is_replicated else 1)


def _sentinel_names(layout: Layout) -> list[str]:
    return _numbered("sentinel", _COPIES if layout.is_replicated else 0)


def _database_names(layout: Layout) -> list[str]:
    return _numbered("galera", _COPIES) if layout.is_replicated else ["mariadb"]


def _node_names(layout: Layout) -> Iterator[tuple[str, tuple[str, ...]]]:
    """With the roles of each; nodes of one role first, since units ask them."""
    alone = {role for role, count in layout.role_nodes if count}
    for role, count in layout.role_nodes:
        for name in _numbered(role, count):
            yield name, (role,)
    for name in _numbered("unit", layout.units):
        yield name, tuple(role for role in ROLES if role not in alone)


def _numbered(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(1, count + 1)]


def _zookeepers(layout: Layout, ports: Mapping[str, int]) -> Iterator[ZookeeperPlan]:
    for name in _zookeeper_names(layout):
        if layout.is_replicated:
            yield ZookeeperPlan(name, ports[name], ports[f"{name}.peer"], ports[f"{name}.election"])
        else:
            yield ZookeeperPlan(name, ports[name])


def _databases(
    layout: Layout, ports: Mapping[str, int]
) -> tuple[tuple[ServerPlan, ...] | tuple[GaleraPlan, ...], list[int]]:
    names = _database_names(layout)
    sql_ports = [ports[name] for name in names]
    if not layout.is_replicated:
        return tuple(ServerPlan(name, ports[name]) for name in names), sql_ports
    galera = (
        GaleraPorts(
            sql=ports[name],
            group=ports[f"{name}.group"],
            catch_up=ports[f"{name}.catch_up"],
            copy=ports[f"{name}.copy"],
        )
        for name in names
    )
    return tuple(map(GaleraPlan, names, galera)), sql_ports


def _nodes(
    layout: Layout,
    folder: Path,
    ports: Mapping[str, int],
    shared: Mapping[str, object],
    secret: str,
) -> Iterator[NodePlan]:
    for name, roles in _node_names(layout):
        listen: dict[str, object] = {
            "tcp_port": ports.get(f"{name}.tcp", 0),
            "http_port": ports[f"{name}.http"],
            "node_port": ports[f"{name}.node"],
            "trusted_proxies": ["127.0.0.1"],
        }
        top = {"data_dir": _data_dir(folder, name), "roles": list(roles), **shared}
        tables: dict[str, Mapping[str, object]] = {
            "listen": listen,
            "cluster": {"secret": secret, "node_name": name},
            "drain": _DRAIN,
            "media": _media(folder),
        }
        yield NodePlan(
            name=name,
            roles=roles,
            tcp_port=ports.get(f"{name}.tcp", 0),
            http_port=ports[f"{name}.http"],
            settings=_toml(top, tables),
        )


def _data_dir(folder: Path, name: str) -> str:
    return str(folder / name / "data")


def _media(folder: Path) -> dict[str, object]:
    """Files: any node is asked for what another took."""
    return {"store": str(folder / "files")}


def _presence(redis: Sequence[ServerPlan], sentinels: Sequence[ServerPlan]) -> str:
    if sentinels:
        return sentinel_url(one.port for one in sentinels)
    return f"redis://127.0.0.1:{redis[0].port}/0"


def _hosts(ports: Sequence[int]) -> str:
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def _toml(top: Mapping[str, object], tables: Mapping[str, Mapping[str, object]]) -> str:
    """Strings, numbers and lists of strings are written alike in JSON and TOML."""
    lines = [f"{name} = {_value(value)}" for name, value in top.items()]
    for table, values in tables.items():
        lines += ["", f"[{table}]"]
        lines += [f"{name} = {_value(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
