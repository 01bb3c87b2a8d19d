"""ZooKeeper as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.lab.servers.zookeeper import ZookeeperServer, ensemble_lines, zookeeper_ensemble

pytestmark = [pytest.mark.slow, pytest.mark.needs("zookeeper")]


def test_server_when_alone_then_standalone(zookeeper_server: ZookeeperServer) -> None:
    assert zookeeper_server.mode() == "standalone"


def test_ensemble_lines_when_made_then_numbered_from_one() -> None:
    assert ensemble_lines([(1, 2), (3, 4)]) == ["server.1=127.0.0.1:1:2", "server.2=127.0.0.1:3:4"]


def test_ensemble_when_started_then_one_leads(tmp_path: Path) -> None:
    with zookeeper_ensemble(tmp_path) as servers:
        assert [one.mode() for one in servers] == ["leader", "follower", "follower"]
        servers[0].kill()
        assert not servers[0].is_serving()
