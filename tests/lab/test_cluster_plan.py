"""What a cluster on one machine consists of."""

from __future__ import annotations

import tomllib
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tinyqq.app.settings import Settings
from tinyqq.lab.cluster_plan import ClusterPlan, GaleraPlan, Layout, list_ports, make_plan

SECRET = "sixteen bytes or more"
FOLDER = Path("/srv/cluster")


def plan_of(layout: Layout) -> ClusterPlan:
    ports = dict(zip(list_ports(layout), count(12_000), strict=False))
    return make_plan(layout, folder=FOLDER, ports=ports, secret=SECRET)


def settings_of(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def test_plan_when_plain_then_one_of_each_server_and_the_units() -> None:
    plan = plan_of(Layout(units=3))
    assert [one.name for one in plan.zookeepers] == ["zookeeper-1"]
    assert [one.name for one in plan.redis] == ["redis-1"]
    assert [one.name for one in plan.databases] == ["mariadb"]
    assert [one.name for one in plan.units] == ["unit-1", "unit-2", "unit-3"]
    assert plan.sentinels == ()
    assert plan.nodes == plan.units


def test_plan_when_replicated_then_no_server_is_alone() -> None:
    plan = plan_of(Layout(units=1, is_replicated=True))
    parts = (plan.zookeepers, plan.redis, plan.sentinels, plan.databases)
    assert [len(part) for part in parts] == [3, 2, 3, 3]
    assert plan.database_url.count("127.0.0.1:") == 3
    for name, scheme in (("presence", "redis+sentinel"), ("registry", "zookeeper")):
        url = settings_of(plan.settings)[name]
        assert (url.partition(":")[0], url.count("127.0.0.1:")) == (scheme, 3)


def test_plan_when_a_role_has_nodes_then_units_leave_it_to_them() -> None:
    plan = plan_of(Layout(units=1, role_nodes=(("user", 2), ("chat", 0))))
    assert [node.name for node in plan.nodes] == ["user-1", "user-2", "unit-1"]
    assert [node.roles for node in plan.nodes[:2]] == [("user",), ("user",)]
    assert plan.nodes[2].roles == ("proxy", "friend", "group", "chat", "offline")
    assert [node.tcp_url == "" for node in plan.nodes] == [True, True, False]


@pytest.mark.parametrize("is_replicated", [False, True])
def test_plan_when_read_as_settings_then_every_node_takes_them(is_replicated: bool) -> None:
    layout = Layout(units=2, role_nodes=(("user", 1),), is_replicated=is_replicated)
    plan = plan_of(layout)
    Settings.model_validate(settings_of(plan.settings))
    for node in plan.nodes:
        settings = Settings.model_validate(settings_of(node.settings))
        assert settings.cluster.node_name == node.name
        assert settings.listen.http_port == node.http_port
        assert settings.data_dir == plan.node_folder(node) / "data"
        assert settings.media.store == str(plan.folder / "files")


@pytest.mark.parametrize("is_replicated", [False, True])
def test_ports_when_listed_then_no_two_parts_share_one(is_replicated: bool) -> None:
    layout = Layout(units=2, role_nodes=(("user", 1),), is_replicated=is_replicated)
    plan = plan_of(layout)
    used = [plan.nginx.tcp_port, plan.nginx.http_port]
    used += [port for one in plan.zookeepers for port in (one.port, one.peer_port)]
    used += [one.port for one in (*plan.redis, *plan.sentinels)]
    used += [port for node in plan.nodes for port in (node.tcp_port, node.http_port)]
    for one in plan.databases:
        used += [one.ports.sql, one.ports.copy] if isinstance(one, GaleraPlan) else [one.port]
    used = [port for port in used if port]
    assert len(used) == len(set(used))


def test_kinds_when_replicated_then_galera_instead_of_mariadb() -> None:
    assert "mariadb" in Layout(units=1).kinds
    assert "galera" in Layout(units=1, is_replicated=True).kinds
