"""The servers and nodes of a plan as processes that can be started."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tinyqq.lab.cluster_plan import ClusterPlan, Layout, ServerPlan, list_ports, make_plan
from tinyqq.lab.cluster_servers import (
    can_pass,
    make_mariadb,
    make_nginx,
    make_nginx_watch,
    make_node,
    make_redis,
    make_sentinels,
    make_zookeepers,
)


def plan_of(folder: Path, *, is_replicated: bool = False) -> ClusterPlan:
    layout = Layout(units=1, is_replicated=is_replicated)
    ports = dict(zip(list_ports(layout), count(12_000), strict=False))
    return make_plan(layout, folder=folder, ports=ports, secret="sixteen bytes or more")


def test_node_when_made_then_its_settings_are_there_for_its_owner_alone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    [unit] = plan.units
    node = make_node(plan, unit, overrides=["log.level=debug"], environment={})
    file = tmp_path / "unit-1" / "tinyqq.toml"
    assert file.read_text() == unit.settings
    assert file.stat().st_mode & 0o077 == 0
    assert node.command[-5:] == ["serve", "--config", str(file), "--set", "log.level=debug"]


def test_zookeepers_when_made_again_then_they_begin_with_nothing(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, is_replicated=True)
    make_zookeepers(plan)
    (tmp_path / "zookeeper-2" / "version-2").mkdir()
    servers = make_zookeepers(plan)
    assert [one.name for one in servers] == ["zookeeper-1", "zookeeper-2", "zookeeper-3"]
    assert not (tmp_path / "zookeeper-2" / "version-2").exists()
    assert (tmp_path / "zookeeper-2" / "myid").read_text() == "2\n"
    config = (tmp_path / "zookeeper-2" / "zoo.cfg").read_text()
    assert config.count("\nserver.") == 3


def test_zookeeper_when_alone_then_no_ensemble(tmp_path: Path) -> None:
    make_zookeepers(plan_of(tmp_path))
    assert "\nserver." not in (tmp_path / "zookeeper-1" / "zoo.cfg").read_text()


def test_redis_when_replicated_then_the_second_copies_the_first(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, is_replicated=True)
    first, second = make_redis(plan)
    assert "--replicaof" not in first.command
    assert f"127.0.0.1 {plan.redis[0].port}" in second.command
    assert [one.name for one in make_sentinels(plan)] == ["sentinel-1", "sentinel-2", "sentinel-3"]


def test_nginx_when_made_then_what_an_earlier_one_left_is_gone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "nginx.pid").write_text("1")
    watch = make_nginx_watch(plan, environment={})
    assert list((tmp_path / "nginx").iterdir()) == []
    assert not watch.is_serving()
    config = str(tmp_path / "nginx" / "nginx.conf")
    assert config in watch.command
    assert config in make_nginx(plan).command


@pytest.mark.slow
@pytest.mark.needs("mariadb")
def test_mariadb_when_made_then_a_power_cut_loses_nothing(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    [one] = plan.databases
    assert isinstance(one, ServerPlan)
    text = make_mariadb(plan, one).config.read_text()
    assert "innodb-flush-log-at-trx-commit=1" in text
    assert "innodb-flush-method=fsync" in text
    assert text.rindex("innodb-doublewrite=1") > text.index("innodb-doublewrite=0")


def test_can_pass_when_a_folder_above_is_closed_then_false(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    assert not can_pass(below)
    assert can_pass(Path("/usr"))
