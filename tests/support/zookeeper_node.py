"""A process that registers and stays until it is killed.

Run as a program: address of ZooKeeper, unit id, session timeout in seconds.
"""

from __future__ import annotations

import asyncio
import sys

from tinyqq.clock import SystemClock
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.zookeeper import ZookeeperRegistry


def make_node(unit: str, incarnation: str = "first") -> Node:
    """A node as they are at the start."""
    return Node(UnitId(unit), incarnation, frozenset({"chat"}), "tinyqq://a:1", "http://a:2", "1")


async def stay(url: str, unit: str, session_timeout_s: float) -> None:
    """Register, and never go."""
    async with ZookeeperRegistry(
        url=url, clock=SystemClock(), session_timeout_s=session_timeout_s
    ) as registry:
        await registry.register(make_node(unit))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(stay(sys.argv[1], sys.argv[2], float(sys.argv[3])))
