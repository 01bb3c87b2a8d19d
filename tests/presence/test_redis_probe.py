"""Asking a Redis whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.errors import Unavailable
from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.presence.redis_probe import ask_redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.mark.needs("redis")
async def test_ask_when_redis_is_there_then_nothing_is_written(redis: RedisServer) -> None:
    await ask_redis(redis.url, timeout_s=30)
    assert redis.cli("DBSIZE").strip() == "0"


@pytest.mark.needs("redis")
async def test_ask_when_redis_hangs_then_unavailable_in_time(redis: RedisServer) -> None:
    redis.pause()
    with pytest.raises(Unavailable, match="no answer in time"):
        await ask_redis(redis.url, timeout_s=0.2)


@pytest.mark.parametrize("kind", ["redis", "redis+sentinel", "redis+cluster"])
async def test_ask_when_nobody_is_there_then_unavailable(kind: str) -> None:
    path = "/name" if kind == "redis+sentinel" else ""
    with pytest.raises(Unavailable):
        await ask_redis(f"{kind}://127.0.0.1:{free_port()}{path}", timeout_s=30)
