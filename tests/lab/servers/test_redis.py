"""Redis as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.lab.servers.redis import (
    MASTER,
    RedisServer,
    redis_cli,
    redis_cluster,
    sentinel_url,
    watched_redis,
)

pytestmark = [pytest.mark.slow, pytest.mark.needs("redis")]


def test_server_when_started_then_it_answers(redis_server: RedisServer) -> None:
    assert redis_server.cli("PING").strip() == "PONG"
    assert redis_server.url.endswith(f":{redis_server.port}")


def test_watched_when_started_then_the_sentinels_know_the_replica(tmp_path: Path) -> None:
    with watched_redis(tmp_path) as redis:
        assert all(one.knows_all() for one in redis.sentinels)
        assert "role:slave" in redis.replica.cli("INFO", "replication")
        asked = "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER
        assert str(redis.primary.port) in redis_cli(redis.sentinels[0].port, *asked)
        assert redis.url == sentinel_url([one.port for one in redis.sentinels])


def test_cluster_when_started_then_whole(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as servers:
        assert "cluster_state:ok" in servers[5].cli("CLUSTER", "INFO")
