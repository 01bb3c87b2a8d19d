"""Redis as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.lab.servers.process import wait_until
from tinyqq.lab.servers.redis import MASTER, RedisServer, redis_cli, redis_cluster, watched_redis

pytestmark = [pytest.mark.slow, pytest.mark.needs("redis")]


def test_server_when_started_then_it_answers(redis_server: RedisServer) -> None:
    assert redis_server.cli("PING").strip() == "PONG"
    assert redis_server.url.endswith(f":{redis_server.port}")


def test_watched_when_the_primary_is_killed_then_the_replica_follows(tmp_path: Path) -> None:
    with watched_redis(tmp_path) as redis:
        redis.primary.kill()

        def moved() -> bool:
            asked = "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER
            return str(redis.replica.port) in redis_cli(redis.sentinels[0].port, *asked)

        wait_until(moved, what="the failover")


def test_cluster_when_started_then_whole(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as servers:
        assert "cluster_state:ok" in servers[5].cli("CLUSTER", "INFO")
