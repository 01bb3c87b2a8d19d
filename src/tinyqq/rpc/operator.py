"""What an operator asks a node through its node port."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.ports.registry import Node
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.links import open_channel
from tinyqq.rpc.status import translated

_TIMEOUT_S: Final = 10.0


async def ask_to_drain(node: Node, credentials: Credentials) -> None:
    """Ask this start of a node to leave; returns when it has begun to.

    Raises:
        TinyQQError: NodeFailed: it did not answer; NotFound: another start of it did.
    """
    async with _channel(node, credentials) as channel:
        await NodeStub(channel).Drain(
            pb.Identity(unit_id=node.unit_id, incarnation=node.incarnation),
            timeout=_TIMEOUT_S,
            metadata=credentials.metadata,
        )


async def ask_health(node: Node, credentials: Credentials, *, timeout_s: float) -> None:
    """Return if this node answers, and lets us ask.

    Raises:
        TinyQQError: it does not.
    """
    async with _channel(node, credentials) as channel:
        stub: Any = HealthStub(channel)  # whose types leave out what it can
        await stub.Check(HealthCheckRequest(), timeout=timeout_s, metadata=credentials.metadata)


@contextlib.asynccontextmanager
async def _channel(node: Node, credentials: Credentials) -> AsyncIterator[grpc.aio.Channel]:
    channel = open_channel(node.internal, credentials)
    try:
        with translated():
            yield channel
    finally:
        await channel.close()
