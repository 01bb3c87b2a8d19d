"""A client for each kind of address."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.presence.redis_client import REDIS_ERRORS, open_redis
from tinyqq.presence.redis_url import parse_redis_url


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:{}", Redis),
        ("redis+sentinel://127.0.0.1:{}/im", Redis),
        ("redis+cluster://127.0.0.1:{}", RedisCluster),
    ],
)
async def test_open_when_nobody_is_there_then_only_the_question_fails(url: str, kind: type) -> None:
    async with open_redis(parse_redis_url(url.format(free_port()))) as client:
        assert isinstance(client, kind)
        with pytest.raises(REDIS_ERRORS):
            await client.get("key")


@pytest.mark.needs("redis")
async def test_open_when_somebody_is_there_then_text_comes_back(redis_server: RedisServer) -> None:
    async with open_redis(parse_redis_url(f"{redis_server.url}/1")) as client:
        await client.set("key", "小明", ex=1)
        assert await client.get("key") == "小明"
