"""What an operator asks a node through its node port."""

from __future__ import annotations

from typing import Final

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
    channel = open_channel(node.internal, credentials)
    try:
        with translated():
            await NodeStub(channel).Drain(
                pb.Identity(unit_id=node.unit_id, incarnation=node.incarnation),
                timeout=_TIMEOUT_S,
                metadata=credentials.metadata,
            )
    finally:
        await channel.close()
