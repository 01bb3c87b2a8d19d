"""A client of redis-py for each kind of address, with the deadlines that presence wants."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline as _Pipeline
from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from tinyqq.presence.redis_url import RedisAddress, RedisKind

RedisClient: TypeAlias = Redis | RedisCluster
Pipeline: TypeAlias = _Pipeline | ClusterPipeline

REDIS_ERRORS: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What a call of a client raises when Redis does not do what is asked."""

_CONNECT_TIMEOUT_S: Final = 0.5
_ANSWER_TIMEOUT_S: Final = 1.0
_SENTINEL_TIMEOUT_S: Final = 0.3
_CLUSTER_RETRIES: Final = 5


@contextlib.asynccontextmanager
async def open_redis(address: RedisAddress) -> AsyncIterator[RedisClient]:
    """A client until the end of the block. Opening connects nobody yet, so it cannot fail."""
    options: dict[str, Any] = {
        "username": address.user,
        "password": address.password,
        "ssl": address.is_tls,
        "decode_responses": True,
        # RESP3 would let servers push notices of maintenance, which we don't use; and a connection
        # with something left to read would no longer be refused by the pool.
        "protocol": 2,
        "socket_connect_timeout": _CONNECT_TIMEOUT_S,
        # The caller has a deadline for the whole call. A timeout in here goes through
        # asyncio.wait_for, which in Python 3.11 may swallow a cancellation.
        "socket_timeout": None,
        # The caller tries again, with the whole call: a retry in here would knock at the address
        # that it has looked up before, however dead.
        "retry": _no_retry(),
    }
    async with contextlib.AsyncExitStack() as stack:
        client: RedisClient
        if address.kind is RedisKind.CLUSTER:
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            # Here a retry looks up anew who has the slot.
            retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), _CLUSTER_RETRIES)
            # A node that hangs must be noticed, or the others are not asked about its slots.
            options |= {"retry": retry, "socket_timeout": _ANSWER_TIMEOUT_S}
            client = RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)
        elif address.kind is RedisKind.SENTINEL:
            sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py has no types here
                address.hosts,
                sentinel_kwargs={
                    "socket_connect_timeout": _SENTINEL_TIMEOUT_S,
                    "socket_timeout": _SENTINEL_TIMEOUT_S,
                    "retry": _no_retry(),
                },
            )
            stack.push_async_callback(sentinel.aclose)
            client = sentinel.master_for(address.master, db=address.database, **options)
        else:
            ((host, port),) = address.hosts
            client = Redis(host=host, port=port, db=address.database, **options)
        stack.push_async_callback(client.aclose)
        yield client


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)
